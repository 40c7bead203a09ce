"""What every front end draws: conversations with their lines, people, topics and unread counts.

In comes each `ClientEvent`, in order, with the time; out come the entries that are new, and the
model stands as it should be shown. No thread, clock, socket or screen; nothing is raised.
Everything is bounded, so a client can run for months.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, TypeVar

from ..protocol.envelopes import (
    MAX_TEXT,
    AccountIs,
    AwayIs,
    Bye,
    CommandHelp,
    ConversationList,
    Count,
    Error,
    HelpIs,
    HistoryPage,
    Joined,
    JokeIs,
    Left,
    Level,
    Members,
    Moderated,
    Notice,
    Removed,
    Renamed,
    RoomIs,
    RoomList,
    SanctionList,
    SearchPage,
    SessionList,
    System,
    TimeIs,
    TopicIs,
    Trimmed,
    WhoisIs,
)
from .absences import Absences
from .entries import (
    Entry,
    Kind,
    Move,
    counted,
    erased,
    is_whole,
    named,
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
from .found import about, context_entries, found_entries
from .lag import Lag
from .told import act_of, rules_of, sanction_of

MAX_LINES: Final = 2_000
MAX_CONVERSATIONS: Final = 500
MAX_PEOPLE: Final = 1_000
MAX_DRAFTS: Final = 1_000
#: Rows of one answer that comes in several frames, and answers that may be under way.
MAX_ROWS: Final = 20_000
MAX_ANSWERS: Final = 100

#: A draft that is on its way for longer is shown as such.
OVERDUE: Final = timedelta(seconds=2)

#: The code of an error that the client made about itself: its files on disk.
OWN_TROUBLE: Final = "state"

_Row = TypeVar("_Row")


@dataclass(slots=True)
class Conversation:
    """A room or a direct conversation, as a front end shows it."""

    name: str
    joined: bool
    lines: deque[Entry]
    topic: str = ""
    count: int = 0
    unread: int = 0
    mentions: int = 0
    people: dict[str, None] = field(default_factory=dict)
    speakers: dict[str, None] = field(default_factory=dict)  # the latest last

    def latest_speakers(self) -> list[str]:
        """Who spoke here, other than us, the latest first."""
        return list(reversed(self.speakers))


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
        self.drafts: dict[str, Draft] = {}
        self.refused: dict[str, Draft] = {}
        self.retry_at: datetime | None = None
        self.server_commands: tuple[CommandHelp, ...] = ()
        self.ignored = ignored
        self.absences = Absences()
        self._contexts: dict[str, int] = {}
        self._max_lines = max_lines
        self._tells_attempts = tells_attempts
        self._quiet: set[str] = set()
        self._rows: dict[str, list[Any]] = {}
        self._sending_since: dict[str, datetime] = {}
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
            self._make_way()
            lines: deque[Entry] = deque(maxlen=self._max_lines)
            found = Conversation(name, joined=name.startswith("@"), lines=lines)
            self.conversations[name] = found
        return found

    def reopen(self, names: Iterable[str]) -> None:
        """Have the direct conversations among `names` again; rooms are joined instead."""
        for name in names:
            if name.startswith("@"):
                self.conversation(name)

    def hush(self, command_id: str) -> None:
        """Take the answer to that command into the model without making entries of it."""
        self._quiet.add(command_id)

    def expect_context(self, command_id: str, seq: int) -> None:
        """The answer to that `history` is what stands around message `seq`, found by a search."""
        self._contexts[command_id] = seq

    def overdue(self, now: datetime) -> tuple[Entry, ...]:
        """Drafts that have been on their way for `OVERDUE`; each is told once. `now` in UTC."""
        late = [key for key, since in self._sending_since.items() if now - since >= OVERDUE]
        for key in late:
            del self._sending_since[key]
        return tuple(
            of_draft(Kind.UNSENT, self.drafts[key], now, self.nick, "sending") for key in late
        )

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
        self._rows.clear()
        self._contexts.clear()
        self._sending_since.clear()
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
            self._settle(posted.id)
        elif posted.sender in self.ignored:
            return
        else:
            _put_last(conversation.speakers, posted.sender)
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
            self._settle(event.id)
        elif event.state is DraftState.REFUSED:
            self._settle(event.id)
            self._keep_refused(event)
            yield of_draft(Kind.REFUSED, event, now, self.nick, event.reason)
        elif event.state is DraftState.SENDING:
            self._remember(event)
            self._sending_since[event.id] = now
            self._lag.sent(event.id, now)
        else:
            self._remember(event)
            self._sending_since.pop(event.id, None)
            if self._outage and not self._told_waiting:
                self._told_waiting = True
                yield Entry(Kind.STATE, now, "waiting for the connection to send what you say")
            if before is None or before.state is not DraftState.WAITING:
                note = "waiting" if self._outage else f"waiting: {event.reason}"
                yield of_draft(Kind.UNSENT, event, now, self.nick, note)

    def _heard(self, event: Heard, now: datetime) -> Iterator[Entry]:
        handler = _ON_SYSTEM.get(type(event.system))
        if handler is None:  # pings, a welcome, events of later servers
            return
        entries = tuple(handler(self, event.system, now))
        if event.system.re not in self._quiet:
            yield from entries
        elif is_whole(event.system):
            self._quiet.discard(event.system.re)

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

    def _room_is(self, event: RoomIs, now: datetime) -> Iterator[Entry]:
        text = rules_of(event)
        if event.nick is None:
            yield Entry(Kind.ANSWER, now, text, event.room)
        else:
            by = "you" if event.nick == self.nick else event.nick
            yield Entry(Kind.NOTICE, now, f"{by} changed the rules: {text}", event.room)

    def _sanctions_are(self, event: SanctionList, now: datetime) -> Iterator[Entry]:
        rows = self._gather(event, event.bans)
        if rows is not None and not rows:
            yield Entry(Kind.ANSWER, now, "nobody is banned or muted", event.room)
        for row in rows or ():
            yield Entry(Kind.ANSWER, now, sanction_of(row), event.room)

    def _joined(self, event: Joined, now: datetime) -> Iterator[Entry]:
        conversation = self.conversation(event.room)
        if event.re is None:
            conversation.count += 1
            _put_last(conversation.people, event.nick)
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
        conversation.people.pop(event.nick, None)
        conversation.count = max(0, conversation.count - 1)
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
            for names in (conversation.people, conversation.speakers):
                if event.old in names:
                    _rename_key(names, event.old, event.nick)
        if event.old == self.nick:
            self._call_me(event.nick)
            yield Entry(Kind.NOTICE, now, f"you go by {event.nick} now")
            return
        old, new = f"@{event.old}", f"@{event.nick}"
        if old in self.conversations and new not in self.conversations:
            self.conversations[old].name = new
            _rename_key(self.conversations, old, new)
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

    def _trimmed(self, event: Trimmed, now: datetime) -> Iterator[Entry]:
        yield Entry(Kind.NOTICE, now, "the server keeps no messages from before this", event.to)

    def _members(self, event: Members, now: datetime) -> Iterator[Entry]:
        members = self._gather(event, event.members)
        if members is None:
            return
        self.absences.see(members)
        if event.room is not None:
            conversation = self.conversation(event.room)
            conversation.people = dict.fromkeys(who.nick for who in members[:MAX_PEOPLE])
            conversation.count = len(members)
        text = f"{len(members):,} {f'in {event.room}' if event.room else 'online'}"
        if members:
            text += ": " + ", ".join(map(named, members))
        yield Entry(Kind.ANSWER, now, text, event.room)

    def _rooms_are(self, event: RoomList, now: datetime) -> Iterator[Entry]:
        rooms = self._gather(event, event.rooms)
        if rooms is not None and not rooms:
            yield Entry(Kind.ANSWER, now, "there are no rooms")
        for row in rooms or ():
            people = counted(row.members, "person", "people")
            topic = f"; topic: {row.topic}" if row.topic else ""
            yield Entry(Kind.ANSWER, now, f"{row.room}, {people}{topic}")

    def _conversations_are(self, event: ConversationList, now: datetime) -> Iterator[Entry]:
        rows = self._gather(event, event.conversations)
        if rows is not None and not rows:
            yield Entry(Kind.ANSWER, now, "there are no direct conversations")
        for row in rows or ():
            yield Entry(Kind.ANSWER, now, f"{row.to}, {counted(row.seq, 'message', 'messages')}")

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

    def _search_is(self, event: SearchPage, now: datetime) -> Iterator[Entry]:
        return found_entries(event, now, self.nick)

    def _away_is(self, event: AwayIs, now: datetime) -> Iterator[Entry]:
        return self.absences.take(event, now, self.nick, self.conversations)

    def _whois_is(self, event: WhoisIs, now: datetime) -> Iterator[Entry]:
        return about(event, now, self.nick)

    def _time_is(self, event: TimeIs, now: datetime) -> Iterator[Entry]:
        yield Entry(Kind.ANSWER, now, f"the server's time is {event.now}")

    def _joke_is(self, event: JokeIs, now: datetime) -> Iterator[Entry]:
        yield Entry(Kind.ANSWER, now, event.text)

    def _account_is(self, event: AccountIs, now: datetime) -> Iterator[Entry]:
        ended = counted(event.ended, "other session", "other sessions")
        also = f"; {ended} ended" if event.ended else ""
        yield Entry(Kind.ANSWER, now, f"your account is {event.account}, {event.role}{also}")

    def _sessions_are(self, event: SessionList, now: datetime) -> Iterator[Entry]:
        for row in self._gather(event, event.sessions) or ():
            here = "this one" if row.here else counted(row.connections, "connection", "connections")
            used = row.used[:16].replace("T", " ")
            text = f"{row.session}, {row.client or 'unnamed'}, last used {used} UTC, {here}"
            yield Entry(Kind.ANSWER, now, text)

    def _bye(self, event: Bye, now: datetime) -> Iterator[Entry]:
        if event.reason == "logout":
            yield Entry(Kind.STATE, now, "you are logged out; the next time takes your password")

    def _notice_is(self, event: Notice, now: datetime) -> Iterator[Entry]:
        yield Entry(Kind.NOTICE, now, f"the server says: {event.text}")

    def _help_is(self, event: HelpIs, now: datetime) -> Iterator[Entry]:
        rows = self._gather(event, event.commands)
        if rows is not None:
            self.server_commands = tuple(rows)
            for row in rows:
                yield Entry(Kind.ANSWER, now, f"{row.usage}: {row.summary}")

    def _error(self, event: Error, now: datetime) -> Iterator[Entry]:
        if event.code == OWN_TROUBLE:
            yield Entry(Kind.STATE, now, event.message)
        elif not event.fatal:  # else the link ends, and that is told
            yield Entry(Kind.ERROR, now, event.message)

    # ------------------------------------------------------------------ state

    def _call_me(self, nick: str) -> None:
        self.nick = nick
        words = "|".join(map(re.escape, (nick, *self._words)))
        self._mention = re.compile(rf"(?<![\w-])(?:{words})(?![\w-])", re.IGNORECASE)

    def _remember(self, draft: Draft) -> None:
        self.drafts[draft.id] = draft
        if len(self.drafts) > MAX_DRAFTS:
            self._settle(next(iter(self.drafts)))

    def _keep_refused(self, draft: Draft) -> None:
        self.refused[draft.id] = draft
        if len(self.refused) > MAX_DRAFTS:
            del self.refused[next(iter(self.refused))]

    def _settle(self, draft_id: str) -> None:
        self.drafts.pop(draft_id, None)
        self._sending_since.pop(draft_id, None)

    def _make_way(self) -> None:
        """Forget the oldest conversation that is neither shown, nor a room of ours, nor unread."""
        if len(self.conversations) < MAX_CONVERSATIONS:
            return
        dispensable = [
            name
            for name, known in self.conversations.items()
            if name != self.focus and not (known.joined and name.startswith("#"))
        ]
        read = [name for name in dispensable if not self.conversations[name].unread]
        for name in (read or dispensable)[:1]:
            del self.conversations[name]

    def _gather(self, event: System, rows: Sequence[_Row]) -> list[_Row] | None:
        """All rows of an answer once its last frame is there; None before."""
        key = event.re or ""
        if len(self._rows) > MAX_ANSWERS:
            self._rows.clear()
        gathered = self._rows.setdefault(key, [])
        gathered += rows[: MAX_ROWS - len(gathered)]
        return self._rows.pop(key) if is_whole(event) else None


def _put_last(names: dict[str, None], name: str) -> None:
    names.pop(name, None)
    names[name] = None
    if len(names) > MAX_PEOPLE:
        del names[next(iter(names))]


def _rename_key(table: dict[str, Any], old: str, new: str) -> None:
    """Give a key another name and keep its place, which is its rank."""
    table.pop(new, None)
    items = [(new if key == old else key, value) for key, value in table.items()]
    table.clear()
    table.update(items)


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
        Trimmed: Timeline._trimmed,
        Members: Timeline._members,
        RoomList: Timeline._rooms_are,
        ConversationList: Timeline._conversations_are,
        TopicIs: Timeline._topic_is,
        HistoryPage: Timeline._history,
        SearchPage: Timeline._search_is,
        AwayIs: Timeline._away_is,
        WhoisIs: Timeline._whois_is,
        TimeIs: Timeline._time_is,
        JokeIs: Timeline._joke_is,
        AccountIs: Timeline._account_is,
        Bye: Timeline._bye,
        SessionList: Timeline._sessions_are,
        Notice: Timeline._notice_is,
        HelpIs: Timeline._help_is,
        Removed: Timeline._removed,
        Moderated: Timeline._moderated,
        RoomIs: Timeline._room_is,
        SanctionList: Timeline._sanctions_are,
        Error: Timeline._error,
    }
)
