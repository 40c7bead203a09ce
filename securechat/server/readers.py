"""A small pool of threads that read from the store: long history never holds up the hub.

In: `PageWanted` from the io threads, `HistoryWanted` from the hub thread. Out: operations posted
to the io thread of the connection that asked. Numbers and generations go with every answer, so
what comes too late is ignored there.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeAlias

from ..errors import StoreBroken
from ..net.channel import cut
from ..net.ops import Deliver, Op, PageRead, PageWanted
from ..protocol.codec import encode, encode_history
from ..protocol.envelopes import Error, Trimmed
from ..protocol.framing import DEFAULT_MAX_FRAME, encode_frame
from ..records import Page
from ..store.base import Reader, Store

log = logging.getLogger(__name__)

#: What one page for a subscription weighs at most, bytes.
PAGE_BYTES: Final = 64 * 1024
PAGE_MESSAGES: Final = 1_000
#: Room that a history frame needs beside its messages, bytes.
_HISTORY_HEAD: Final = 512
_RETRY: Final = 1.0


class HistoryWanted(NamedTuple):
    """A `history` command to answer."""

    number: int
    conversation: str
    address: str
    re: str
    before: int | None
    after: int | None
    limit: int
    head: int


Wanted: TypeAlias = PageWanted | HistoryWanted


class Readers:
    """`size` threads named `reader-<i>`; `post(number, ops)` reaches a connection's io thread."""

    def __init__(
        self,
        store: Store,
        post: Callable[[int, Sequence[Op]], None],
        broken: Callable[[str], None],
        size: int = 2,
    ) -> None:
        self._store = store
        self._post = post
        self._broken = broken
        self._wanted: queue.SimpleQueue[Wanted | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name=f"reader-{index}", daemon=True)
            for index in range(size)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def ask(self, wanted: Wanted) -> None:
        """Have something read; from any thread, never blocks."""
        self._wanted.put(wanted)

    def close(self) -> None:
        """Finish what was asked, then end the threads."""
        for _ in self._threads:
            self._wanted.put(None)
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def _run(self) -> None:
        reader = self._store.reader()
        try:
            while (wanted := self._wanted.get()) is not None:
                try:
                    self._post(wanted.number, (self._read(reader, wanted),))
                except StoreBroken as error:
                    self._broken(str(error))
                except Exception:
                    log.exception("reading for connection %d failed", wanted.number)
                    self._post(wanted.number, (self._apologise(wanted),))
        finally:
            reader.close()

    def _read(self, reader: Reader, wanted: Wanted) -> Op:
        if isinstance(wanted, HistoryWanted):
            return self._read_history(reader, wanted)
        page = reader.after(
            wanted.conversation, wanted.after, wanted.upto, PAGE_MESSAGES, PAGE_BYTES
        )
        frames = [encode_frame(payload) for payload in page.payloads]
        if page.trimmed is not None:
            trimmed = Trimmed(to=wanted.address, after=page.trimmed)
            frames.insert(0, encode_frame(encode(trimmed)))
        return PageRead(
            wanted.number, wanted.conversation, wanted.generation, join(frames), page.last
        )

    def _apologise(self, wanted: Wanted) -> Op:
        """What follows when reading failed: a subscription is fed again after a while."""
        if isinstance(wanted, PageWanted):
            time.sleep(_RETRY)
            return PageRead(wanted.number, wanted.conversation, wanted.generation, (), wanted.after)
        message = "The history could not be read; it is our fault and was logged. Try again later."
        error = Error(code="storage", message=message, retry_after=_RETRY, re=wanted.re)
        return Deliver(wanted.number, encode_frame(encode(error)))

    def _read_history(self, reader: Reader, wanted: HistoryWanted) -> Op:
        size = DEFAULT_MAX_FRAME - _HISTORY_HEAD
        page: Page
        if wanted.after is not None:
            page = reader.after(wanted.conversation, wanted.after, wanted.head, wanted.limit, size)
        else:
            page = reader.before(wanted.conversation, wanted.before, wanted.limit, size)
        payload = encode_history(wanted.re, wanted.address, page.payloads, page.more)
        return Deliver(wanted.number, encode_frame(payload))


def join(frames: Sequence[bytes]) -> tuple[bytes, ...]:
    """`frames` as pieces of one TLS record each, cut where they must be."""
    return cut(b"".join(frames)) if frames else ()
