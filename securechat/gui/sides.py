"""What stands around the messages, as text: conversations, people, title, state, empty rooms.

Pure: the timeline and the time go in. All that comes from others is made harmless here.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil
from typing import Final, NamedTuple

from ..client.conversations import Conversation
from ..client.entries import counted
from ..client.harmless import harmless_line
from ..client.rooms import rooms_of
from ..client.timeline import Timeline

#: Lag below this is not worth a word.
NOTABLE_LAG: Final = timedelta(seconds=0.5)


class Line(NamedTuple):
    """A conversation in the list. `badge` is what is new in it: `3`, or `3 @1` if one calls us."""

    name: str
    text: str
    badge: str
    is_loud: bool
    is_new: bool
    is_gone: bool


class State(NamedTuple):
    """How things stand, also in few words; `is_bad`: to be seen at once."""

    text: str
    brief: str
    is_bad: bool


def lines_of(timeline: Timeline) -> list[Line]:
    """The conversations, in the order of the list."""
    return [_line(timeline.conversations[name]) for name in rooms_of(timeline).names]


def _line(one: Conversation) -> Line:
    badge = str(one.unread) if one.unread else ""
    if one.mentions and one.name.startswith("#"):
        badge += f" @{one.mentions}"
    return Line(
        one.name,
        harmless_line(one.name),
        badge,
        is_loud=one.mentions > 0,
        is_new=one.unread > 0,
        is_gone=not one.joined,
    )


def people_of(timeline: Timeline) -> list[str]:
    """The nicks in the room that is shown, as they are on the wire."""
    here = timeline.conversations.get(timeline.focus or "")
    if here is None or not here.name.startswith("#"):
        return []
    return sorted(here.people, key=str.casefold)


def people_heading(timeline: Timeline) -> str:
    """`3 people`; empty where there is no room."""
    here = timeline.conversations.get(timeline.focus or "")
    if here is None or not here.name.startswith("#"):
        return ""
    return counted(max(here.count, len(here.people)), "person", "people")


def title_of(timeline: Timeline) -> tuple[str, str]:
    """What is shown, and what it is about."""
    name = timeline.focus
    if name is None:
        return "No room", "Join one with the button on the left."
    if name.startswith("@"):
        return harmless_line(name[1:]), "between the two of you"
    return harmless_line(name), harmless_line(timeline.conversation(name).topic)


def window_title(timeline: Timeline) -> str:
    """For the task bar: how much is new, where one is, and whether that is offline."""
    known = timeline.conversations.values()
    calls = sum(one.mentions for one in known)
    unread = sum(one.unread for one in known)
    lead = f"({unread}!) " if calls else f"({unread}) " if unread else ""
    where = f"{harmless_line(timeline.focus)} · " if timeline.focus else ""
    offline = "" if timeline.online else " · offline"
    return f"{lead}{where}{harmless_line(timeline.nick)} · securechat{offline}"


def state_of(timeline: Timeline, now: datetime) -> State:
    """The connection, what is unsent, lag when it is high. `now` in UTC."""
    unsent = counted(len(timeline.drafts), "message", "messages")
    waiting = f", {unsent} on the way" if timeline.drafts else ""
    refused = f" · {len(timeline.refused)} not sent" if timeline.refused else ""
    if not timeline.online:
        waiting = f", {unsent} waiting" if timeline.drafts else ""
        if timeline.retry_at is None:
            return State(f"Connecting …{waiting}{refused}", "Connecting …", is_bad=True)
        left = max(0, ceil((timeline.retry_at - now).total_seconds()))
        text = f"Offline, trying again in {left} s{waiting}{refused}"
        return State(text, f"Offline, {left} s", is_bad=True)
    lag = timeline.lag(now)
    slow = f" · slow: {lag.total_seconds():.1f} s" if lag >= NOTABLE_LAG else ""
    return State(
        f"Connected, private on the way (TLS 1.3){waiting}{slow}{refused}",
        f"{len(timeline.refused)} not sent" if refused else "Slow" if slow else "Connected",
        is_bad=bool(slow or refused),
    )


def placeholder(timeline: Timeline) -> str:
    """What stands where nothing was said yet."""
    name = timeline.focus
    if name is None:
        return "You are in no room.\nJoin one with Ctrl-J, or write to somebody with Ctrl-K."
    if name.startswith("@"):
        who = harmless_line(name[1:])
        return f"Nothing was said yet.\nWhat you write here only {who} can read."
    return f"Nothing was said in {harmless_line(name)} yet.\nSay hello!"
