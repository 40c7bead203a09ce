"""What is told of moderation: acts, rules of rooms, lists of bans, in words for a person.

Pure. In: events of the wire. Out: lines of text, made of what others wrote: make them harmless
before they reach a terminal.
"""

from __future__ import annotations

from datetime import datetime
from types import MappingProxyType
from typing import Final

from ..protocol.envelopes import Moderated, RoomIs, Sanction
from .entries import moment

#: What was done, with whom it was done to, the `place` (`#room`, `this server`), and `where` that
#: is (` in #room`, ` on this server`).
_ACTS: Final = MappingProxyType(
    {
        "kick": "put {who} out of {place}",
        "mute": "muted {who}{where}",
        "unmute": "let {who} speak again{where}",
        "ban": "banned {who} from {place}",
        "unban": "let {who} come to {place} again",
        "admit": "let {who} into {place}",
        "appoint": "made {who} a moderator of {place}",
        "dismiss": "took the rights of {who} back{where}",
        "hand_over": "handed {place} over to {who}",
    }
)
#: Acts that go on until they are undone, unless a time is named.
_LASTING: Final = frozenset({"mute", "ban"})


def act_of(event: Moderated, nick: str) -> str:
    """`ann muted bob in #lobby until 2026-01-31 13:00 UTC (shouting)`; of us it says `you`."""
    who = event.nick or event.account or event.address or "somebody"
    where = f" in {event.room}" if event.room else " on this server"
    place = event.room or "this server"
    said = _ACTS.get(event.act, event.act.replace("_", " ") + " {who}{where}")
    text = said.format(who="you" if who == nick else who, place=place, where=where)
    by = "you" if event.by == nick else event.by
    return f"{by} {text}{_terms(event.act, event.until, event.reason)}"


def rules_of(event: RoomIs) -> str:
    """`#den is private; owner ann; moderators bob; let in carol`."""
    states = [
        word
        for word, holds in (
            ("private", event.private),
            ("read-only", event.read_only),
            ("its topic is locked", event.topic_locked),
        )
        if holds
    ]
    parts = [f"{event.room} is {', '.join(states) if states else 'open to all'}"]
    parts.append(f"owner {event.owner}" if event.owner else "it has no owner")
    if event.moderators:
        parts.append(f"moderators {', '.join(event.moderators)}")
    if event.private and event.admitted:
        parts.append(f"let in {', '.join(event.admitted)}")
    return "; ".join(parts)


def sanction_of(row: Sanction) -> str:
    """`ban of bob by ann since 2026-01-31 12:00 UTC until … (spam)`."""
    who = row.nick or (f"account {row.account}" if row.account else row.address) or "somebody"
    since = _minute(row.since)
    return f"{row.act} of {who} by {row.by} since {since}{_terms(row.act, row.until, row.reason)}"


def _terms(act: str, until: str | None, reason: str | None) -> str:
    for_good = " for good" if act in _LASTING else ""
    return (f" until {_minute(until)}" if until else for_good) + (f" ({reason})" if reason else "")


def _minute(ts: str) -> str:
    found: datetime | None = moment(ts)
    return ts if found is None else f"{found:%Y-%m-%d %H:%M} UTC"
