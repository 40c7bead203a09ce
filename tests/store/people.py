"""ann, bob and eve, and what they say: for the tests of every store."""

from __future__ import annotations

from securechat.protocol.envelopes import Posted
from securechat.records import (
    KeepIdentity,
    Known,
    NewMessage,
    Outcome,
)

from .folders import ANN, BOB, EVE, posted


def identity(number: int, nick: str) -> KeepIdentity:
    return KeepIdentity(number, nick, bytes([number]) * 32, 1.0)


PEOPLE = [identity(ANN, "ann"), identity(BOB, "bob"), identity(EVE, "eve")]


def message(
    id: str,
    text: str = "hi",
    *,
    to: str = "#a",
    by: int = ANN,
    key: str = "",
    reply_to: int | None = None,
    action: bool = False,
) -> NewMessage:
    nick = {record.identity: record.nick for record in PEOPLE}[by]
    return NewMessage(key or to, by, id, to, nick, text, reply_to, action)


def frame(outcome: Outcome) -> Posted:
    """The chat in a `Known`."""
    assert isinstance(outcome, Known)
    return posted(outcome.payload)


def kind(outcome: Outcome) -> type[Outcome]:
    """What an outcome is: those that say nothing more are equal as tuples."""
    return type(outcome)
