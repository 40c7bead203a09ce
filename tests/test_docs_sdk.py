"""docs/sdk.md is run: its scripts against a real server, its bot, its tests; its names exist."""

from __future__ import annotations

import inspect
import re
import threading
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import securechat
from securechat.sdk.values import BOT_MARK
from securechat.testing import ChatServer, Harness
from securechat.testing.fixtures import chat_server

__all__ = ["chat_server"]

TEXT = (Path(__file__).parents[1] / "docs" / "sdk.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python (\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def blocks(kind: str) -> list[str]:
    return [inside for name, inside in BLOCKS if name == kind]


def run(source: str, **names: Any) -> dict[str, Any]:
    """Run a block as a module that is imported, not started."""
    module = {"__name__": "docs_sdk", **names}
    exec(compile(source, "docs/sdk.md", "exec"), module)
    return module


@pytest.fixture
def here(chat_server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> ChatServer:
    """Have `securechat.connect("localhost", …)` lead to this test's server."""
    state = chat_server.certs.parent / "docs"
    connect = partial(
        securechat.connect, port=chat_server.port, certs=chat_server.certs, state_dir=state
    )
    monkeypatch.setattr(securechat, "connect", connect)
    return chat_server


def test_every_block_of_python_is_run_here() -> None:
    assert len(BLOCKS) == len(re.findall(r"^```python", TEXT, re.MULTILINE))
    kinds = {"script", "loop", "errors", "bot", "test", "conftest"}
    assert {name for name, _ in BLOCKS} == kinds


def test_the_script_prints_its_receipt(
    here: ChatServer, capsys: pytest.CaptureFixture[str]
) -> None:
    [script] = blocks("script")
    run(script)
    assert capsys.readouterr().out == "stored as number 1\n"
    with here.connect("ann", rooms="#dev", since=0) as ann:
        assert ann.receive(10).text == "release 1.2 is out"


def test_the_loop_prints_what_others_say(
    here: ChatServer, capsys: pytest.CaptureFixture[str]
) -> None:
    [loop] = blocks("loop")
    thread = threading.Thread(target=run, args=(loop,))
    with here.connect("ann", rooms="#dev") as ann:
        thread.start()
        while len(ann.who("#dev")) < 2:
            pass
        ann.send("#dev", "hello \N{RIGHT-TO-LEFT OVERRIDE}")
        ann.send("#dev", "good night")
        thread.join(10)
    assert capsys.readouterr().out == "ann hello \\u{202e}\nann good night\n"


@pytest.mark.usefixtures("here")
def test_the_error_is_caught(capsys: pytest.CaptureFixture[str]) -> None:
    [errors] = blocks("errors")
    run(errors)
    assert capsys.readouterr().out.startswith("no_such_room - There is no such room.")


def test_the_bot_answers_as_the_page_shows() -> None:
    [source] = blocks("bot")
    harness = Harness(run(source)["bot"])
    shown = re.findall(r"^    <(\w+)> (.*)$", TEXT, re.MULTILINE)
    assert len(shown) == 4
    for (_, asked), (_, answer) in zip(shown[::2], shown[1::2], strict=True):
        assert harness.hear(asked) == [answer]


def test_the_bot_of_the_readme_adds() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
    [source] = re.findall(r"^```python\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    assert Harness(run(source)["bot"]).hear("!add 2") == ["ann: 3"]


def test_the_tests_of_the_page_pass(chat_server: ChatServer) -> None:
    called = 0
    for source in blocks("test"):
        bot = run(blocks("bot")[0])["bot"]
        for name, function in run(source, bot=bot).items():
            if name.startswith("test_"):
                takes = inspect.signature(function).parameters
                function(**({"chat_server": chat_server} if "chat_server" in takes else {}))
                called += 1
    assert called == 2


def test_the_conftest_names_a_plugin() -> None:
    [conftest] = blocks("conftest")
    [plugin] = run(conftest)["pytest_plugins"]
    assert import_module(plugin).chat_server is chat_server


def test_the_mark_of_bots_is_that_of_the_protocol() -> None:
    protocol = (Path(__file__).parents[1] / "docs" / "protocol.md").read_text("utf-8")
    _, section = protocol.split("\n### Bots\n")
    assert f"`{BOT_MARK}`" in section.split("\n## ")[0]
    assert f"`{BOT_MARK}`" in TEXT


def test_the_table_of_calls_has_every_public_method_and_its_keys() -> None:
    _, rest = TEXT.split("| call | gives |")
    table, _ = rest.split("\n\n", 1)
    told = dict(re.findall(r"`(\w+)\(([^)]*)\)`", table))
    methods = {
        name: inspect.signature(method).parameters
        for name, method in inspect.getmembers(securechat.Chat, inspect.isfunction)
        if not name.startswith("_") and name != "open"
    }
    assert told.keys() == methods.keys()
    for name, keys in told.items():
        named = {key.strip().rstrip("=") for key in keys.split(",") if key.strip()}
        assert named <= methods[name].keys(), name


def test_every_public_error_is_explained() -> None:
    for name in securechat.__all__:
        value = getattr(securechat, name)
        if isinstance(value, type) and issubclass(value, Exception):
            assert f"`{name}`" in TEXT or f"securechat.{name}`" in TEXT, name
