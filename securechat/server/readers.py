"""A small pool of threads that read from the store: long history never holds up the hub.

In: `PageWanted` from the io threads, `HistoryWanted` and `SearchWanted` from the hub. Out:
operations posted to the io thread of the connection that asked. Numbers and generations go with
every answer, so what comes too late is ignored there.

Searches have a thread of their own: one can take a while, and those who wait for a page, because
they are behind, must not wait for it. Nobody has two of them waiting there.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeAlias

from ..chat.searching import show_place
from ..errors import StoreBroken
from ..net.channel import cut
from ..net.ops import Deliver, Op, PageRead, PageWanted
from ..phrases import Query
from ..protocol.codec import encode, encode_history, encode_search
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
_ONE_SEARCH: Final = (
    "Your last search is still under way, and one at a time is done. Wait for its answer."
)


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


class SearchWanted(NamedTuple):
    """A `search` command to answer."""

    number: int
    re: str
    query: Query
    limit: int


Wanted: TypeAlias = PageWanted | HistoryWanted | SearchWanted
_Queue: TypeAlias = queue.SimpleQueue[Wanted | None]


class Readers:
    """`size` threads named `reader-<i>`, and `searcher`.

    `post(number, ops)` reaches a connection's io thread.
    """

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
        self._wanted: _Queue = queue.SimpleQueue()
        self._searches: _Queue = queue.SimpleQueue()
        #: Connections that wait for a search. Added to by the hub, taken from by `searcher`.
        self._searching: set[int] = set()
        names = [(f"reader-{index}", self._wanted) for index in range(size)]
        self._threads = [
            (threading.Thread(target=self._run, args=(wanted,), name=name, daemon=True), wanted)
            for name, wanted in [*names, ("searcher", self._searches)]
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread, _ in self._threads:
            thread.start()

    def ask(self, wanted: Wanted) -> None:
        """Have something read; from any thread, a search only from the hub's; never blocks."""
        if not isinstance(wanted, SearchWanted):
            self._wanted.put(wanted)
        elif wanted.number in self._searching:
            self._post(
                wanted.number, (_refuse(wanted.number, wanted.re, "rate_limited", _ONE_SEARCH),)
            )
        else:
            self._searching.add(wanted.number)
            self._searches.put(wanted)

    def close(self) -> None:
        """Finish what was asked, then end the threads."""
        for _, wanted in self._threads:
            wanted.put(None)
        for thread, _ in self._threads:
            if thread.ident is not None:
                thread.join()

    def _run(self, queued: _Queue) -> None:
        reader = self._store.reader()
        try:
            while (wanted := queued.get()) is not None:
                answer = self._answer(reader, wanted)
                if isinstance(wanted, SearchWanted):
                    self._searching.discard(wanted.number)  # before it can ask again
                if answer is not None:
                    self._post(wanted.number, (answer,))
        finally:
            reader.close()

    def _answer(self, reader: Reader, wanted: Wanted) -> Op | None:
        """What was read, or an apology; None when the server is about to stop."""
        try:
            return self._read(reader, wanted)
        except StoreBroken as error:
            self._broken(str(error))
            return None
        except Exception:
            log.exception("reading for connection %d failed", wanted.number)
            return self._apologise(wanted)

    def _read(self, reader: Reader, wanted: Wanted) -> Op:
        if isinstance(wanted, HistoryWanted):
            return self._read_history(reader, wanted)
        if isinstance(wanted, SearchWanted):
            return self._search(reader, wanted)
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
        return _refuse(wanted.number, wanted.re, "storage", message)

    def _read_history(self, reader: Reader, wanted: HistoryWanted) -> Op:
        size = DEFAULT_MAX_FRAME - _HISTORY_HEAD
        page: Page
        if wanted.after is not None:
            page = reader.after(wanted.conversation, wanted.after, wanted.head, wanted.limit, size)
        else:
            page = reader.before(wanted.conversation, wanted.before, wanted.limit, size)
        payload = encode_history(wanted.re, wanted.address, page.payloads, page.more)
        return Deliver(wanted.number, encode_frame(payload))

    def _search(self, reader: Reader, wanted: SearchWanted) -> Op:
        size = DEFAULT_MAX_FRAME - _HISTORY_HEAD
        found = reader.search(wanted.query, wanted.limit, size)
        next = show_place(*found.next) if found.next is not None else None
        payload = encode_search(wanted.re, found.payloads, next)
        return Deliver(wanted.number, encode_frame(payload))


def _refuse(number: int, re: str, code: str, message: str) -> Deliver:
    error = Error(code=code, message=message, retry_after=_RETRY, re=re)
    return Deliver(number, encode_frame(encode(error)))


def join(frames: Sequence[bytes]) -> tuple[bytes, ...]:
    """`frames` as pieces of one TLS record each, cut where they must be."""
    return cut(b"".join(frames)) if frames else ()
