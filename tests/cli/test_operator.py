"""`securechat admin` and `securechat invite`: what is typed, what is asked for, what is printed.

The server is played; `tests/integration/test_accounts.py` and `tests/e2e/test_invite.py` have a
real one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from securechat.chat import admin as requests
from securechat.cli import invite, operator
from securechat.cli import passwords as typed
from securechat.cli.app import app
from securechat.client.invite_link import InviteLink
from securechat.server import operate as server_side
from securechat.server.operate import Answer, OperatorError

KEY = "SHA256:KiMk0krprk/2WuUPclRqS8wLWJpMTdT2WRVUL/nd7D8"
TOKEN = "wohw1DXyW9uRWLVXBoKrTi"
UNTIL = "2026-11-29T20:59:00.000000Z"


class Played:
    """Notes requests, and answers each kind with rows."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.folders: list[Path] = []
        self.listens = [["10.0.0.7", 7_000]]
        self.running = True
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self.error: str | None = None

    def __call__(self, folder: Path, request: Any) -> Answer:
        self.asked.append(request)
        self.folders.append(folder)
        if self.error is not None:
            raise OperatorError(self.error)
        facts = {"addresses": self.listens, "fingerprint": KEY} if self.running else {}
        return Answer(self.rows.get(request.do, []), facts)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Played:
    played = Played()
    row = {"invite": "cabc53974f06", "nick": "bob", "room": "#ops", "uses": 1, "expires": UNTIL}
    played.rows["invite"] = [{**row, "token": TOKEN}]
    played.rows["invites"] = [row]
    monkeypatch.setattr(server_side, "operate", played)
    return played


def run(*words: str, code: int = 0) -> Any:
    done = CliRunner().invoke(app, words)
    assert done.exit_code == code, done.output
    return done


# ------------------------------------------------------------------ invite


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        ((), {}),
        (("bob",), {"nick": "bob"}),
        (("bob", "--room", "ops"), {"nick": "bob", "room": "#ops"}),
        (("--room", "#ops", "bob"), {"nick": "bob", "room": "#ops"}),
        (("make", "list"), {"nick": "list"}),
        (("--uses", "20", "--ttl", "1w"), {"uses": 20, "ttl": 604_800.0}),
        (("--ttl", "90s"), {"ttl": 90.0}),
    ],
)
def test_what_is_no_command_is_a_nick(
    server: Played, words: tuple[str, ...], keys: dict[str, Any]
) -> None:
    done = run("invite", *words)
    assert server.asked[-1] == requests.MakeInvite(**keys)
    [line] = done.stdout.splitlines()
    assert InviteLink.parse(line) == InviteLink("10.0.0.7", 7_000, TOKEN, KEY)


@pytest.mark.parametrize(
    ("listens", "option", "where"),
    [
        ("10.0.0.7", None, ("10.0.0.7", 7_000)),
        ("0.0.0.0", "chat.example.org", ("chat.example.org", 7_000)),
        ("::", "chat.example.org:443", ("chat.example.org", 443)),
        ("::1", None, ("::1", 7_000)),
        ("127.0.0.1", "localhost:55555", ("localhost", 55_555)),
    ],
)
def test_the_line_says_where_people_reach_the_server(
    server: Played, listens: str, option: str | None, where: tuple[str, int]
) -> None:
    server.listens = [[listens, 7_000]]
    done = run("invite", "bob", *(("--host", option) if option else ()))
    link = InviteLink.parse(done.stdout)
    assert (link.host, link.port) == where
    assert ("on this machine only" in done.stderr) is (listens == "::1")


@pytest.mark.parametrize("listens", ["0.0.0.0", "::"])
def test_a_server_that_listens_everywhere_must_be_named(server: Played, listens: str) -> None:
    server.listens = [[listens, 7_000]]
    done = run("invite", "bob", code=1)
    assert "--host" in done.stderr
    assert requests.MakeInvite not in map(type, server.asked), "none was made in vain"


def test_without_a_server_the_folder_of_certificates_says_the_key(
    server: Played, certificates: Any
) -> None:
    server.running = False
    folder = str(certificates.directory)
    done = run("invite", "bob", "--certs", folder, "--host", "chat.example.org")
    link = InviteLink.parse(done.stdout)
    assert (link.host, link.port) == ("chat.example.org", 55_555)
    assert link.fingerprint != KEY
    assert run("invite", "bob", "--certs", folder + "x", code=1).stdout == ""


@pytest.mark.usefixtures("server")
def test_a_terminal_gets_a_picture_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invite, "is_terminal", lambda _: True)
    lines = run("invite", "bob").stdout.splitlines()
    picture = [line for line in lines if set(line) <= set("█▀▄ ") and line.strip()]
    assert len({len(line) for line in picture}) == 1
    assert len(picture) * 2 >= len(picture[0])
    assert lines[-1] == "To take it back: securechat invite revoke cabc53974f06"
    assert any("For bob, until 2026-11-29 20:59 UTC" in line for line in lines)
    assert "█" not in run("invite", "bob", "--no-qr").stdout
    monkeypatch.setenv("COLUMNS", "20")
    assert "█" not in run("invite", "bob").stdout


def test_invites_are_listed_and_revoked(server: Played) -> None:
    out = run("invite", "list").stdout
    assert out.splitlines()[1].split() == [
        *("cabc53974f06", "bob", "#ops", "1", "2026-11-29", "20:59", "UTC")
    ]
    assert TOKEN not in out
    assert json.loads(run("invite", "list", "--json").stdout) == server.rows["invites"][0]
    run("invite", "revoke", "cabc53974f06")
    assert server.asked[-1] == requests.RevokeInvite(invite="cabc53974f06")


@pytest.mark.parametrize(
    "words",
    [
        *(("--ttl", "2"), ("--ttl", "0d"), ("--ttl", "2y"), ("--uses", "0"), ("bob", "carol")),
        *(("x" * 33,), ("--room", "a b"), ("--host", "a b"), ("revoke",)),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(server: Played, words: tuple[str, ...]) -> None:
    run("invite", *words, code=2)
    assert server.asked == []


def test_the_group_explains_itself() -> None:
    assert "short for" in run("invite", "-h").output
    assert "revoke" in run("invite", "--help").output


# ------------------------------------------------------------------ admin


@pytest.fixture
def secret(tmp_path: Path) -> str:
    path = tmp_path / "secret"
    path.write_text("tulips in the rain\n")
    path.chmod(0o600)
    return str(path)


def test_an_owner_is_made_of_an_account_or_of_nobody(server: Played, secret: str) -> None:
    server.rows["accounts"] = [{"account": "Alice"}]
    assert "alice is an owner" in run("admin", "owner", "alice").stdout
    assert server.asked[-1] == requests.SetRole(name="alice", role="owner")  # type: ignore[arg-type]
    run("admin", "owner", "bob", "--password-file", secret)
    added = server.asked[-1]
    assert (type(added), added.name, added.role.value) == (requests.AddAccount, "bob", "owner")
    assert added.password.get_secret_value() == "tulips in the rain"
    assert run("admin", "owner", "a b", code=1).stderr.startswith("securechat: A nick")


def test_a_password_is_asked_for_or_the_cure_is_named(
    server: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "--password-file" in run("admin", "passwd", "bob", code=1).stderr
    assert server.asked == []
    monkeypatch.setattr(typed, "can_ask", lambda: True)
    monkeypatch.setattr(typed, "ask", lambda _: "x" * 257)
    assert "1 to 256 characters" in run("admin", "passwd", "bob", code=1).stderr
    assert server.asked == []
    monkeypatch.setattr(typed, "ask", lambda _: "tulips in may")
    server.rows["passwd"] = [{"account": "bob", "ended": 1}]
    assert "1 session ended" in run("admin", "passwd", "bob").stdout


@pytest.mark.parametrize(
    ("words", "request_", "rows", "says"),
    [
        (("role", "bob", "admin"), {"do": "role", "name": "bob", "role": "admin"}, [], "admin now"),
        (("sessions", "bob"), {"do": "sessions", "name": "bob"}, [], ""),
        (("connections",), {"do": "connections"}, [], ""),
        (("cut", "bob"), {"do": "cut", "name": "bob"}, [{"ended": 2}], "2 sessions ended"),
        (
            ("cut", "bob", "--session", "6b3f"),
            {"do": "cut", "name": "bob", "session": "6b3f"},
            [{"ended": 1}],
            "1 session ended",
        ),
        (
            ("cut", "--connection", "7"),
            {"do": "disconnect", "number": 7},
            [{"nick": "eve"}],
            "connection 7 of eve",
        ),
    ],
)
def test_each_command_asks_for_one_thing(
    server: Played,
    words: tuple[str, ...],
    request_: dict[str, Any],
    rows: list[dict[str, Any]],
    says: str,
) -> None:
    server.rows[request_["do"]] = rows
    done = run("admin", *words, "--data", "/srv/chat")
    assert server.asked[-1].model_dump(mode="json", exclude_none=True) == request_
    assert server.folders[-1] == Path("/srv/chat")
    assert says in done.stdout


@pytest.mark.parametrize(
    "words", [("cut",), ("cut", "bob", "--connection", "7"), ("role", "a", "king")]
)
def test_what_is_half_said_is_a_usage_error(server: Played, words: tuple[str, ...]) -> None:
    run("admin", *words, code=2)
    assert server.asked == []


def test_what_is_refused_is_one_line(server: Played) -> None:
    server.error = "There is no account of that name."
    done = run("admin", "sessions", "bob", code=1)
    assert done.stderr == "securechat: There is no account of that name.\n"


def test_a_table_is_harmless_and_in_line(capsys: pytest.CaptureFixture[str]) -> None:
    rows: list[dict[str, object]] = [
        {"a": "x\x1b[2Jy", "b": None, "c": True, "d": []},
        {"a": "日本", "b": 5, "c": False, "d": ["#a", "#b"]},
    ]
    operator.show(rows, ("a", "b", "c", "d"), as_json=False)
    out = capsys.readouterr().out
    assert "\x1b" not in out
    lines = out.splitlines()
    assert lines[0].split() == ["a", "b", "c", "d"]
    assert lines[2].split() == ["日本", "5", "no", "#a,#b"]
    operator.show([], ("a",), as_json=False)
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("server")
def test_nobody_has_an_account_yet() -> None:
    done = run("admin", "accounts")
    assert (done.stdout, "admin owner NAME" in done.stderr) == ("", True)
