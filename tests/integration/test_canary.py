"""A password is in no log, error, traceback, argument list or file, of the client or the server.

The canary goes every way there is: right and wrong, over the wire, by file, by the operator; and
where things fail. Then all that was written anywhere is searched for it.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from securechat.chat import devices, proving
from securechat.server import auth

CANARY = "canary-pa55-wor"
GOOD, OTHER, WRONG = f"{CANARY}d-1", f"{CANARY}d-2", f"{CANARY}d-3"


@pytest.fixture
def searched(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Path]:
    """A folder for everything; searched, with the log, when the test is over."""
    caplog.set_level(logging.DEBUG)
    yield tmp_path
    assert CANARY not in caplog.text
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.parent.name != "secrets":
            assert CANARY.encode() not in path.read_bytes(), path


@pytest.fixture
def world(make_world: Callable[..., Any], searched: Path) -> Any:
    return make_world(data=searched / "d")


def clean(*answers: Any) -> None:
    assert CANARY not in repr(answers)


def test_over_the_wire(world: Any) -> None:
    ann = world.join("ann", "#a")
    clean(ann.answer("register", password="short"))
    clean(ann.answer("register", password=GOOD))
    clean(ann.answer("passwd", password=OTHER, old=WRONG))
    clean(ann.answer("passwd", password=OTHER, old=GOOD))
    clean(ann.answer("passwd", password=GOOD * 100), ann.answer("register", password=[GOOD]))
    clean(ann.answer("login", nick=GOOD, password=GOOD), ann.answer("logout", session=GOOD))
    clean(ann.answer("passwd", **{GOOD: GOOD}))
    eve = world.wire()
    clean(eve.hello("ann", password=WRONG), eve.hello("ann", password=OTHER))
    clean(world.wire().hello("eve", invite=GOOD), world.wire().hello("e" * 99, password=GOOD))
    clean(ann.roundtrip(), ann.answer("sessions"))


def test_where_something_fails(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **_: object) -> None:
        raise RuntimeError(f"planted: {arguments!r}")

    ann = world.join("ann")
    with monkeypatch.context() as patch:
        patch.setattr(auth, "derive", fail)
        clean(ann.answer("register", password=GOOD))
    with monkeypatch.context() as patch:
        patch.setattr(devices, "enrol", fail)
        clean(failed(ann))
    bob = world.join("bob")
    with monkeypatch.context() as patch:
        patch.setattr(proving.Proofs, "open", fail)
        clean(failed(bob))


def failed(wire: Any) -> Any:
    """What is heard when registering fails in a way that nobody foresaw."""
    wire.command("register", password=GOOD)
    return wire.receive_until(lambda it: it.get("code") == "internal")


def run(folder: Path, *arguments: str, said: str = "") -> subprocess.Popen[str]:
    env = {"HOME": str(folder), "PATH": "", "PYTHONPATH": str(Path(__file__).parents[2])}
    with (folder / "out").open("a") as out, (folder / "err").open("a") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "securechat", *arguments],
            env=env,
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=err,
            text=True,
        )
    assert process.stdin is not None
    process.stdin.write(said)
    process.stdin.close()
    return process


@pytest.mark.slow
def test_on_the_command_line(world: Any, searched: Path) -> None:
    secrets = searched / "secrets"
    secrets.mkdir()
    for name, password in {"good": GOOD, "wrong": WRONG}.items():
        (secrets / name).write_text(f"{password}\n")
        (secrets / name).chmod(0o600)
    data = ("--data", str(searched / "d"))
    for words, code in (
        (("admin", "add", "bob", "--password-file", str(secrets / "good"), *data), 0),
        (("admin", "passwd", "bob", "--password-file", str(secrets / "good"), *data), 0),
        (("admin", "passwd", "eve", "--password-file", str(secrets / "good"), *data), 1),
    ):
        assert run(searched, *words).wait(30) == code
    where = (f"localhost:{world.port}", "--nick", "bob")
    ca = ("--ca", str(world.ca))
    wrong = run(searched, "connect", *where, *ca, "--password-file", str(secrets / "wrong"))
    assert wrong.wait(30) == 5
    piped = run(searched, "connect", *where, *ca, "--password-file", "-", said=f"{GOOD}\nhi\n")
    seen = ""
    while piped.poll() is None:
        for entry in ("cmdline", "environ"):
            try:
                seen += Path(f"/proc/{piped.pid}/{entry}").read_text(errors="replace")
            except OSError:
                break
        time.sleep(0.05)
    assert piped.returncode == 0, (searched / "err").read_text()
    assert "connect" in seen
    assert CANARY not in seen
