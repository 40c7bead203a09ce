"""What stands around the messages: conversations, people, the title and the status bar, as lines.

Pure: the timeline and the time go in, lines of spans come out, each as wide as it is to be shown.
All that comes from others is made harmless here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from rich.cells import cell_len

from ..client.conversations import Conversation
from ..client.harmless import harmless_line
from ..client.rooms import rooms_of
from ..client.timeline import Timeline
from . import keymap
from .drawing import Line, Lines, Span, Tint, fitted
from .keymap import Keymap

#: Lag below this is not worth a word.
NOTABLE_LAG: Final = timedelta(seconds=0.5)
#: In a narrower bar the state of the connection is worth more than who we are.
ROOM_FOR_NICK: Final = 50


def room_lines(timeline: Timeline, width: int, height: int) -> Lines:
    """The conversations, numbered as Alt-1 to Alt-9 reach them; what is shown is always in view."""
    names = rooms_of(timeline).names
    at = names.index(timeline.focus) if timeline.focus in names else 0
    first = max(0, min(at - height // 2, len(names) - height))
    return [
        _room_line(number, timeline.conversations[name], name == timeline.focus, width)
        for number, name in list(enumerate(names, 1))[first : first + height]
    ]


def _room_line(number: int, one: Conversation, shown: bool, width: int) -> Line:
    calls = f"!{one.mentions}" if one.mentions else ""
    counts = f" {one.unread}{calls}" if one.unread else ""
    key = f"{number} " if number <= 9 else "  "
    lead = ("▸" if shown else " ") + key
    room = width - cell_len(lead) - cell_len(counts)
    name = fitted(harmless_line(one.name), room)
    tint = Tint.STRONG if shown or one.unread else Tint.PLAIN
    name_span = Span(name, tint if one.joined else Tint.FAINT)
    gap = " " * (room - cell_len(name))
    loud = Tint.MENTION if calls else Tint.STRONG
    return [Span(lead, Tint.FAINT), name_span, Span(gap), Span(counts, loud)]


def people_lines(timeline: Timeline, width: int, height: int) -> Lines:
    """Who is in the room that is shown, and how many more."""
    here = timeline.conversations.get(timeline.focus or "")
    if here is None or not here.name.startswith("#"):
        return []
    nicks = list(here.people)
    hidden = max(here.count, len(nicks)) - height + 1
    listed = nicks if hidden <= 1 else nicks[: height - 1]
    lines = [_person_line(nick, nick in timeline.absences.others, width) for nick in listed]
    missing = max(here.count, len(nicks)) - len(listed)
    if missing > 0 and len(lines) < height:
        lines.append([Span(fitted(f"and {missing:,} more", width), Tint.FAINT)])
    return lines


def _person_line(nick: str, is_away: bool, width: int) -> Line:
    if is_away:
        return [Span(fitted(f"{harmless_line(nick)} (away)", width), Tint.FAINT)]
    return [Span(fitted(harmless_line(nick), width), Tint.NICK, nick)]


def title_line(timeline: Timeline, width: int) -> Line:
    """What is shown, and what it is about."""
    name = timeline.focus
    if name is None:
        return [Span(fitted(" You are in no room. /join lobby enters one.", width))]
    topic = timeline.conversation(name).topic
    told = f" {harmless_line(name)}" + (f" · {harmless_line(topic)}" if topic else "")
    return [Span(fitted(told, width), Tint.STRONG)]


def status_line(
    timeline: Timeline,
    now: datetime,
    width: int,
    *,
    hints: Sequence[str] = (),
    trust: str = "",
    lists_rooms: bool = True,
    keys: Keymap = keymap.DEFAULT,
) -> Line:
    """Room, people, connection, what is unsent, trust, lag when it is high.

    `hints` come first. `trust`: how the server is known. `lists_rooms`: what is new elsewhere is in
    sight; else it is told here. `keys` are those that are named.
    """
    parts = [Span(one, Tint.STRONG) for one in hints]
    here = timeline.conversations.get(timeline.focus or "")
    if here is not None:
        people = f" {here.count:,}" if here.name.startswith("#") else ""
        parts.append(Span(f"{harmless_line(here.name)}{people}"))
    if not lists_rooms:
        parts += _news(timeline)
    if width >= ROOM_FOR_NICK:
        parts.append(Span(harmless_line(timeline.nick), Tint.NICK, timeline.nick))
    if timeline.absences.mine is not None:
        parts.append(Span("away", Tint.STRONG))
    parts += _connection(timeline, now)
    if timeline.refused:
        parts.append(Span(_refused(timeline, keys.label("send-again")), Tint.ERROR))
    lag = timeline.lag(now)
    if timeline.online and lag >= NOTABLE_LAG:
        parts.append(Span(f"lag {lag.total_seconds():.1f} s", Tint.ERROR))
    if timeline.online:
        parts.append(Span(f"TLS 1.3, {trust}" if trust else "TLS 1.3"))
    parts.append(Span(f"{keys.label('help')} help", Tint.FAINT))
    return _joined(parts, width)


def _refused(timeline: Timeline, cure: str) -> str:
    """How many were refused, and how to send them again; or where, for that is done there."""
    told = f"{len(timeline.refused)} not sent"
    where = dict.fromkeys(draft.conversation for draft in timeline.refused.values())
    if timeline.focus in where:
        return f"{told}: {cure}"
    return f"{told} in {', '.join(map(harmless_line, where))}"


def _news(timeline: Timeline) -> list[Span]:
    """Conversations with something new, by the numbers that Alt-1 to Alt-9 reach them by."""
    news = [
        (number, timeline.conversations[name])
        for number, name in enumerate(rooms_of(timeline).names, 1)
        if timeline.conversations[name].unread
    ]
    loud = any(one.mentions for _, one in news)
    told = " ".join(f"{number}{'!' if one.mentions else ''}" for number, one in news)
    return [Span(f"new: {told}", Tint.MENTION if loud else Tint.STRONG)] if told else []


def _connection(timeline: Timeline, now: datetime) -> list[Span]:
    unsent = f", {len(timeline.drafts)} unsent" if timeline.drafts else ""
    if timeline.online:
        return [Span(f"connected{unsent}")]
    offline = [Span(f"offline{unsent}", Tint.ERROR)] if unsent else []
    if timeline.retry_at is None:
        return [*offline, Span("reconnecting" if timeline.server else "connecting", Tint.ERROR)]
    left = max(0, ceil((timeline.retry_at - now).total_seconds()))
    return [*offline, Span(f"reconnecting in {left} s", Tint.ERROR)]


def _joined(parts: Sequence[Span], width: int) -> Line:
    """The parts with bars between them, as many as fit."""
    line: Line = [Span(" ")]
    room = width - 1
    for number, part in enumerate(parts):
        bar = " │ " if number else ""
        if cell_len(bar + part.text) > room:
            line.append(Span(fitted(bar + part.text, room), part.tint))
            break
        line += [Span(bar, Tint.FAINT), part]
        room -= cell_len(bar + part.text)
    return line
