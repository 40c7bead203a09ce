"""A chat for scripts: calls that wait for the answer and return it, or raise what went wrong.

    with securechat.connect("localhost", nick="bob", rooms="#lobby") as chat:
        receipt = chat.send("#lobby", "hello")
        for message in chat:
            ...

`client.client.ChatClient` does the work; one thread here takes what it tells, hands answers to who
waits for them and keeps messages until somebody receives them. Every method may be called from any
thread. Raised are `Rejected` (the server said no to this one thing, with its `code`), `TimedOut`,
a `ClientError` (it is over) and `ValueError` (that cannot be sent at all).
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType, TracebackType
from typing import Any, Final, TypeVar

from ..chat.limits import TokenBucket
from ..client import events
from ..client.client import ChatClient, ClientConfig
from ..client.entries import is_whole, moment
from ..client.events import DraftState
from ..client.found import conversation_of
from ..errors import ClientError, Rejected, TimedOut
from ..protocol import envelopes as wire
from .values import (
    Connected,
    Disconnected,
    Event,
    Found,
    Member,
    Message,
    Page,
    Person,
    Receipt,
    Room,
    ServerInfo,
    message_of,
    person_of,
    server_of,
)

log = logging.getLogger(__name__)

ANSWER_WITHIN: Final = 30.0
"""Seconds that the server has for an answer, or for an echo, unless the caller says otherwise."""

MOST_WAITING: Final = 50_000
"""Events that may wait to be received before no more is taken from the client."""

_System = TypeVar("_System", bound=wire.System)


@dataclass(slots=True)
class _Answer:
    """What somebody waits for: the end of a draft, or all frames of an answer."""

    draft: events.Draft | None = None
    frames: list[wire.System] = field(default_factory=list)

    @property
    def is_there(self) -> bool:
        return self.draft is not None or (bool(self.frames) and is_whole(self.frames[-1]))


class Chat:
    """One connection to a server, as long as it is open; `connect` makes it.

    `own`: what we said ourselves is received too.
    """

    def __init__(self, config: ClientConfig, *, own: bool) -> None:
        self._own = own
        self._client = ChatClient(config)
        self._changed = threading.Condition()  # guards everything below
        self._inbox: deque[Event] = deque()
        self._waiting: dict[str, _Answer] = {}
        self._entering = set(config.rooms)
        self._shut_out: wire.Error | None = None
        self._server: ServerInfo | None = None
        self._bucket: TokenBucket | None = None
        self._at_work = 0  # messages that were received and are not yet done with
        self._closing = False
        self._ended: events.Ended | None = None
        self._thread = threading.Thread(target=self._take_all, name="chat-events", daemon=True)

    def open(self) -> None:
        """Connect, and wait until we are in all rooms of the config; `connect` does it."""
        self._client.start()
        self._thread.start()
        with self._changed:
            self._wait(self._is_settled_in, ANSWER_WITHIN, "The server's welcome")
            if self._shut_out is not None:
                raise _rejection(self._shut_out)

    def close(self, reason: str | None = None, timeout: float = 3.0) -> None:
        """Say goodbye and end, within `timeout` seconds; again does nothing."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._client.close(reason, timeout)
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(timeout)

    def __enter__(self) -> Chat:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self._finish_work()
        self.close()

    # -------------------------------------------------------------- for reading

    @property
    def nick(self) -> str:
        """The nick we go by."""
        return self._client.nick

    @property
    def online(self) -> bool:
        """Whether the link stands."""
        return self._client.online

    @property
    def server(self) -> ServerInfo:
        """Who let us in."""
        assert self._server is not None
        return self._server

    # -------------------------------------------------------------- send, receive

    def send(
        self,
        to: str,
        text: str,
        *,
        action: bool = False,
        reply_to: int | None = None,
        timeout: float | None = ANSWER_WITHIN,
    ) -> Receipt:
        """Say `text` to a room or `@nick`, and wait until it is on the server's disk.

        `action`: it is what we do (`/me`). `reply_to`: the `seq` of a message of the same
        conversation. Raises `Rejected` when it was not taken; `TimedOut` when its echo did not
        come, be it for want of a link: it is still sent as soon as it can be, and once.
        """
        self._keep_pace(wire.Draft.cost)
        with self._changed:
            self._check_open()
            id = self._client.say(to, text, action=action, reply_to=reply_to)
            draft = self._await(id, timeout, f"The echo of our message to {to}").draft
        assert draft is not None
        if draft.state is DraftState.REFUSED:
            raise Rejected(draft.code, draft.reason)
        assert draft.seq is not None
        return Receipt(draft.conversation, draft.seq, id)

    def receive(self, timeout: float | None = None) -> Message:
        """The next message of others; raises `TimedOut` when none came within `timeout` seconds.

        With `since="last"` a message counts as seen when the next one is asked for, or the `with`
        block is left without an error.
        """
        self._finish_work()
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            event = self.next_event(left)
            if isinstance(event, Message):
                with self._changed:
                    self._at_work += 1
                return event

    def __iter__(self) -> Iterator[Message]:
        """Messages of others as they come, until the chat is closed."""
        while True:
            try:
                yield self.receive()
            except ClientError:
                if self._ended is not None and self._ended.error is None:
                    return
                raise

    def next_event(self, timeout: float | None = None) -> Event:
        """Messages, and how the link is, in the order in which it happened.

        Unlike `receive` it leaves it to the caller to `acknowledge` each message.
        """
        with self._changed:
            self._wait(lambda: bool(self._inbox), timeout, "A message")
            self._changed.notify_all()
            return self._inbox.popleft()

    def acknowledge(self) -> None:
        """We are done with one more message that `next_event` gave."""
        self._client.acknowledge()

    def _finish_work(self) -> None:
        with self._changed:
            while self._at_work:
                self._at_work -= 1
                self.acknowledge()

    # -------------------------------------------------------------- commands

    def join(self, room: str, *, after: int | None = None, last: int | None = None) -> Room:
        """Enter a room; messages come behind `after`, or begin with the `last` ones, or now."""
        [joined] = self._ask(wire.Joined, "join", room=room, after=after, last=last)
        return Room(joined.room, joined.count or 0, joined.topic or "", joined.seq or 0)

    def leave(self, room: str) -> None:
        """Leave a room."""
        self._ask(wire.Left, "leave", room=room)

    def who(self, room: str | None = None) -> tuple[Member, ...]:
        """Who is in `room`, or online at all."""
        frames = self._ask(wire.Members, "who", room=room)
        return tuple(
            Member(one.nick, one.role, one.held, one.away)
            for frame in frames
            for one in frame.members
        )

    def rooms(self) -> tuple[Room, ...]:
        """The rooms of the server."""
        frames = self._ask(wire.RoomList, "rooms")
        rows = [row for frame in frames for row in frame.rooms]
        return tuple(Room(row.room, row.members, row.topic, row.seq) for row in rows)

    def history(
        self,
        conversation: str,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int = 50,
    ) -> Page:
        """The last messages before `before`, or at all; or the first ones behind `after`."""
        keys = {"before": before, "after": after, "limit": limit}
        [page] = self._ask(wire.HistoryPage, "history", to=conversation, **keys)
        now, nick = datetime.now(UTC), self.nick
        return Page(
            tuple(
                message_of(one, conversation, now, own=one.sender == nick, missed=True)
                for one in page.messages
            ),
            page.more,
        )

    def search(
        self, query: str, *, to: str | None = None, limit: int = 50, before: str | None = None
    ) -> Found:
        """The newest messages that `query` finds (docs/protocol.md, "Search"), or in `to` alone.

        `before`: the `next` of an earlier page. Raises `Rejected` (`bad_query`, `no_such_room` …).
        """
        keys = {"query": query, "to": to, "limit": limit, "before": before}
        [page] = self._ask(wire.SearchPage, "search", **keys)
        now, nick = datetime.now(UTC), self.nick
        return Found(
            tuple(
                message_of(
                    one, conversation_of(one, nick), now, own=one.sender == nick, missed=True
                )
                for one in page.messages
            ),
            page.next if page.more else None,
        )

    def whois(self, nick: str) -> Person:
        """Who goes by `nick`; raises `Rejected` (`no_such_user`)."""
        [answer] = self._ask(wire.WhoisIs, "whois", nick=nick)
        return person_of(answer)

    def away(self, text: str) -> None:
        """Be away, with a word why; those who share a room or talk with us are told."""
        self._ask(wire.AwayIs, "away", text=text)

    def back(self) -> None:
        """Be back."""
        self._ask(wire.AwayIs, "away")

    def topic(self, room: str, text: str | None = None) -> str:
        """What a room is about; with `text`, from now on."""
        [topic] = self._ask(wire.TopicIs, "topic", room=room, text=text)
        return topic.text

    def change_nick(self, nick: str) -> str:
        """Go by another nick; the one that we got."""
        [renamed] = self._ask(wire.Renamed, "nick", nick=nick)
        return renamed.nick

    def server_time(self) -> datetime:
        """The server's clock."""
        [answer] = self._ask(wire.TimeIs, "time")
        return moment(answer.now) or datetime.now(UTC)

    def _ask(self, kind: type[_System], name: str, **keys: Any) -> list[_System]:
        """The frames of the answer to a command; raises `Rejected` for an error."""
        self._keep_pace(wire.COMMANDS[name].cost)
        given = {key: value for key, value in keys.items() if value is not None}
        with self._changed:
            self._check_open()
            id = self._client.command(name, **given)
            frames = self._await(id, ANSWER_WITHIN, f"The answer to {name}").frames
        for frame in frames:
            if isinstance(frame, wire.Error):
                raise _rejection(frame)
        return [frame for frame in frames if isinstance(frame, kind)]

    # -------------------------------------------------------------- waiting

    def _keep_pace(self, cost: int) -> None:
        """Wait until the server, by what it told us, looks at a frame of ours at once."""
        with self._changed:
            if self._bucket is not None:
                self._bucket.available(time.monotonic())
                delay = self._bucket.wait()
                self._bucket.charge(cost)
                if delay > 0:
                    self._changed.wait_for(lambda: self._ended is not None, delay)

    def _await(self, id: str, timeout: float | None, what: str) -> _Answer:
        """Wait for the answer to `id`; called with the lock that was held when it was sent."""
        answer = self._waiting[id] = _Answer()
        self._changed.notify_all()
        try:
            self._wait(lambda: answer.is_there, timeout, what)
        finally:
            del self._waiting[id]
        return answer

    def _wait(self, there: Callable[[], bool], timeout: float | None, what: str) -> None:
        self._changed.wait_for(lambda: there() or self._ended is not None, timeout)
        if not there():
            self._check_open()
            raise TimedOut(f"{what} did not come within {timeout:g} s; it may still come.")

    def _check_open(self) -> None:
        if self._ended is not None:
            raise self._ended.error or ClientError("This chat is closed; connect again.")

    def _is_settled_in(self) -> bool:
        at_home = self._server is not None and not self._entering
        return at_home or self._shut_out is not None

    # -------------------------------------------------------------- the thread

    def _take_all(self) -> None:
        while True:
            event = self._client.events.get()
            with self._changed:
                self._changed.wait_for(self._has_room)
                handler = _ON_EVENT.get(type(event))
                if handler is not None:
                    handler(self, event)
                self._changed.notify_all()
            if isinstance(event, events.Ended):
                return

    def _has_room(self) -> bool:
        """Whether more may be taken; who waits for an answer perhaps never receives."""
        return len(self._inbox) < MOST_WAITING or bool(self._waiting) or self._closing

    def _on_online(self, event: events.Online) -> None:
        limits = event.welcome.limits
        # Half of what the server takes at once is left to what the client says by itself.
        half, now = max(1, limits.burst // 2), time.monotonic()
        self._bucket = TokenBucket(limits.rate, half, now) if limits.rate > 0 else None
        self._server = server_of(event.welcome)
        if event.held:
            log.warning("%d messages of an earlier run are sent again", event.held)
            self._client.confirm_drafts(True)
        self._inbox.append(Connected(event.back and event.resumed and not event.new_epoch))

    def _on_offline(self, event: events.Offline) -> None:
        self._inbox.append(Disconnected(event.reason, event.retry_in))

    def _on_message(self, event: events.Message) -> None:
        if event.own and not self._own:
            self._client.acknowledge()
            return
        now = datetime.now(UTC)
        message = message_of(
            event.posted, event.conversation, now, own=event.own, missed=event.missed
        )
        self._inbox.append(message)

    def _on_draft(self, event: events.Draft) -> None:
        answer = self._waiting.get(event.id)
        if answer is not None and event.state in (DraftState.SENT, DraftState.REFUSED):
            answer.draft = event

    def _on_heard(self, event: events.Heard) -> None:
        system = event.system
        answer = None if system.re is None else self._waiting.get(system.re)
        if answer is not None:
            answer.frames.append(system)
        elif isinstance(system, wire.Joined) and system.re is not None:
            self._entering.discard(system.room)
        elif isinstance(system, wire.Error):
            if self._entering and system.re is not None:
                self._shut_out = system  # the first that the client asks for are the rooms
            else:
                log.warning("%s", system.message)

    def _on_ended(self, event: events.Ended) -> None:
        self._ended = event


def _rejection(error: wire.Error) -> Rejected:
    return Rejected(error.code, error.message, error.retry_after)


_ON_EVENT: Final[MappingProxyType[type[Any], Callable[[Chat, Any], None]]] = MappingProxyType(
    {
        events.Online: Chat._on_online,
        events.Offline: Chat._on_offline,
        events.Message: Chat._on_message,
        events.Draft: Chat._on_draft,
        events.Heard: Chat._on_heard,
        events.Ended: Chat._on_ended,
    }
)
