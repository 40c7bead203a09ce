"""What every front end draws: conversations with their lines, people, topics and unread counts.

In comes each `ClientEvent`, in order, with the time; out come the entries that are new, and the
model stands as it should be shown. No thread, clock, socket or screen; nothing is raised.
Everything is bounded, so a client can run for months.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from ..protocol.envelopes import (
    MAX_TEXT,
    AwayIs,
    CommandHelp,
    Count,
    HelpIs,
    HistoryPage,
    Joined,
    Left,
    Level,
    Members,
    Moderated,
    Removed,
    Renamed,
    System,
    TopicIs,
)
from .absences import Absences
from .answers import entries_of
from .conversations import Conversation, dispensable, rename_key
from .cures import as_typed
from .entries import (
    Entry,
    Kind,
    Move,
    counted,
    erased,
    of_draft,
    said,
    seconds,
)
from .events import (
    CaughtUp,
    ClientEvent,
    Connecting,
    Draft,
    DraftState,
    Ended,
    Heard,
    Message,
    Offline,
    Online,
)
from .found import context_entries
from .gathering import Gathering
from .lag import Lag
from .told import act_of
from .unsent import Unsent

MAX_LINES: Final = 2_000


class Timeline:
    """The view model; feed it every event of one client, from one thread.

    `drafts` are those of our own messages of which we do not know yet that they were stored,
    by id, oldest first; `refused` those that will not be, until somebody forgets them. `retry_at`:
    the connection is lost, and tried again then. `correspondent`: the direct conversation in which
    somebody else spoke last. What nicks in `ignored` say makes no entries and is counted nowhere.
    `tells_attempts`: a lost link is told of again when an attempt fails for another reason.
    """

    def __init__(
        self,
        nick: str,
        *,
        max_lines: int = MAX_LINES,
        ignored: Container[str] = (),
        tells_attempts: bool = True,
    ) -> None:
        self.online = False
        self.server = ""
        self.max_text = MAX_TEXT
        self.focus: str | None = None
        self.correspondent: str | None = None
        self.conversations: dict[str, Conversation] = {}
        self._unsent = Unsent()
        self.drafts, self.refused = self._unsent.drafts, self._unsent.refused
        self.retry_at: datetime | None = None
        self.server_commands: tuple[CommandHelp, ...] = ()
        self.ignored = ignored
        self.absences = Absences()
        self._contexts: dict[str, int] = {}
        self._max_lines = max_lines
        self._tells_attempts = tells_attempts
        self._quiet: set[str] = set()
        self._gathering = Gathering()
        self._lag = Lag()
        self._told_waiting = False
        self._outage = ""
        self._words: tuple[str, ...] = ()
        self._call_me(nick)

    # ------------------------------------------------------------------ asked by a front end

    def heed(self, words: Iterable[str]) -> None:
        """Take these words for calls, too, beside our nick."""
        self._words = tuple(words)
        self._call_me(self.nick)

    def look_at(self, name: str | None) -> None:
        """Show conversation `name` (None: none); what is in it counts as read from now on."""
        self.focus = name
        if name is not None:
            conversation = self.conversation(name)
            conversation.unread = conversation.mentions = 0

    def conversation(self, name: str) -> Conversation:
        """The conversation of that name, begun here if it is new to us."""
        found = self.conversations.get(name)
        if found is None:
            for forgotten in dispensable(self.conversations, self.focus):
                del self.conversations[forgotten]
            lines: deque[Entry] = deque(maxlen=self._max_lines)
            found = Conversation(name, joined=name.startswith("@"), lines=lines)
            self.conversations[name] = found
        return found

    def reopen(self, names: Iterable[str]) -> None:
        """Have the direct conversations among `names` again; rooms are joined instead."""
        for name in names:
            if name.startswith("@"):
                self.conversation(name)

    def close_unused(self, name: str) -> None:
        """Forget a direct conversation in which nothing was said that is stored, or may be."""
        known = self.conversations.get(name) if name.startswith("@") else None
        if known is None or self.unsent(name) or any(line.seq for line in known.lines):
            return
        del self.conversations[name]
        if self.focus == name:
            self.step_back()

    def step_back(self) -> None:
        """What is shown is no more: show the room that we entered last, if there is one."""
        rooms = [one.name for one in self.conversations.values() if one.joined]
        self.look_at(next((name for name in reversed(rooms) if name[0] == "#"), None))

    def hush(self, command_id: str) -> None:
        """Take the answer to that command into the model without making entries of it."""
        self._quiet.add(command_id)

    def expect_context(self, command_id: str, seq: int) -> None:
        """The answer to that `history` is what stands around message `seq`, found by a search."""
        self._contexts[command_id] = seq

    def overdue(self, now: datetime) -> tuple[Entry, ...]:
        """Drafts that have been on their way for `OVERDUE`; each is told once. `now` in UTC."""
        return tuple(
            of_draft(Kind.UNSENT, draft, now, self.nick, "sending")
            for draft in self._unsent.take_overdue(now)
        )

    def unsent(self, name: str | None) -> list[Draft]:
        """What we said in conversation `name` and is not stored, what was refused first."""
        return self._unsent.of(name)

    def lag(self, now: datetime) -> timedelta:
        """How long our echo takes to come. `now` in UTC."""
        return self._lag.at(now)

    @property
    def farewell(self) -> timedelta | None:
        """How long our echoes took, if there is one to wait for before we leave."""
        return self._lag.latest if self.online and self.drafts else None

    # ------------------------------------------------------------------ told by the client

    def feed(self, event: ClientEvent, now: datetime) -> tuple[Entry, ...]:
        """Take one event in; return the entries that it makes, in order. `now` in UTC."""
        entries = tuple(_ON_EVENT[type(event)](self, event, now))
        for entry in entries:
            if entry.conversation is not None and entry.kind in _KEPT and not entry.recalled:
                self.conversation(entry.conversation).lines.append(entry)
        return entries

    def _connecting(self, event: Connecting, now: datetime) -> Iterator[Entry]:
        self.retry_at = None
        if event.attempt == 1 and not self._outage:
            yield Entry(Kind.STATE, now, f"connecting to {event.host} port {event.port}")

    def _online(self, event: Online, now: datetime) -> Iterator[Entry]:
        welcome = event.welcome
        self.online, self._told_waiting, self._outage = True, False, ""
        self.retry_at = None
        self.server, self.max_text = welcome.server, welcome.limits.max_text
        self._call_me(welcome.nick)
        if event.new_epoch:
            yield Entry(Kind.STATE, now, "the server began a new history; the old one is gone")
        if not event.back:
            yield Entry(Kind.STATE, now, f"connected to {welcome.server} as {welcome.nick}")
            if welcome.motd:
                yield Entry(Kind.NOTICE, now, welcome.motd)

    def _caught_up(self, event: CaughtUp, now: datetime) -> Iterator[Entry]:
        yield Entry(Kind.STATE, now, f"back: {event.missed} missed, {event.sent} sent")

    def _offline(self, event: Offline, now: datetime) -> Iterator[Entry]:
        tells_why = self._tells_attempts and event.reason != self._outage
        news = self.online or not self._outage or tells_why  # not once more for each attempt
        self.online, self._outage = False, event.reason
        why = event.reason.partition(". ")[0]  # what to do about it is done by the client
        self._quiet.clear()
        self._gathering.clear()
        self._contexts.clear()
        self._unsent.lose_link()
        self._lag.lost()
        self.retry_at = None if event.retry_in is None else now + timedelta(seconds=event.retry_in)
        if event.retry_in is None:
            yield Entry(Kind.STATE, now, f"connection lost ({why})")
        elif news:
            again = f"trying again in {seconds(event.retry_in)}"
            yield Entry(Kind.STATE, now, f"connection lost ({why}); {again}")

    def _message(self, event: Message, now: datetime) -> Iterator[Entry]:
        posted, name = event.posted, event.conversation
        conversation = self.conversation(name)
        mention = False
        if event.own:
            self._lag.arrived(posted.id, now)
            self._unsent.settle(posted.id)
        elif posted.sender in self.ignored:
            return
        else:
            conversation.spoke(posted.sender)
            is_direct = name.startswith("@")
            self.correspondent = name if is_direct else self.correspondent
            for_us = is_direct or self._mention.search(posted.text) is not None
            mention = for_us and not event.missed and not posted.removed
            if name != self.focus and not posted.removed:
                conversation.unread += 1
                conversation.mentions += mention
        yield said(posted, name, now, own=event.own, missed=event.missed, mention=mention)

    def _draft(self, event: Draft, now: datetime) -> Iterator[Entry]:
        before = self.drafts.get(event.id)
        if event.state in (DraftState.SENT, DraftState.REFUSED):
            self._lag.arrived(event.id, now)
        if event.state is DraftState.SENT:
            self._unsent.settle(event.id)
        elif event.state is DraftState.REFUSED:
            event = replace(event, reason=as_typed(event.reason))
            self._unsent.refuse(event)
            yield of_draft(Kind.REFUSED, event, now, self.nick, event.reason)
        elif event.state is DraftState.SENDING:
            self._unsent.send(event, now)
            self._lag.sent(event.id, now)
        else:
            self._unsent.wait(event)
            if self._outage and not self._told_waiting:
                self._told_waiting = True
                yield Entry(Kind.STATE, now, "waiting for the connection to send what you say")
            if before is None or before.state is not DraftState.WAITING:
                note = "waiting" if self._outage else f"waiting: {event.reason}"
                yield of_draft(Kind.UNSENT, event, now, self.nick, note)

    def _heard(self, event: Heard, now: datetime) -> Iterator[Entry]:
        system = self._gathering.take(event.system)
        if system is None:  # more of it follows
            return
        handler = _ON_SYSTEM.get(type(system))
        if handler is None:
            entries = tuple(entries_of(system, now, self.nick))
        else:
            entries = tuple(handler(self, system, now))
        if system.re not in self._quiet:
            yield from entries
        else:
            self._quiet.discard(system.re)

    def _ended(self, _event: Ended, _now: datetime) -> Iterator[Entry]:
        self.online = False
        yield from ()

    # ------------------------------------------------------------------ system events

    def _removed(self, event: Removed, now: datetime) -> Iterator[Entry]:
        """Take a text away wherever it is held, and tell of it."""
        lines = self.conversation(event.to).lines
        whose = ""
        for index, line in enumerate(lines):
            if line.seq == event.seq:
                whose = "their" if line.nick == event.nick else f"{line.nick}'s"
                lines[index] = erased(line)
        by = "you" if event.nick == self.nick else event.nick
        what = f"{whose or 'a'} message".replace("their", "your" if by == "you" else "their")
        text = f"{by} removed {what} ({event.seq:,})"
        yield Entry(Kind.NOTICE, now, text, event.to, event.nick, removes=event.seq)

    def _moderated(self, event: Moderated, now: datetime) -> Iterator[Entry]:
        gone = event.act in ("kick", "ban") and event.nick == self.nick
        if event.room is not None and gone and event.room in self.conversations:
            self.conversations[event.room].joined = False
        yield Entry(Kind.NOTICE, now, act_of(event, self.nick), event.room)

    def _joined(self, event: Joined, now: datetime) -> Iterator[Entry]:
        conversation = self.conversation(event.room)
        if event.re is None:
            conversation.came(event.nick)
            text = f"{event.nick} joined"
            yield Entry(Kind.NOTICE, now, text, event.room, event.nick, move=Move.CAME)
            return
        again, conversation.joined = conversation.joined, True
        conversation.count, conversation.topic = event.count or 0, event.topic or ""
        if not again:
            here = counted(conversation.count, "person", "people")
            topic = f"; topic: {conversation.topic}" if conversation.topic else ""
            yield Entry(Kind.NOTICE, now, f"you are in {event.room}, {here}{topic}", event.room)

    def _left(self, event: Left, now: datetime) -> Iterator[Entry]:
        conversation = self.conversation(event.room)
        conversation.went(event.nick)
        why = f" ({event.reason})" if event.reason else ""
        if event.re is None:
            text = f"{event.nick} left{why}"
            yield Entry(Kind.NOTICE, now, text, event.room, event.nick, move=Move.WENT)
        else:
            conversation.joined = False
            yield Entry(Kind.NOTICE, now, f"you left {event.room}{why}", event.room)

    def _renamed(self, event: Renamed, now: datetime) -> Iterator[Entry]:
        if event.old == event.nick:
            return
        self.absences.rename(event.old, event.nick)
        for conversation in self.conversations.values():
            conversation.rename(event.old, event.nick)
        if event.old == self.nick:
            self._call_me(event.nick)
            yield Entry(Kind.NOTICE, now, f"you go by {event.nick} now")
            return
        old, new = f"@{event.old}", f"@{event.nick}"
        if old in self.conversations and new not in self.conversations:
            self.conversations[old].name = new
            rename_key(self.conversations, old, new)
            self.focus = new if self.focus == old else self.focus
        self.correspondent = new if self.correspondent == old else self.correspondent
        yield Entry(Kind.NOTICE, now, f"{event.old} goes by {event.nick} now")

    def _count(self, event: Count, _now: datetime) -> Iterator[Entry]:
        self.conversation(event.room).count = event.count
        yield from ()

    def _level(self, event: Level, _now: datetime) -> Iterator[Entry]:
        conversation = self.conversation(event.room)
        conversation.count, conversation.topic = event.count, event.topic
        yield from ()

    def _members(self, event: Members, now: datetime) -> Iterable[Entry]:
        self.absences.see(event.members)
        if event.room is not None:
            self.conversation(event.room).holds(who.nick for who in event.members)
        return entries_of(event, now, self.nick)

    def _topic_is(self, event: TopicIs, now: datetime) -> Iterator[Entry]:
        self.conversation(event.room).topic = event.text
        if event.nick is None:
            text = f"topic of {event.room}: {event.text}" if event.text else "no topic is set"
            yield Entry(Kind.ANSWER, now, text, event.room)
        else:
            change = f"set the topic: {event.text}" if event.text else "took the topic away"
            yield Entry(Kind.NOTICE, now, f"{event.nick} {change}", event.room)

    def _history(self, event: HistoryPage, now: datetime) -> Iterator[Entry]:
        seq = self._contexts.pop(event.re or "", None)
        if seq is not None:
            yield from context_entries(event, seq, now, self.nick)
            return
        lines = self.conversation(event.to).lines
        held = {line.seq for line in lines}
        page = [
            said(posted, event.to, now, own=posted.sender == self.nick, recalled=True)
            for posted in event.messages
            if posted.sender == self.nick or posted.sender not in self.ignored
        ]
        for entry in reversed(page):
            if entry.seq not in held and len(lines) < self._max_lines:
                lines.appendleft(entry)
        if not event.messages:
            yield Entry(Kind.ANSWER, now, "there are no messages", event.to)
        yield from page

    def _away_is(self, event: AwayIs, now: datetime) -> Iterator[Entry]:
        return self.absences.take(event, now, self.nick, self.conversations)

    def _help_is(self, event: HelpIs, now: datetime) -> Iterable[Entry]:
        self.server_commands = event.commands
        return entries_of(event, now, self.nick)

    # ------------------------------------------------------------------ state

    def _call_me(self, nick: str) -> None:
        self.nick = nick
        words = "|".join(map(re.escape, (nick, *self._words)))
        self._mention = re.compile(rf"(?<![\w-])(?:{words})(?![\w-])", re.IGNORECASE)


#: What goes into the lines of a conversation; the rest is told once.
_KEPT: Final = frozenset({Kind.MESSAGE, Kind.ACTION, Kind.NOTICE, Kind.REFUSED})

_Handler = Callable[[Timeline, Any, datetime], Iterable[Entry]]

_ON_EVENT: Final[Mapping[type, _Handler]] = MappingProxyType(
    {
        Connecting: Timeline._connecting,
        Online: Timeline._online,
        CaughtUp: Timeline._caught_up,
        Offline: Timeline._offline,
        Message: Timeline._message,
        Draft: Timeline._draft,
        Heard: Timeline._heard,
        Ended: Timeline._ended,
    }
)

_ON_SYSTEM: Final[Mapping[type[System], _Handler]] = MappingProxyType(
    {
        Joined: Timeline._joined,
        Left: Timeline._left,
        Renamed: Timeline._renamed,
        Count: Timeline._count,
        Level: Timeline._level,
        Members: Timeline._members,
        TopicIs: Timeline._topic_is,
        HistoryPage: Timeline._history,
        AwayIs: Timeline._away_is,
        HelpIs: Timeline._help_is,
        Removed: Timeline._removed,
        Moderated: Timeline._moderated,
    }
)
