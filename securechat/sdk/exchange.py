"""One connection of a script: what is sent and asked waits here for its answer.

`client.client.ChatClient` does the work; one thread here takes what it tells, hands answers to who
waits for them and keeps events until somebody takes them. Every method may be called from any
thread. Raised are `Rejected` (the server said no to this one thing, with its `code`), `TimedOut`,
a `ClientError` (it is over) and `ValueError` (that cannot be sent at all).
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from ..chat.limits import TokenBucket
from ..client import events
from ..client.client import ChatClient, ClientConfig
from ..client.entries import is_whole
from ..client.events import DraftState
from ..errors import ClientError, Rejected, TimedOut
from ..protocol import envelopes as wire
from .values import Connected, Disconnected, Event, ServerInfo, message_of, server_of

log = logging.getLogger(__name__)

ANSWER_WITHIN: Final = 30.0
"""Seconds that the server has for an answer, or for an echo, unless the caller says otherwise."""

MOST_WAITING: Final = 50_000
"""Events that may wait to be received before no more is taken from the client."""


@dataclass(slots=True)
class _Answer:
    """What somebody waits for: the end of a draft, or all frames of an answer."""

    draft: events.Draft | None = None
    frames: list[wire.System] = field(default_factory=list)

    @property
    def is_there(self) -> bool:
        return self.draft is not None or (bool(self.frames) and is_whole(self.frames[-1]))


class Exchange:
    """What is said and asked over one `client`, whose events only the thread here takes.

    `own`: what we said ourselves is received too. `server`: who let us in; None: nobody has yet.
    `ended`: how it ended, None while it goes on.
    """

    def __init__(self, config: ClientConfig, *, own: bool) -> None:
        self.client = ChatClient(config)
        self.server: ServerInfo | None = None
        self.ended: events.Ended | None = None
        self._own = own
        self._changed = threading.Condition()  # guards everything here
        self._inbox: deque[Event] = deque()
        self._waiting: dict[str, _Answer] = {}
        self._entering = set(config.rooms)
        self._shut_out: wire.Error | None = None
        self._bucket: TokenBucket | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._take_all, name="chat-events", daemon=True)

    def open(self) -> None:
        """Connect, and wait until we are in all rooms of the config."""
        self.client.start()
        self._thread.start()
        with self._changed:
            self._wait(self._is_settled_in, ANSWER_WITHIN, "The server's welcome")
            if self._shut_out is not None:
                raise _rejection(self._shut_out)

    def close(self, reason: str | None, timeout: float) -> None:
        """Say goodbye and end, within `timeout` seconds; again does nothing."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self.client.close(reason, timeout)
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(timeout)

    def say(self, to: str, text: str, timeout: float | None, **keys: Any) -> events.Draft:
        """Send a message and wait for its echo; `keys` are those of `ChatClient.say`."""
        self._keep_pace(wire.Draft.cost)
        with self._changed:
            self._check_open()
            id = self.client.say(to, text, **keys)
            draft = self._await(id, timeout, f"The echo of our message to {to}").draft
        assert draft is not None
        if draft.state is DraftState.REFUSED:
            raise Rejected(draft.code, draft.reason)
        return draft

    def ask(self, name: str, **keys: Any) -> list[wire.System]:
        """The frames of the answer to a command; raises `Rejected` for an error."""
        self._keep_pace(wire.COMMANDS[name].cost)
        given = {key: value for key, value in keys.items() if value is not None}
        with self._changed:
            self._check_open()
            id = self.client.command(name, **given)
            frames = self._await(id, ANSWER_WITHIN, f"The answer to {name}").frames
        for frame in frames:
            if isinstance(frame, wire.Error):
                raise _rejection(frame)
        return frames

    def take(self, timeout: float | None) -> Event:
        """The next event, within `timeout` seconds."""
        with self._changed:
            self._wait(lambda: bool(self._inbox), timeout, "A message")
            self._changed.notify_all()
            return self._inbox.popleft()

    # -------------------------------------------------------------- waiting

    def _keep_pace(self, cost: int) -> None:
        """Wait until the server, by what it told us, looks at a frame of ours at once."""
        with self._changed:
            if self._bucket is not None:
                self._bucket.available(time.monotonic())
                delay = self._bucket.wait()
                self._bucket.charge(cost)
                if delay > 0:
                    self._changed.wait_for(lambda: self.ended is not None, delay)

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
        self._changed.wait_for(lambda: there() or self.ended is not None, timeout)
        if not there():
            self._check_open()
            raise TimedOut(f"{what} did not come within {timeout:g} s; it may still come.")

    def _check_open(self) -> None:
        if self.ended is not None:
            raise self.ended.error or ClientError("This chat is closed; connect again.")

    def _is_settled_in(self) -> bool:
        at_home = self.server is not None and not self._entering
        return at_home or self._shut_out is not None

    # -------------------------------------------------------------- the thread

    def _take_all(self) -> None:
        while True:
            event = self.client.events.get()
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
        self.server = server_of(event.welcome)
        if event.held:
            log.warning("%d messages of an earlier run are sent again", event.held)
            self.client.confirm_drafts(True)
        self._inbox.append(Connected(event.back and event.resumed and not event.new_epoch))

    def _on_offline(self, event: events.Offline) -> None:
        self._inbox.append(Disconnected(event.reason, event.retry_in))

    def _on_message(self, event: events.Message) -> None:
        if event.own and not self._own:
            self.client.acknowledge()
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
        self.ended = event


def _rejection(error: wire.Error) -> Rejected:
    return Rejected(error.code, error.message, error.retry_after)


_ON_EVENT: Final[MappingProxyType[type[Any], Callable[[Exchange, Any], None]]] = MappingProxyType(
    {
        events.Online: Exchange._on_online,
        events.Offline: Exchange._on_offline,
        events.Message: Exchange._on_message,
        events.Draft: Exchange._on_draft,
        events.Heard: Exchange._on_heard,
        events.Ended: Exchange._on_ended,
    }
)
