"""What the threads of a client share, and nothing else is shared: requests in, events out.

Any thread may `post` and wait; the engine's thread takes requests and tells events. A wake-up is
written only for the first request of a batch.
"""

from __future__ import annotations

import threading
from collections import deque
from queue import SimpleQueue
from typing import Final

from ..errors import ClientError
from ..net.waker import Waker
from .events import ClientEvent, Draft, DraftState, Ended, Message, Offline, Online
from .requests import Request, Say

MOST_EVENTS: Final = 50_000
"""Events that a front end may leave waiting before no more is read from the server."""


class Mailbox:
    """Between a front end and the engine of one run.

    `acknowledges`: the front end says when it is done with a message (`acknowledge`); else it is
    as soon as it has taken it.
    """

    def __init__(self, *, acknowledges: bool = False) -> None:
        self.events: SimpleQueue[ClientEvent] = SimpleQueue()
        self.online = False
        self._changed = threading.Condition()  # guards everything below
        self._waker: Waker | None = None
        self._requests: deque[Request] = deque()
        self._ended = False
        self._greeted = False
        self._error: ClientError | None = None
        self._unsettled = 0
        self._settling = 0
        self._acknowledges = acknowledges
        self._messages = 0  # told; the engine's thread alone counts them
        self._done = 0  # of them, those that the front end is done with

    # -------------------------------------------------------------- any thread

    def open(self) -> None:
        """The engine is about to run; nothing is settled until it has called `adopt`."""
        with self._changed:
            self._waker = Waker()
            self._unsettled += 1

    def post(self, request: Request) -> None:
        """Hand a request to the engine; raises `ClientError` when it has ended."""
        with self._changed:
            if self._ended:
                raise ClientError("This client has ended; start another one.")
            self._requests.append(request)
            if isinstance(request, Say):
                self._unsettled += 1
            if len(self._requests) == 1 and self._waker is not None:
                self._waker.wake()

    def wake(self) -> None:
        """Make the engine look around; harmless once it has ended."""
        with self._changed:
            if self._waker is not None:
                self._waker.wake()

    def acknowledge(self) -> None:
        """The front end is done with one more message."""
        with self._changed:
            self._done += 1

    def wait_settled(self, timeout: float | None, left: int = 0) -> bool:
        """Wait until at most `left` drafts are neither echoed nor refused; False if in vain."""
        with self._changed:
            self._settling += 1
            try:
                self._changed.wait_for(lambda: self._unsettled <= left or self._ended, timeout)
                return self._unsettled <= left
            finally:
                self._settling -= 1

    def wait_greeted(self, timeout: float) -> ClientError | None:
        """Wait until the server was there once, or the engine has ended; then what ended it."""
        with self._changed:
            self._changed.wait_for(lambda: self._greeted or self._ended, timeout)
            return self._error

    # -------------------------------------------------------------- the engine's thread

    def fileno(self) -> int:
        """What to select on for a wake-up."""
        return -1 if self._waker is None else self._waker.fileno()

    def take(self) -> deque[Request]:
        """All requests that have come since the last time."""
        with self._changed:
            if self._waker is not None:
                self._waker.drain()
            requests, self._requests = self._requests, deque()
        return requests

    def adopt(self, drafts: int) -> None:
        """So many drafts of earlier runs are to be settled too; said once."""
        with self._changed:
            self._unsettled += drafts - 1
            self._changed.notify_all()

    def tell(self, event: ClientEvent) -> None:
        """Hand an event to the front end."""
        kind = type(event)
        if kind is Online:
            self.online = True
            self._note_greeted()
        elif kind is Offline:
            self.online = False
        elif kind is Message:
            self._messages += 1
        self.events.put(event)
        if isinstance(event, Draft) and event.state in (DraftState.SENT, DraftState.REFUSED):
            with self._changed:
                self._unsettled -= 1
                if self._settling:
                    self._changed.notify_all()

    def _note_greeted(self) -> None:
        with self._changed:
            self._greeted = True
            self._changed.notify_all()

    @property
    def is_idle(self) -> bool:
        """Whether the front end is done with all that it was told."""
        if self._acknowledges:
            return self._done == self._messages
        return self.events.empty()

    @property
    def is_behind(self) -> bool:
        """Whether the front end should take events before more is read.

        Not while somebody waits for drafts to settle: perhaps nobody else is there to take them.
        """
        return self.events.qsize() > MOST_EVENTS and not self._settling

    def refuse_more(self) -> deque[Request]:
        """From now on nothing is taken; what has come last."""
        with self._changed:
            self._ended = True
            self.online = False
            return self._requests

    def end(self, error: ClientError | None) -> None:
        """Tell that it is over; the very last thing."""
        self._error = error
        self.refuse_more()
        with self._changed:
            if self._waker is not None:
                self._waker.close()
                self._waker = None
            self.events.put(Ended(error))
            self._changed.notify_all()
