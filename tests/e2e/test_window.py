"""The window as a newcomer uses it: real keys on a display of our own, a real server."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from securechat.errors import Rejected
from securechat.sdk.chat import Chat
from securechat.sdk.connect import connect

from ..gui.conftest import display  # noqa: F401 - a fixture
from .test_scene import PATIENCE, SECURECHAT, Home, home  # noqa: F401 - a fixture

pytestmark = pytest.mark.slow


class Window:
    """One window, and the hands at its keyboard. Its title says how things stand."""

    def __init__(self, home: Home, display: str, *arguments: str) -> None:  # noqa: F811
        self.env = {
            **home.env,
            "DISPLAY": display,
            "XDG_CONFIG_HOME": str(home.path / "config"),
            "DBUS_SESSION_BUS_ADDRESS": "disabled:",
        }
        self.process = subprocess.Popen(
            [*SECURECHAT, "gui", *arguments],
            cwd=home.path,
            env=self.env,
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        self.wait(lambda: bool(self._windows()), "no window")
        self._do("mousemove", "400", "300")  # without a window manager the keys go to what is there

    def _do(self, *arguments: str) -> str:
        command = ["xdotool", *arguments]
        done = subprocess.run(
            command, env=self.env, text=True, capture_output=True, check=False, timeout=PATIENCE
        )
        return done.stdout

    def _windows(self) -> list[str]:
        pid = str(self.process.pid)
        return self._do("search", "--onlyvisible", "--pid", pid, "--name", "securechat").split()

    @property
    def title(self) -> str:
        windows = self._windows()
        return self._do("getwindowname", windows[0]).strip() if windows else ""

    def shows(self, text: str) -> None:
        """Wait until the title has it."""
        self.wait(lambda: text in self.title, f"the title never had {text!r}")

    def is_in(self, nick: str) -> None:
        """Wait until it is connected, in #lobby."""
        self.wait(lambda: self.title == f"#lobby · {nick} · securechat", "never came in")

    def wait(self, until: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + PATIENCE
        while not until():
            if time.monotonic() > end or self.process.poll() is not None:
                assert self.process.stderr is not None
                self.process.kill()
                pytest.fail(f"{what}; the title is {self.title!r}: {self.process.stderr.read()}")
            time.sleep(0.02)

    def type(self, text: str) -> None:
        """Type, a letter each."""
        self._do("type", "--delay", "4", text)

    def press(self, *keys: str) -> None:
        """Press keys by their names."""
        self._do("key", "--delay", "20", *keys)

    def end(self) -> tuple[int, str]:
        """Wait for its end: the exit code, and what it said on standard error."""
        _, errors = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, errors


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates for the servers of all tests here."""
    workshop = Home(tmp_path_factory.mktemp("certs"))
    workshop.run("gen-certs")
    return workshop.path / "certs"


@pytest.fixture(autouse=True)
def has_certificates(home: Home, certs: Path) -> None:  # noqa: F811
    """Each home has its own copy."""
    shutil.copytree(certs, home.path / "certs")


@pytest.fixture
def window(home: Home, display: str) -> Iterator[Callable[..., Window]]:  # noqa: F811
    """Opens windows, and closes what is left of them."""
    if shutil.which("xdotool") is None:
        pytest.skip("xdotool is not installed: apt install xdotool")
    opened: list[Window] = []

    def open_window(*arguments: str) -> Window:
        opened.append(Window(home, display, *arguments))
        return opened[-1]

    yield open_window
    for one in opened:
        one.process.kill()
        one.process.communicate()


@pytest.fixture
def carol(home: Home) -> Iterator[Chat]:  # noqa: F811
    """Somebody else, in #lobby."""
    home.serve()
    folder = home.path / "carol"
    with connect(
        "localhost", home.port, nick="carol", certs=home.path / "certs", state_dir=folder
    ) as chat:
        yield chat


def hear(chat: Chat, text: str) -> str:
    """Wait until that was said in #lobby; by whom."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with suppress(Rejected):  # the link may be on its way back
            for message in chat.history("#lobby", limit=20).messages:
                if message.text == text:
                    return message.sender
        time.sleep(0.05)
    pytest.fail(f"nobody said {text!r}")


def test_a_newcomer_comes_in_talks_changes_the_nick_and_leaves(
    home: Home,  # noqa: F811
    window: Callable[..., Window],
    carol: Chat,
) -> None:
    (home.path / "certs" / "ca.pem").rename(home.path / "ca.pem")  # else nobody would be asked
    bob = window()
    bob.type(f"localhost:{home.port}")
    bob.press("Tab")
    bob.type("bob")
    bob.press("Return")
    bob.shows("first visit to localhost")
    bob.press("shift+Tab", "Return")
    bob.is_in("bob")
    assert f"localhost:{home.port}" in (home.path / "state/securechat/known_servers").read_text()
    bob.type("hello carol")
    bob.press("Return")
    assert hear(carol, "hello carol") == "bob"
    bob.press("F2")
    time.sleep(0.3)
    bob.type("robert")
    bob.press("Return")
    bob.is_in("robert")
    carol.send("@robert", "psst")
    bob.shows("(1!)")
    bob.press("alt+a")
    bob.shows("@carol · robert")
    bob.press("F9", "F9", "ctrl+plus")
    bob.press("ctrl+q")
    assert bob.end() == (0, "")
    ui = tomllib.loads((home.path / "config/securechat/config.toml").read_text())["ui"]
    assert ui == {"theme": "dark", "font_size": 11}


def test_an_invite_is_all_that_one_needs(
    home: Home,  # noqa: F811
    window: Callable[..., Window],
    carol: Chat,
) -> None:
    code, invite, errors = home.run("invite", "eve", "--room", "garden")
    assert code == 0, errors
    eve = window()
    eve.type(f"Come in: {invite.strip()}, and say hello")
    eve.press("Return")
    eve.wait(lambda: eve.title == "#garden · eve · securechat", "never came in")
    eve.type("/msg carol look, no terminal")
    eve.press("Return")
    eve.wait(lambda: "eve" in {one.nick for one in carol.who()}, "carol does not see eve")
    eve.press("ctrl+q")
    assert eve.end() == (0, "")
    again = window(invite.strip())
    again.wait(lambda: again.title == "#garden · eve · securechat", "never came in again")
    again.press("ctrl+q")
    assert again.end() == (0, "")
    tomorrow = window()
    time.sleep(0.5)
    tomorrow.press("Return")  # where, as whom and which room are known
    tomorrow.wait(lambda: tomorrow.title == "#garden · eve · securechat", "was not in the garden")


def test_a_click_on_an_invite_fills_it_in(
    home: Home,  # noqa: F811
    window: Callable[..., Window],
    carol: Chat,
) -> None:
    code, told, errors = home.run("gui", "--add-to-menu")
    assert (code, errors) == (0, "")
    entry = Path(home.env["XDG_DATA_HOME"]) / "applications/securechat.desktop"
    assert str(entry) in told
    assert "gui --fill-in %u\n" in entry.read_text()
    _, invite, _ = home.run("invite", "eve")
    eve = window("--fill-in", invite.strip())
    time.sleep(0.5)  # nothing is to happen
    assert eve.title == "securechat"
    assert "eve" not in {one.nick for one in carol.who()}
    eve.press("Return")
    eve.is_in("eve")


def test_links_lead_out_and_borders_are_moved(
    home: Home,  # noqa: F811
    window: Callable[..., Window],
    carol: Chat,
) -> None:
    opened = home.path / "opened"
    script = home.path / "browser"
    script.write_text(f'#!/bin/sh\necho "$@" >> {opened}\n')
    script.chmod(0o755)
    home.env["BROWSER"] = f"{script} %s"
    carol.send("#lobby", "see https://example.org/?a=1&b=2 and file:///etc/passwd")
    bob = window(f"localhost:{home.port}", "--nick", "bob")
    bob.is_in("bob")
    time.sleep(0.5)  # what carol said has no sign outside the window
    bob.press("ctrl+o")
    time.sleep(0.5)
    bob.press("Return")
    bob.wait(opened.exists, "nothing was opened")
    assert opened.read_text() == "https://example.org/?a=1&b=2\n"
    border = 14 * 14 + 1  # heights of the text, of as many pixels
    bob._do("mousemove", str(border), "300")
    time.sleep(0.2)
    bob._do("mousedown", "1", "mousemove", str(border + 70), "300")
    time.sleep(0.2)
    bob._do("mouseup", "1")
    config = home.path / "config/securechat/config.toml"
    bob.wait(lambda: config.exists() and "rooms_width" in config.read_text(), "nothing was kept")
    ui = tomllib.loads(config.read_text())["ui"]
    assert ui["rooms_width"] > 14
    bob.press("ctrl+q")
    assert bob.end() == (0, "")


def test_a_password_is_asked_for_and_nobody_sees_it(
    home: Home,  # noqa: F811
    window: Callable[..., Window],
    carol: Chat,
) -> None:
    dave = window(f"localhost:{home.port}", "--nick", "dave")
    dave.is_in("dave")
    dave.type("/register")
    dave.press("Return")
    time.sleep(1.0)  # the question has no sign outside the window
    for _ in range(2):
        dave.type("correct horse battery")
        dave.press("Return")
    dave.wait(
        lambda: any(one.nick == "dave" and one.role != "guest" for one in carol.who()),
        "no account was made",
    )
    dave.press("ctrl+q")
    assert dave.end() == (0, "")
    for session in (home.path / "state/securechat").glob("session-*"):
        session.unlink()
    dave = window(f"localhost:{home.port}", "--nick", "dave")
    dave.shows("not let in")
    time.sleep(1.0)  # as above
    dave.type("correct horse battery")
    dave.press("Return")
    dave.is_in("dave")
    kept = [path for path in home.path.rglob("*") if path.is_file() and "data" not in path.parts]
    assert not any(b"correct horse" in path.read_bytes() for path in kept)


def test_what_is_typed_outlives_the_server_and_the_window(
    home: Home,  # noqa: F811
    window: Callable[..., Window],
) -> None:
    home.serve()
    bob = window(f"localhost:{home.port}", "--nick", "bob")
    bob.is_in("bob")
    home.stop(signal.SIGKILL)
    bob.shows("offline")
    bob.type("said while nobody was there")
    bob.press("Return")
    time.sleep(0.3)
    bob.process.send_signal(signal.SIGTERM)
    assert bob.end() == (143, "")
    home.serve()
    bob = window(f"localhost:{home.port}", "--nick", "bob")
    with connect(
        "localhost", home.port, nick="carol", certs=home.path / "certs", state_dir=home.path
    ) as carol:
        assert hear(carol, "said while nobody was there") == "bob"
        home.stop(signal.SIGKILL)
        bob.shows("offline")
        bob.type("and again")
        bob.press("Return")
        home.serve()
        assert hear(carol, "and again") == "bob"
        bob.is_in("bob")


def test_a_burst_keeps_nobody_from_talking(
    home: Home,  # noqa: F811
    window: Callable[..., Window],
) -> None:
    home.serve("--rate", "0")
    bob = window(f"localhost:{home.port}", "--nick", "bob")
    bob.is_in("bob")
    said = "".join(f"message {number}\n" for number in range(2_000))
    talker = threading.Thread(target=home.connect, args=("carol", said))
    talker.start()
    bob.type("still here")
    bob.press("Return")
    talker.join()
    bob.press("ctrl+q")
    assert bob.end() == (0, "")
    where = ("--host", f"localhost:{home.port}", "--nick", "eve")
    _, lines, errors = home.run("export", "lobby", *where)
    texts = [json.loads(line)["text"] for line in lines.splitlines()]
    assert len(texts) == 2_001, errors
    assert "still here" in texts


def test_closing_never_waits_for_a_server_that_hangs(
    home: Home,  # noqa: F811
    window: Callable[..., Window],
) -> None:
    home.serve()
    bob = window(f"localhost:{home.port}", "--nick", "bob")
    bob.is_in("bob")
    assert home.server is not None
    os.kill(home.server.pid, signal.SIGSTOP)
    try:
        bob.type("into the void")
        bob.press("Return")
        began = time.monotonic()
        bob.press("ctrl+q")
        while bob._windows():
            assert time.monotonic() - began < PATIENCE
        gone = time.monotonic() - began
        print(f"the window was gone after {gone * 1000:.0f} ms")
        assert gone < 1
        assert bob.end() == (0, "")
    finally:
        os.kill(home.server.pid, signal.SIGCONT)


def test_each_way_of_not_opening_a_window_is_one_line(home: Home) -> None:  # noqa: F811
    home.env.pop("DISPLAY", None)
    code, _, errors = home.run("gui")
    assert (code, errors.count("\n")) == (1, 1)
    assert "There is no display" in errors
    hidden = home.path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(
        "import sys; sys.modules['_tkinter'] = sys.modules['tkinter'] = None\n"
    )
    home.env["PYTHONPATH"] = f"{hidden}{os.pathsep}{home.env['PYTHONPATH']}"
    code, _, errors = home.run("gui")
    assert (code, errors.count("\n")) == (1, 1)
    assert "needs tkinter" in errors
