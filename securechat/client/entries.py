"""The lines of a conversation as values: what `Timeline` makes and every front end draws.

Texts are as others wrote them: make them harmless before they reach a terminal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from typing import Final

from ..protocol.envelopes import HistoryPage, Member, Posted, SearchPage, System
from .events import Draft

#: What stands in the place of a text that was erased.
REMOVED: Final = "(removed)"
_ORDINARY_ROLES: Final = frozenset({"", "member", "guest"})


class Kind(Enum):
    """What sort of line an entry is; decides how it is drawn, never what may be in it."""

    MESSAGE = "message"
    ACTION = "action"  # `text` is what `nick` does
    UNSENT = "unsent"  # our own, not stored yet; `note` says why
    REFUSED = "refused"  # our own, and it will not be stored; `note` says why
    NOTICE = "notice"  # comings, goings, topics
    ANSWER = "answer"  # what we asked for
    STATE = "state"  # how the link is
    ERROR = "error"  # a refusal, with its reason


class Move(Enum):
    """What a notice tells of one person's coming and going, for who wants to fold such notices."""

    CAME = "came"
    WENT = "went"


class Found(Enum):
    """What a message is to a search: one that was looked for, or one that stands near such a one.

    Entries of these belong to no conversation's lines: they are shown where somebody searched.
    """

    HIT = "hit"
    NEAR = "near"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a conversation, or of none (`conversation` is None).

    `at` is when it was said (messages) or heard (all else), in UTC. `missed`: said before we came
    or while we were away; `recalled`: from a page of history. `mention`: it is for us, by name or
    in a direct conversation; never set on what is our own, missed or recalled.
    `move`: the notice tells that `nick` came or went. `removes`: it tells that the message of that
    number was erased, so what shows the message shows `REMOVED` in its place from now on.
    """

    kind: Kind
    at: datetime
    text: str
    conversation: str | None = None
    nick: str = ""
    seq: int = 0
    reply_to: int | None = None
    own: bool = False
    missed: bool = False
    recalled: bool = False
    mention: bool = False
    note: str = ""
    move: Move | None = None
    removes: int = 0
    found: Found | None = None


def said(
    posted: Posted,
    conversation: str,
    heard: datetime,
    *,
    own: bool,
    missed: bool = False,
    recalled: bool = False,
    mention: bool = False,
    found: Found | None = None,
) -> Entry:
    """The entry of a message, stamped by the server; `heard` stands in for a stamp that is none."""
    return Entry(
        Kind.ACTION if posted.action and not posted.removed else Kind.MESSAGE,
        moment(posted.ts) or heard,
        text_of(posted),
        conversation,
        nick=posted.sender,
        seq=posted.seq,
        reply_to=posted.reply_to,
        own=own,
        missed=missed,
        recalled=recalled,
        mention=mention,
        found=found,
    )


def text_of(posted: Posted) -> str:
    """What a message says, to be shown."""
    return REMOVED if posted.removed else posted.text


def erased(entry: Entry) -> Entry:
    """The entry of a message whose text was erased meanwhile."""
    return replace(entry, kind=Kind.MESSAGE, text=REMOVED, mention=False)


def of_draft(kind: Kind, draft: Draft, at: datetime, nick: str, note: str) -> Entry:
    """The entry of a draft of ours that is not, or will not be, stored."""
    return Entry(kind, at, draft.text, draft.conversation, nick, own=True, note=note)


def is_whole(answer: System) -> bool:
    """Whether no further frame of this answer follows; a page of messages comes alone."""
    return isinstance(answer, HistoryPage | SearchPage) or not getattr(answer, "more", False)


def named(member: Member) -> str:
    """A member as lists show one: `carol (operator, link lost)`."""
    traits = [] if member.role in _ORDINARY_ROLES else [member.role.replace("_", " ")]
    traits += ["link lost"] if member.held else []
    traits += [f"away: {member.away}"] if member.away is not None else []
    return f"{member.nick} ({', '.join(traits)})" if traits else member.nick


def counted(number: int, one: str, many: str) -> str:
    """`1 person`, `2 people`."""
    return f"{number:,} {one if number == 1 else many}"


def seconds(delay: float) -> str:
    """A delay for people: `2 s`, `1 min`."""
    return f"{max(1, round(delay))} s" if delay < 90 else f"{round(delay / 60)} min"


def moment(ts: str) -> datetime | None:
    """The time that an RFC 3339 stamp tells, if it is one that every time zone can show."""
    try:
        moment = datetime.fromisoformat(ts)
    except ValueError:
        return None
    if moment.tzinfo is None or not 1 < moment.year < 9999:
        return None
    return moment.astimezone(UTC)
