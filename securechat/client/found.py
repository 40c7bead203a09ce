"""What a search found, what was said around it, and what is told of a person: as entries.

Pure: events of the server go in, entries come out, oldest first, so that the newest stands where
one types. They belong to no conversation's lines; each names the one that it comes from.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ..protocol.envelopes import HistoryPage, Posted, SearchPage, WhoisIs
from .entries import Entry, Found, Kind, counted, moment, said, seconds


def conversation_of(posted: Posted, me: str) -> str:
    """Where a message was said, as one who goes by `me` names that."""
    return posted.to if posted.to[0] == "#" or posted.sender == me else f"@{posted.sender}"


def found_entries(page: SearchPage, now: datetime, me: str) -> Iterator[Entry]:
    """What was found, and a word how to go on."""
    for posted in reversed(page.messages):
        name, own = conversation_of(posted, me), posted.sender == me
        yield said(posted, name, now, own=own, recalled=True, found=Found.HIT)
    if not page.messages:
        yield Entry(Kind.ANSWER, now, "nothing was found")
        return
    example = conversation_of(page.messages[0], me)
    older = "; /more shows older ones" if page.more else ""
    told = f"{counted(len(page.messages), 'message', 'messages')} found{older}"
    cure = f"/context {example} {page.messages[0].seq}"
    yield Entry(Kind.ANSWER, now, f"{told}; to see one among the others: {cure}")


def context_entries(page: HistoryPage, seq: int, now: datetime, me: str) -> Iterator[Entry]:
    """What was said around message `seq`, which is marked."""
    for posted in page.messages:
        found = Found.HIT if posted.seq == seq else Found.NEAR
        own = posted.sender == me
        yield said(posted, page.to, now, own=own, recalled=True, found=found)
    if not any(posted.seq == seq for posted in page.messages):
        yield Entry(Kind.ANSWER, now, f"message {seq:,} of {page.to} is not there (any more)")


def about(person: WhoisIs, now: datetime, me: str) -> Iterator[Entry]:
    """What is told of one person."""
    kind = "has an account" if person.account else "is a guest"
    role = "" if person.role in ("guest", "member", "") else f", {person.role}"
    yield Entry(Kind.ANSWER, now, f"{person.nick} {kind}{role}; {_whereabouts(person)}")
    if person.away is not None:
        yield Entry(Kind.ANSWER, now, f"{person.nick} is away: {person.away}")
    if person.rooms:
        who = "you are" if person.nick == me else "you are both"
        yield Entry(Kind.ANSWER, now, f"{who} in {', '.join(person.rooms)}")


def _whereabouts(person: WhoisIs) -> str:
    if person.online:
        idle = person.idle or 0
        return "online" if idle < 60 else f"online, quiet for {duration(idle)}"
    if person.held:
        return "the link was just lost"
    seen = moment(person.seen) if person.seen is not None else None
    return "not online" if seen is None else f"not online since {seen:%Y-%m-%d %H:%M} UTC"


def duration(length: int) -> str:
    """A length of time for people: `40 s`, `12 min`, `5 h`, `3 days`."""
    if length < 5_400:
        return seconds(length)
    hours = round(length / 3_600)
    return f"{hours} h" if hours < 48 else f"{round(hours / 24)} days"
