"""What the server answers and tells that changes nothing in the view, as entries.

Pure. In come whole events (see `gathering`), the time and our nick; out come entries, whose texts
are as others wrote them: make them harmless before they reach a terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from ..protocol.envelopes import (
    AccountIs,
    Bye,
    ConversationList,
    Error,
    HelpIs,
    JokeIs,
    Members,
    Notice,
    RoomIs,
    RoomList,
    SanctionList,
    SearchPage,
    SessionList,
    System,
    TimeIs,
    Trimmed,
    WhoisIs,
)
from .cures import as_typed
from .entries import Entry, Kind, counted, named
from .events import OWN_TROUBLE
from .found import about, found_entries
from .told import rules_of, sanction_of


def entries_of(event: System, now: datetime, me: str) -> Iterable[Entry]:
    """What is told of `event`, if anything, to us who go by `me`. `now` in UTC."""
    teller = _ON_SYSTEM.get(type(event))
    return () if teller is None else teller(event, now, me)


def _members(event: Members, now: datetime, _me: str) -> Iterator[Entry]:
    text = f"{len(event.members):,} {f'in {event.room}' if event.room else 'online'}"
    if event.members:
        text += ": " + ", ".join(map(named, event.members))
    yield Entry(Kind.ANSWER, now, text, event.room)


def _rooms(event: RoomList, now: datetime, _me: str) -> Iterator[Entry]:
    if not event.rooms:
        yield Entry(Kind.ANSWER, now, "there are no rooms")
    for row in event.rooms:
        people = counted(row.members, "person", "people")
        topic = f"; topic: {row.topic}" if row.topic else ""
        yield Entry(Kind.ANSWER, now, f"{row.room}, {people}{topic}")


def _conversations(event: ConversationList, now: datetime, _me: str) -> Iterator[Entry]:
    if not event.conversations:
        yield Entry(Kind.ANSWER, now, "there are no direct conversations")
    for row in event.conversations:
        yield Entry(Kind.ANSWER, now, f"{row.to}, {counted(row.seq, 'message', 'messages')}")


def _sanctions(event: SanctionList, now: datetime, _me: str) -> Iterator[Entry]:
    if not event.bans:
        yield Entry(Kind.ANSWER, now, "nobody is banned or muted", event.room)
    for row in event.bans:
        yield Entry(Kind.ANSWER, now, sanction_of(row), event.room)


def _sessions(event: SessionList, now: datetime, _me: str) -> Iterator[Entry]:
    for row in event.sessions:
        here = "this one" if row.here else counted(row.connections, "connection", "connections")
        used = row.used[:16].replace("T", " ")
        text = f"{row.session}, {row.client or 'unnamed'}, last used {used} UTC, {here}"
        yield Entry(Kind.ANSWER, now, text)


def _help(event: HelpIs, now: datetime, _me: str) -> Iterator[Entry]:
    for row in event.commands:
        yield Entry(Kind.ANSWER, now, f"{row.usage}: {row.summary}")


def _rules(event: RoomIs, now: datetime, me: str) -> Iterator[Entry]:
    text = rules_of(event)
    if event.nick is None:
        yield Entry(Kind.ANSWER, now, text, event.room)
    else:
        by = "you" if event.nick == me else event.nick
        yield Entry(Kind.NOTICE, now, f"{by} changed the rules: {text}", event.room)


def _account(event: AccountIs, now: datetime, _me: str) -> Iterator[Entry]:
    ended = counted(event.ended, "other session", "other sessions")
    also = f"; {ended} ended" if event.ended else ""
    yield Entry(Kind.ANSWER, now, f"your account is {event.account}, {event.role}{also}")


def _time(event: TimeIs, now: datetime, _me: str) -> Iterator[Entry]:
    yield Entry(Kind.ANSWER, now, f"the server's time is {event.now}")


def _joke(event: JokeIs, now: datetime, _me: str) -> Iterator[Entry]:
    yield Entry(Kind.ANSWER, now, event.text)


def _trimmed(event: Trimmed, now: datetime, _me: str) -> Iterator[Entry]:
    yield Entry(Kind.NOTICE, now, "the server keeps no messages from before this", event.to)


def _notice(event: Notice, now: datetime, _me: str) -> Iterator[Entry]:
    yield Entry(Kind.NOTICE, now, f"the server says: {event.text}")


def _bye(event: Bye, now: datetime, _me: str) -> Iterator[Entry]:
    if event.reason == "logout":
        yield Entry(Kind.STATE, now, "you are logged out; the next time takes your password")


def _error(event: Error, now: datetime, _me: str) -> Iterator[Entry]:
    if event.code == OWN_TROUBLE:
        yield Entry(Kind.STATE, now, event.message)
    elif not event.fatal:  # else the link ends, and that is told
        yield Entry(Kind.ERROR, now, as_typed(event.message))


_Teller: TypeAlias = Callable[[Any, datetime, str], Iterable[Entry]]

_ON_SYSTEM: Final[Mapping[type[System], _Teller]] = MappingProxyType(
    {
        Members: _members,
        RoomList: _rooms,
        ConversationList: _conversations,
        SanctionList: _sanctions,
        SessionList: _sessions,
        HelpIs: _help,
        RoomIs: _rules,
        AccountIs: _account,
        SearchPage: found_entries,
        WhoisIs: about,
        TimeIs: _time,
        JokeIs: _joke,
        Trimmed: _trimmed,
        Notice: _notice,
        Bye: _bye,
        Error: _error,
    }
)
