"""The command line itself: help, usage, exit codes, and how little it takes to show them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from securechat import __version__
from securechat.cli import report
from securechat.errors import CertificateError, GaveUp, NotTrusted
from securechat.target import Target, parse_target

ROOT = Path(__file__).parents[2]

Finished = subprocess.CompletedProcess[str]


def securechat(*arguments: str, folder: Path | None = None, **environ: str) -> Finished:
    """Run one command to its end; its input is empty."""
    return subprocess.run(
        [sys.executable, "-m", "securechat", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


# ------------------------------------------------------------------ help and usage


def test_help_shows_the_start_and_the_exit_codes() -> None:
    done = securechat("--help")
    assert (done.returncode, done.stderr) == (0, "")
    for line in ("securechat gen-certs", "securechat serve", "securechat connect --nick bob"):
        assert f"    {line}\n" in done.stdout
    for code, meaning in report.EXIT_CODES.items():
        assert f"{code:>3}  {meaning}" in done.stdout


@pytest.mark.parametrize(
    "command",
    [
        *("gen-certs", "serve", "reload", "connect", "send", "run", "tail", "schema"),
        *("trust replace", "invite make", "invite list", "invite revoke"),
        *("admin accounts", "admin owner", "admin add", "admin role", "admin passwd"),
        *("admin sessions", "admin connections", "admin cut"),
    ],
)
def test_every_command_shows_examples(command: str) -> None:
    done = securechat(*command.split(), "-h")
    assert done.returncode == 0
    assert "Examples:" in done.stdout
    assert f"securechat {command}" in done.stdout


def test_version() -> None:
    assert securechat("--version").stdout == f"securechat {__version__}\n"


def test_help_costs_little() -> None:
    code = "import sys, securechat.cli.app; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    heavy = {"pydantic", "cryptography", "ssl", "asyncio", "readline", "platformdirs", "rich"}
    heavy |= {"tomllib"}
    assert heavy & set(done.stdout.split()) == set()


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nosuch",),
        ("serve", "--port", "x"),
        ("serve", "--port", "65536"),
        ("connect",),
        ("connect", "--nick", ""),
        ("connect", "--nick", "x" * 33),
        ("connect", "--nick", "bob", "--room", "a b"),
        ("connect", "--nick", "bob", "localhost:0"),
        ("connect", "--nick", "bob", "--nosuch"),
        ("connect", "--nick", "bob", "--fingerprint", "SHA256:x"),
        ("connect", "--nick", "bob", "--certs", "c", "--ca", "c/ca.pem"),
        ("gen-certs", "--renew", "--force"),
        ("gen-certs", "--renew", "--host", "a.example"),
    ],
)
def test_a_wrong_command_line_is_2(arguments: tuple[str, ...]) -> None:
    done = securechat(*arguments)
    assert done.returncode == 2
    assert "Usage:" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


# ------------------------------------------------------------------ where to connect


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("localhost", ("localhost", 55555)),
        ("chat.example.org:7000", ("chat.example.org", 7000)),
        ("192.0.2.7:1", ("192.0.2.7", 1)),
        ("[::1]", ("::1", 55555)),
        ("[::1]:65535", ("::1", 65535)),
        ("::1", ("::1", 55555)),
        ("2001:db8::7", ("2001:db8::7", 55555)),
        ("fe80::1%eth0", ("fe80::1%eth0", 55555)),
        ("[fe80::1%eth0]:7000", ("fe80::1%eth0", 7000)),
    ],
)
def test_where_to_connect(text: str, target: tuple[str, int]) -> None:
    assert parse_target(text) == Target(*target)


@pytest.mark.parametrize(
    "text",
    ["", ":", ":7000", "host:", "host:x", "host:-1", "host:0", "host:65536", "host:7:7", "a b",
     "[::1", "::1]:7", "[]:7", "[[::1]]:7", "https://host/", "bob@host", "a:b:c", "fe80::x"],
)  # fmt: skip
def test_where_nobody_can_connect(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected HOST|a port is"):
        parse_target(text)


def test_a_port_may_be_said_beside_the_target_and_only_once() -> None:
    assert parse_target("[::1]", 7) == parse_target("[::1]:7", 7) == Target("::1", 7)
    with pytest.raises(ValueError, match="h:7 names port 7, and port 8 is given beside it"):
        parse_target("h:7", 8)
    with pytest.raises(ValueError, match="1 to 65535"):
        parse_target("h", 0)


# ------------------------------------------------------------------ the small commands


def test_gen_certs_tells_what_is_next_and_overwrites_nothing(tmp_path: Path) -> None:
    done = securechat("gen-certs", "--out", "c", "--host", "chat.example.org", folder=tmp_path)
    assert done.returncode == 0
    assert "chat.example.org" in done.stdout
    assert "securechat connect --nick bob --certs c" in done.stdout
    assert {path.name for path in (tmp_path / "c").iterdir()} == {
        "ca.pem",
        "ca-key.pem",
        "cert.pem",
        "key.pem",
    }
    before = (tmp_path / "c" / "cert.pem").read_bytes()
    again = securechat("gen-certs", "--out", "c", folder=tmp_path)
    assert again.returncode == 1
    [line] = again.stderr.splitlines()
    assert line.startswith("securechat: ")
    assert (tmp_path / "c" / "cert.pem").read_bytes() == before
    renewed = securechat("gen-certs", "--certs", "c", "--renew", folder=tmp_path)  # as elsewhere
    assert renewed.returncode == 0
    assert (tmp_path / "c" / "cert.pem").read_bytes() != before


def test_schema_is_json() -> None:
    done = securechat("schema")
    assert done.returncode == 0
    assert {"client_to_server", "server_to_client"} <= json.loads(done.stdout).keys()


def test_connecting_without_a_ca_names_the_file_and_the_cure(tmp_path: Path) -> None:
    done = securechat("connect", "--nick", "bob", "--certs", "no such", folder=tmp_path)
    assert (done.returncode, done.stdout) == (4, "")
    [line] = done.stderr.splitlines()
    assert line.startswith("securechat: no such/ca.pem is not there")
    assert "securechat gen-certs --out 'no such'" in line


def test_connecting_where_nobody_listens(tmp_path: Path) -> None:
    securechat("gen-certs", "--out", "c", folder=tmp_path)
    done = securechat(
        *("connect", "localhost:1", "--nick", "bob", "--certs", "c"),
        folder=tmp_path,
        XDG_STATE_HOME=str(tmp_path),
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.splitlines()[-1].startswith("securechat: No securechat server answers")


# ------------------------------------------------------------------ how commands fail


def _raises(error: BaseException) -> Callable[[], None]:
    def run() -> None:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (CertificateError("No key."), 1, "securechat: No key.\n"),
        (NotTrusted("Not ours."), 4, "securechat: Not ours.\n"),
        (GaveUp("Lost\x1b[2J\nlink."), 7, "securechat: Lost\\x1b[2J⏎link.\n"),
        (KeyboardInterrupt(), 130, ""),
        (report.Terminated(), 143, ""),
    ],
)
def test_what_a_user_can_cause_is_one_line_and_a_code(
    error: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = _raises(error)
    with pytest.raises(typer.Exit) as caught, report.reported():
        run()
    assert caught.value.exit_code == code
    assert capsys.readouterr() == ("", said)


def test_a_bug_is_not_hidden() -> None:
    run = _raises(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError), report.reported():
        run()


def test_nobody_reads_what_a_command_prints() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "securechat", "schema"],
        cwd=ROOT,
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
        timeout=30,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize("redirections", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_do_no_harm(redirections: str, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("not looked at")
    command = f"{sys.executable} -m tests.cli.scripted connect --nick bob --certs {tmp_path}"
    done = subprocess.run(
        ["sh", "-c", f"echo hello | {command} {redirections}"],
        cwd=ROOT,
        env={**os.environ, "RECORD": str(tmp_path / "record")},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 0
    assert "Traceback" not in done.stdout + done.stderr
    said = [] if "<&-" in redirections else [["#lobby", "hello", False]]
    assert json.loads((tmp_path / "record").read_text("utf-8"))["said"] == said
