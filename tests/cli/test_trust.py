"""`securechat trust`, and the options and the question that say whom to trust."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from securechat.cli import trusting
from securechat.cli.trust import app
from securechat.client.known_servers import Server
from securechat.errors import NotTrusted

A, B = "SHA256:" + "A" * 43, "SHA256:" + "B" * 42 + "A"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home in which no server is known, and an empty folder to be in."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of `securechat trust ARGUMENTS`."""
    done = CliRunner().invoke(app, arguments)
    return done.exit_code, done.stdout, done.stderr


# ------------------------------------------------------------------ the commands


def test_a_server_is_replaced_listed_and_forgotten() -> None:
    today = datetime.now(UTC).date().isoformat()
    assert run("replace", "Chat.example.org", A) == (
        0,
        f"chat.example.org:55555 is trusted by {A} (before: unknown)\n",
        "",
    )
    assert run("replace", "chat.example.org:55555", "ab" * 32)[0] == 0
    assert run("replace", "chat.example.org", B)[0] == 0
    assert run("replace", "[::1]:7", A)[0] == 0
    listed = f"[::1]:7  {A}  {today}\nchat.example.org:55555  {B}  {today}\n"
    assert run("list") == (0, listed, "")
    assert run("forget", "chat.example.org") == (0, "chat.example.org:55555 is forgotten\n", "")
    assert run("list") == (0, f"[::1]:7  {A}  {today}\n", "")


def test_nothing_to_list_or_to_forget() -> None:
    code, out, errors = run("list")
    assert (code, out) == (0, "")
    assert "no server is known yet" in errors
    code, out, errors = run("forget", "localhost")
    assert (code, out) == (1, "")
    assert "localhost:55555 is not known" in errors


@pytest.mark.parametrize(
    "arguments",
    [
        ("forget",),
        ("forget", "a b"),
        ("replace", "localhost"),
        ("replace", "localhost", "yes"),
        ("replace", "localhost:0", A),
    ],
)
def test_a_wrong_command_line_is_2(arguments: tuple[str, ...]) -> None:
    assert run(*arguments)[0] == 2


def test_a_damaged_file_is_never_written_over(home: Path) -> None:
    run("replace", "localhost", A)
    path = home / "state" / "securechat" / "known_servers"
    path.write_text("localhost")
    for arguments in (("list",), ("forget", "localhost"), ("replace", "localhost", B)):
        code, out, errors = run(*arguments)
        assert (code, out) == (4, "")
        assert "line 1 is damaged" in errors
    assert path.read_text() == "localhost"


# ------------------------------------------------------------------ the options


def test_the_default_folder_counts_only_where_it_has_a_ca(home: Path) -> None:
    assert trusting.wishes(None, None, None, accept_new=False).ca_file is None
    (home / "certs").mkdir()
    assert trusting.wishes(None, None, None, accept_new=False).ca_file is None
    (home / "certs" / "ca.pem").touch()
    assert trusting.wishes(None, None, None, accept_new=False).ca_file == Path("certs/ca.pem")
    assert trusting.wishes(None, Path("x.pem"), None, accept_new=False).ca_file == Path("x.pem")


def test_a_named_folder_must_have_a_ca(home: Path) -> None:
    with pytest.raises(NotTrusted, match=r"certs/ca\.pem is not there"):
        trusting.wishes(Path("certs"), None, None, accept_new=True)
    with pytest.raises(typer.BadParameter, match="give one of them"):
        trusting.wishes(home, Path("x.pem"), None, accept_new=False)


# ------------------------------------------------------------------ the question


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("yes\n", True),
        (" YES ", True),
        ("no\n", False),
        (f"{A}\n", True),
        ("00" * 32, True),
        (f"{B}\n", False),
        ("y\n", None),
        ("\n", None),
        (A[:-1], None),
    ],
)
def test_what_an_answer_means(answer: str, verdict: bool | None) -> None:
    assert trusting.judge(answer, A) is verdict


@pytest.mark.parametrize(
    ("typed", "accepted", "questions"),
    [("yes\n", True, 1), ("no\n", False, 1), ("what?\ny\nyes\n", True, 3), ("", False, 1)],
)
def test_it_asks_until_it_is_answered(
    typed: str,
    accepted: bool,
    questions: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO(typed))
    assert trusting._ask(Server.at("localhost", 7), A) is accepted
    shown = capsys.readouterr()
    assert shown.out == ""
    assert f"\n    {A}\n" in shown.err
    assert shown.err.startswith("localhost:7 is not known yet.")
    assert shown.err.count("Is it the same?") == questions
    assert shown.err.count("type yes or no in full") == max(0, questions - 1)
