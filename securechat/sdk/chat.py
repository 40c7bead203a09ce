"""A chat for scripts: calls that wait for the answer and return it, or raise what went wrong.

    with securechat.connect("localhost", nick="bob", rooms="#lobby") as chat:
        receipt = chat.send("#lobby", "hello")
        for message in chat:
            ...

`exchange` does the waiting; here are the calls, and the values that they return. Every method may
be called from any thread. Raised are `Rejected` (the server said no to this one thing, with its
`code`), `TimedOut`, a `ClientError` (it is over) and `ValueError` (that cannot be sent at all).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TypeVar

from ..client.client import ClientConfig
from ..client.entries import moment
from ..client.found import conversation_of
from ..errors import ClientError
from ..protocol import envelopes as wire
from .exchange import ANSWER_WITHIN, Exchange
from .values import (
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
)

_System = TypeVar("_System", bound=wire.System)


class Chat:
    """One connection to a server, as long as it is open; `connect` makes it.

    `own`: what we said ourselves is received too.
    """

    def __init__(self, config: ClientConfig, *, own: bool) -> None:
        self._exchange = Exchange(config, own=own)
        self._at_work = 0  # messages that were received and are not yet done with
        self._counting = threading.Lock()  # guards that number

    def open(self) -> None:
        """Connect, and wait until we are in all rooms of the config; `connect` does it."""
        self._exchange.open()

    def close(self, reason: str | None = None, timeout: float = 3.0) -> None:
        """Say goodbye and end, within `timeout` seconds; again does nothing."""
        self._exchange.close(reason, timeout)

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
        return self._exchange.client.nick

    @property
    def online(self) -> bool:
        """Whether the link stands."""
        return self._exchange.client.online

    @property
    def server(self) -> ServerInfo:
        """Who let us in."""
        assert self._exchange.server is not None
        return self._exchange.server

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
        draft = self._exchange.say(to, text, timeout, action=action, reply_to=reply_to)
        assert draft.seq is not None
        return Receipt(draft.conversation, draft.seq, draft.id)

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
                with self._counting:
                    self._at_work += 1
                return event

    def __iter__(self) -> Iterator[Message]:
        """Messages of others as they come, until the chat is closed."""
        while True:
            try:
                yield self.receive()
            except ClientError:
                ended = self._exchange.ended
                if ended is not None and ended.error is None:
                    return
                raise

    def next_event(self, timeout: float | None = None) -> Event:
        """Messages, and how the link is, in the order in which it happened.

        Unlike `receive` it leaves it to the caller to `acknowledge` each message.
        """
        return self._exchange.take(timeout)

    def acknowledge(self) -> None:
        """We are done with one more message that `next_event` gave."""
        self._exchange.client.acknowledge()

    def _finish_work(self) -> None:
        with self._counting:
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
        frames = self._exchange.ask(name, **keys)
        return [frame for frame in frames if isinstance(frame, kind)]
