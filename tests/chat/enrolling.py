"""People with accounts, for the stage: made, logged in, and what they hear."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from securechat.protocol.envelopes import (
    AccountIs,
    Register,
    Welcome,
)

from .stage import Person, Stage

GOOD, OTHER = SecretStr("tulips in the rain"), SecretStr("rain in the tulips")
WRONG = SecretStr("nobody knows this")
DAY = 86_400.0


def account(heard: list[Any]) -> AccountIs:
    """The one answer about an account."""
    [event] = heard
    assert isinstance(event, AccountIs), event
    return event


def settled(person: Person, seconds: float = 5.0) -> list[Any]:
    """What is heard when as much time has passed as the slowest answer takes."""
    person.stage.wait(seconds)
    return person.hears()


def registered(stage: Stage, nick: str = "ann", *rooms: str) -> Person:
    person = stage.enter(nick, *rooms)
    account(person.ask(Register, password=GOOD))
    return person


def logged_in(stage: Stage, nick: str = "ann", password: SecretStr = GOOD) -> Person:
    person = stage.connection()
    [welcome] = person.tell(person.hello(nick, password=password)[1])
    assert isinstance(welcome, Welcome), welcome
    return person
