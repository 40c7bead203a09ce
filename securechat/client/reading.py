"""One conversation read from a point on: to its head, or on and on.

    with Reading(ChatClient(config), "#lobby", note) as reading:
        welcome = reading.connect()
        reading.begin(after=12)
        for messages in reading.batches(follow=False): ...

For a client that was made with `reads=False`: what is read here is nobody else's cursor. Everything
happens in the thread of the caller; `note` takes sentences for the user. Raised
is the `ClientError` that ended the client, `Refused` where the conversation may not be read, and
`ClientError` where there is no such room: to join one would make it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from queue import Empty
from types import MappingProxyType, TracebackType
from typing import Any, Final, Self

from ..errors import ClientError, GaveUp, Refused
from ..protocol.envelopes import Error, HistoryPage, Joined, Posted, Trimmed, Welcome
from .client import ChatClient
from .courier import told_of_kept
from .entries import counted
from .events import (
    OWN_TROUBLE,
    ClientEvent,
    Draft,
    DraftState,
    Ended,
    Heard,
    Message,
    Offline,
    Online,
)

_BATCH: Final = 500
#: Seconds that leaving waits for messages which earlier runs had kept.
_FAREWELL: Final = 10.0


class Reading:
    """`head` is the last message that was there when we began; `seen` the last that was told."""

    def __init__(self, client: ChatClient, conversation: str, note: Callable[[str], None]) -> None:
        self.conversation = conversation
        self.head = self.seen = 0
        self._client = client
        self._note = note
        self._welcome: Welcome | None = None
        self._start: dict[str, int] = {}
        self._join: str | None = None
        self._look: str | None = None
        self._joined = False
        self._outage = ""
        self._messages: list[Posted] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._client.settle(_FAREWELL)
            while not self._client.events.empty():
                self._take(self._client.events.get())
        self._client.close(timeout=1.0)

    def connect(self) -> Welcome:
        """Wait until the server has greeted us."""
        self._client.start()
        while self._welcome is None:
            self._take(self._client.events.get())
        return self._welcome

    def begin(self, *, after: int | None = None, last: int | None = None) -> None:
        """Ask for what is behind `after`, or for the `last` messages."""
        if self.conversation[0] == "#":
            self._look = self._client.command("history", to=self.conversation, limit=1)
        while self._look is not None:
            self._take(self._client.events.get())
        self._start = {"after": after} if after is not None else {"last": last or 0}
        self._ask()
        while not self._joined:
            self._take(self._client.events.get())
        if after is not None and self.seen > after:
            self._tell_gone(self.seen)

    def _ask(self) -> None:
        self._join = self._client.command("join", room=self.conversation, **self._start)

    def batches(self, *, follow: bool) -> Iterator[list[Posted]]:
        """The messages in their order, as many at a time as are there; never an empty list.

        Without `follow` it ends when `head` was told.
        """
        while follow or self.seen < self.head:
            self._take(self._client.events.get())
            try:
                while len(self._messages) < _BATCH:
                    self._take(self._client.events.get_nowait())
            except Empty:
                pass
            messages, self._messages = self._messages, []
            if messages:
                yield messages

    # -------------------------------------------------------------- what happens

    def _take(self, event: ClientEvent) -> None:
        handler = _ON_EVENT.get(type(event))
        if handler is not None:
            handler(self, event)

    def _on_online(self, event: Online) -> None:
        if self._outage:
            self._note("connected again")
        self._welcome, self._outage = event.welcome, ""
        if event.held:
            self._note(f"sending {counted(event.held, 'message', 'messages')} again")
            self._client.confirm_drafts(True)

    def _on_offline(self, event: Offline) -> None:
        why = event.reason.partition(". ")[0]  # what to do about it is done by the client
        if event.retry_in is not None and why != self._outage:  # not again for each try
            self._note(f"connection lost ({why}); trying again")
        self._outage = why

    def _on_message(self, event: Message) -> None:
        if self._joined and event.conversation == self.conversation:
            self.seen = event.posted.seq
            self._messages.append(event.posted)

    def _on_heard(self, event: Heard) -> None:
        system = event.system
        if isinstance(system, Error):
            self._on_error(system)
        elif isinstance(system, HistoryPage) and system.re == self._look:
            self._look = None
        elif isinstance(system, Joined) and system.re is not None and system.re == self._join:
            self.conversation = system.room
            self.head = system.seq or 0
            self.seen = self.head if system.after is None else system.after
            self._joined = True
        elif isinstance(system, Trimmed) and system.to == self.conversation:
            self.seen = max(self.seen, system.after)
            self._tell_gone(system.after)

    def _on_error(self, error: Error) -> None:
        if error.code == OWN_TROUBLE:
            self._note(error.message)
        elif error.code == "offline":
            raise GaveUp("The link was lost before anything could be read; run it again.")
        elif error.re == self._look and error.code == "no_such_room":
            raise ClientError(
                f"there is no room {self.conversation}, or none that you may see; look at its name"
            )
        elif error.re == self._look:
            self._look = None  # whether it may be read, the join tells
        elif error.re == self._join and error.code == "already_joined":
            # A message that an earlier run had kept brought us in, where the room is now.
            self._client.command("leave", room=self.conversation)
            self._ask()
        elif error.re == self._join:
            raise Refused(error.message)

    def _tell_gone(self, seq: int) -> None:
        self._note(f"messages up to {seq:,} are not kept any more")

    def _on_draft(self, event: Draft) -> None:
        if event.state in (DraftState.SENT, DraftState.REFUSED):
            self._note(told_of_kept(event))

    def _on_ended(self, event: Ended) -> None:
        raise event.error or GaveUp("The client has ended.")


_ON_EVENT: Final[MappingProxyType[type[ClientEvent], Callable[[Reading, Any], None]]] = (
    MappingProxyType(
        {
            Online: Reading._on_online,
            Offline: Reading._on_offline,
            Message: Reading._on_message,
            Heard: Reading._on_heard,
            Draft: Reading._on_draft,
            Ended: Reading._on_ended,
        }
    )
)
