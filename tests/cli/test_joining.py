"""Getting in: a password is asked for when it is wanted, a nick when an invite names none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from securechat.cli import joining, passwords, trusting
from securechat.client import accept as client_accept
from securechat.client.accept import Accepted
from securechat.client.client import ClientConfig
from securechat.client.invite_link import InviteLink
from securechat.client.trust import SYSTEM, ByKey
from securechat.client.trust_policy import Wishes
from securechat.errors import CannotConnect, ClientError, Refused

CONFIG = ClientConfig(host="h", nick="bob")
KEY = "SHA256:KiMk0krprk/2WuUPclRqS8wLWJpMTdT2WRVUL/nd7D8"
LINK = InviteLink("chat.example.org", 7_000, "token", KEY)


def lets_in(*right: str | None) -> tuple[list[str | None], Callable[[ClientConfig], int]]:
    """A server that takes these passwords, and those it was told."""
    told: list[str | None] = []

    def chat(config: ClientConfig) -> int:
        said = None if config.password is None else config.password.get_secret_value()
        told.append(said)
        if said not in right:
            raise Refused("No.", "auth_required" if said is None else "auth_failed")
        return 7

    return told, chat


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A person at the terminal, who types these one after the other."""
    typed: list[str] = []
    monkeypatch.setattr(passwords, "can_ask", lambda: True)
    monkeypatch.setattr(passwords, "ask", lambda _: typed.pop(0))
    return typed


def test_nobody_is_asked_who_is_let_in() -> None:
    told, chat = lets_in(None)
    assert (joining.with_password(CONFIG, chat), told) == (7, [None])


def test_a_person_is_asked_until_it_is_right(asked: list[str]) -> None:
    asked += ["wrong", "right"]
    told, chat = lets_in("right")
    assert joining.with_password(CONFIG, chat) == 7
    assert told == [None, "wrong", "right"]


def test_a_person_is_not_asked_for_ever(asked: list[str]) -> None:
    asked += ["wrong"] * 9
    told, chat = lets_in()
    with pytest.raises(Refused):
        joining.with_password(CONFIG, chat)
    assert len(told) == 4


def test_where_nobody_sits_the_option_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "can_ask", lambda: False)
    _, chat = lets_in()
    with pytest.raises(Refused, match="--password-file FILE"):
        joining.with_password(CONFIG, chat)
    given = ClientConfig(host="h", nick="bob", password=SecretStr("wrong"))
    with pytest.raises(Refused) as refusal:
        joining.with_password(given, chat)
    assert str(refusal.value) == "No."


@pytest.mark.parametrize(
    "error", [Refused("No.", "nick_taken"), Refused("No."), CannotConnect("No.")]
)
def test_what_no_password_mends_is_passed_on(asked: list[str], error: ClientError) -> None:
    def chat(_: ClientConfig) -> int:
        raise error

    with pytest.raises(type(error)):
        joining.with_password(CONFIG, chat)
    assert asked == []


# ------------------------------------------------------------------ invites


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """A server that takes `bob`; the nicks that it was told, and what was trusted first."""
    told: list[str | None] = []

    def settle(host: str, port: int, wishes: Wishes) -> ByKey:
        assert (host, port) == (LINK.host, LINK.port)
        assert wishes == Wishes(ca_file=None, fingerprint=KEY, accept_new=False)
        return ByKey(KEY)

    def accept(link: InviteLink, nick: str | None, trust: object, _: Path, __: object) -> Accepted:
        assert (link, trust) == (LINK, ByKey(KEY))
        told.append(nick)
        if nick != "bob":
            raise Refused("No such nick.", "bad_nick" if nick is None else "nick_taken")
        return Accepted("bob", "#ops")

    monkeypatch.setattr(trusting, "settle", settle)
    monkeypatch.setattr(client_accept, "accept", accept)
    return told


def accept(nick: str | None) -> tuple[str, str, str | None]:
    loose = Wishes(ca_file=Path("ca.pem"), fingerprint="SHA256:" + "A" * 43, accept_new=True)
    return joining.accept(LINK.render(), nick, loose)


def test_an_invite_says_where_to_go_and_by_which_key(server: list[str | None]) -> None:
    assert accept("bob") == ("chat.example.org:7000", "bob", "#ops")
    assert server == ["bob"]


@pytest.mark.usefixtures("asked")
def test_a_person_is_asked_for_a_nick(
    server: list[str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = iter(["eve", "bob"])
    monkeypatch.setattr(joining, "_ask_nick", lambda: next(typed))
    assert accept(None)[1] == "bob"
    assert server == [None, "eve", "bob"]
    monkeypatch.setattr(joining, "_ask_nick", lambda: "eve")
    with pytest.raises(Refused, match="another one"):
        accept(None)


@pytest.mark.usefixtures("server")
def test_where_nobody_sits_the_nick_is_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "can_ask", lambda: False)
    with pytest.raises(Refused, match="--nick NICK"):
        accept(None)


def test_an_invite_that_is_used_up_is_not_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Accepted:
        raise Refused("Used up.", "auth_failed")

    monkeypatch.setattr(trusting, "settle", lambda *_: SYSTEM)
    monkeypatch.setattr(client_accept, "accept", refuse)
    with pytest.raises(Refused, match="Used up"):
        accept(None)
