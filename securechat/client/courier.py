"""Messages with a receipt: each one posted is stored on the server, refused, or kept for later.

    courier = Courier(ChatClient(config), config.state_dir, note)
    courier.start()
    courier.wait_online(10.0)
    courier.post("#lobby", "hello")
    for receipt in courier.settle(10.0): ...
    courier.close()

One thread, "courier", takes the client's events; every method may be called from any other. `note`
is called from that thread, with sentences for the user. Raised is `ClientError`: by `post` when the
client has ended. `error` is why it has; None: it has not, or was closed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any, Final

from ..errors import ClientError
from ..protocol.envelopes import MAX_TEXT, Error
from .client import ChatClient
from .entries import counted
from .events import (
    OWN_TROUBLE,
    STORAGE,
    ClientEvent,
    Draft,
    DraftState,
    Ended,
    Heard,
    Offline,
    Online,
)
from .outbox import secure
from .private import describe

#: Seconds for the client to write to its journal what it was handed.
_JOURNAL_WITHIN: Final = 5.0


class Fate(Enum):
    """What became of a message."""

    STORED = "stored"  # on the server's disk, under `seq`
    REFUSED = "refused"  # not sent again; `reason` says why
    KEPT = "kept"  # in the outbox on our disk: sent by the next client that reaches the server
    LOST = "lost"  # neither; `reason` says why


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one message."""

    id: str
    to: str
    fate: Fate
    seq: int | None = None
    reason: str = ""
    code: str = ""


class Courier:
    """Posts through one client, and knows what became of each message.

    `folder` is where that client keeps its outbox; None: it has none.
    """

    def __init__(
        self, client: ChatClient, folder: Path | None, note: Callable[[str], None]
    ) -> None:
        self._client = client
        self._folder = folder
        self._note = note
        self._thread = threading.Thread(target=self._take_all, name="courier", daemon=True)
        self._changed = threading.Condition()  # guards everything below
        self._posted: dict[str, str] = {}  # id: address, in order
        self._drafts: dict[str, Draft] = {}  # the last that was heard of each
        self._progress = 0
        self._greeted = self._ended = self._stalled = False
        self._trouble = "the server could not be reached in time"
        self._no_entry: str | None = None
        self.max_text = MAX_TEXT
        self.error: ClientError | None = None

    def start(self) -> None:
        """Begin to connect."""
        self._client.start()
        self._thread.start()

    def wait_online(self, timeout: float) -> bool:
        """Wait until the server has greeted us, and `max_text` is its own; False: in vain."""
        with self._changed:
            self._changed.wait_for(lambda: self._greeted or self._ended, timeout)
            return self._greeted and not self._ended

    def post(self, to: str, text: str) -> str:
        """Send `text`, now or when there is a link; the id of its receipt."""
        with self._changed:  # so that nothing is heard of it before it is known as ours
            id = self._client.say(to, text)
            self._posted[id] = to
        return id

    def settle(self, patience: float) -> list[Receipt]:
        """What became of all that was posted, once all of it is decided.

        What is not `patience` seconds after the last sign of progress is forced to our own disk.
        What earlier runs had kept is waited for as well.
        """
        with self._changed:
            seen = -1
            while not (self._is_settled() or self._ended) and seen != self._progress:
                seen = self._progress
                self._changed.wait_for(partial(self._has_moved, seen), patience)
            # What the client was handed is in its journal as soon as anything is heard of it.
            self._changed.wait_for(
                lambda: self._posted.keys() <= self._drafts.keys() or self._ended, _JOURNAL_WITHIN
            )
            drafts = {id: self._drafts.get(id) for id in self._posted}
            addresses = dict(self._posted)
        undecided = {id for id, draft in drafts.items() if not _is_decided(draft)}
        kept, why_not = self._secure() if undecided else (frozenset[str](), "")
        return [self._receipt(id, to, drafts[id], kept, why_not) for id, to in addresses.items()]

    def close(self, timeout: float = 3.0) -> None:
        """Leave; what is not stored stays in the outbox."""
        self._client.close(timeout=timeout)
        if self._thread.is_alive():
            self._thread.join(timeout)

    # -------------------------------------------------------------- what became of it

    def _secure(self) -> tuple[frozenset[str], str]:
        """What is safe in the outbox, and, of the rest, why it is not."""
        if self._folder is None:
            return frozenset(), "nothing is kept"
        try:
            return secure(self._folder), "it could not be written to the outbox"
        except OSError as error:
            return frozenset(), describe(error)

    def _receipt(
        self, id: str, to: str, draft: Draft | None, kept: frozenset[str], why_not: str
    ) -> Receipt:
        if draft is not None and draft.state is DraftState.SENT:
            return Receipt(id, to, Fate.STORED, draft.seq)
        if draft is not None and draft.state is DraftState.REFUSED:
            reason = self._no_entry if draft.code == "not_a_member" else None
            return Receipt(id, to, Fate.REFUSED, reason=reason or draft.reason, code=draft.code)
        if id in kept:
            code = STORAGE if self._stalled else ""
            return Receipt(id, to, Fate.KEPT, reason=self._trouble, code=code)
        return Receipt(id, to, Fate.LOST, reason=why_not)

    def _has_moved(self, seen: int) -> bool:
        return self._is_settled() or self._ended or self._progress != seen

    def _is_settled(self) -> bool:
        return all(
            id in self._drafts and _is_decided(self._drafts[id]) for id in self._posted
        ) and all(map(_is_decided, self._drafts.values()))

    # -------------------------------------------------------------- the thread

    def _take_all(self) -> None:
        event: ClientEvent | None = None
        while not isinstance(event, Ended):
            event = self._client.events.get()
            with self._changed:
                handler = _ON_EVENT.get(type(event))
                if handler is not None:
                    handler(self, event)
                self._changed.notify_all()

    def _on_online(self, event: Online) -> None:
        self._greeted = True
        self._progress += 1
        self.max_text = event.welcome.limits.max_text
        self._trouble = "the server did not confirm it in time"
        if event.held:
            self._note(f"sending {counted(event.held, 'message', 'messages')} again")
            self._client.confirm_drafts(True)

    def _on_offline(self, event: Offline) -> None:
        self._trouble = event.reason.partition(". ")[0]  # the cure is to send it later, which we do

    def _on_draft(self, event: Draft) -> None:
        self._drafts[event.id] = event
        if event.state is DraftState.WAITING and event.code == STORAGE:
            self._on_stall(event.reason)
        if not _is_decided(event):
            return
        self._progress += 1
        self._stalled = False
        if event.id not in self._posted:
            self._note(told_of_kept(event))

    def _on_stall(self, reason: str) -> None:
        """The server has no room; what it says of that is told at once, and once."""
        if not self._stalled:
            self._stalled = True
            self._trouble = f"{STORAGE}: {reason.partition(';')[0].rstrip('.')}"
            self._note(told_of_stall(reason))

    def _on_heard(self, event: Heard) -> None:
        if isinstance(event.system, Error):
            if event.system.code == OWN_TROUBLE:
                self._note(event.system.message)
            else:  # we give no commands: it is the join that goes before a message
                self._no_entry = event.system.message

    def _on_ended(self, event: Ended) -> None:
        self._ended, self.error = True, event.error
        if event.error is not None:
            self._trouble = str(event.error)


def told_of_kept(draft: Draft) -> str:
    """What to say when a draft is decided that an earlier run had kept."""
    if draft.state is DraftState.REFUSED:
        return f"kept earlier, and refused now ({draft.reason}): {draft.text}"
    return f"kept earlier, and sent now to {draft.conversation}: {draft.text}"


def told_of_stall(reason: str) -> str:
    """What to say when the server has no room for what it was sent."""
    why = reason.partition(";")[0].rstrip(".")
    return f"not stored yet ({STORAGE}): {why}. It is kept here, and sent again until it can be."


def _is_decided(draft: Draft | None) -> bool:
    return draft is not None and draft.state in (DraftState.SENT, DraftState.REFUSED)


_ON_EVENT: dict[type, Callable[[Courier, Any], None]] = {
    Online: Courier._on_online,
    Offline: Courier._on_offline,
    Draft: Courier._on_draft,
    Heard: Courier._on_heard,
    Ended: Courier._on_ended,
}
