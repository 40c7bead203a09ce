"""A store that keeps everything in memory and nothing beyond it.

For `serve --data :memory:` and for tests. A new epoch at each start. Texts beyond `budget` bytes
push out the oldest of all, as retention would; their numbers stay used, and a repeat of them is
still known for one, as long as a quarter of the budget can hold what that takes.

The hub writes, readers read at the same time: a message is appended before its number is
told, lists only ever grow at the end, and a conversation's list is replaced, not cut, when its
front goes.
"""

from __future__ import annotations

import heapq
import secrets
from collections import deque
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Final, NamedTuple, TypeAlias

from ..phrases import Query
from ..protocol.codec import encode_posted, encode_removed
from ..records import (
    Conflict,
    ForgetIdentity,
    Found,
    KeepIdentity,
    Kept,
    Known,
    Lookup,
    NewMessage,
    Outcome,
    Page,
    Record,
    RemoveMessage,
    Snapshot,
    Stored,
    Together,
    Unknown,
)
from .base import Indexer
from .finding import page_of

DEFAULT_BUDGET: Final = 256 * 1024 * 1024
#: What a message weighs beside its text, bytes (measured on CPython 3.11).
_OVERHEAD: Final = 600
#: What is kept of a message that was pushed out, bytes (measured likewise).
_GHOST_WEIGHT: Final = 600
#: More messages than one conversation will ever have.
_SEQ_BITS: Final = 40


#: What was said, its `seq` and its `ts`: a bare tuple, made once per message.
_Message: TypeAlias = tuple[NewMessage, int, str]


class _Ghost(NamedTuple):
    """A message that was pushed out: enough to know it when it is sent again."""

    new: NewMessage  #: without its text
    seq: int
    ts: str
    digest: bytes


class _Conversation:
    """The messages of one conversation that are still there; `first` is the oldest's `seq`."""

    __slots__ = ("view",)

    def __init__(self) -> None:
        #: (messages, first), replaced as one so that a reader sees both as they belong together.
        self.view: tuple[list[_Message], int] = ([], 1)

    def drop_front(self, count: int) -> None:
        messages, first = self.view
        self.view = (messages[count:], first + count)


class MemoryStore:
    """Keeps everything while the process lives."""

    def __init__(self, budget: int = DEFAULT_BUDGET) -> None:
        self._epoch = secrets.token_hex(16)
        self._budget = budget
        self._weight = 0
        self._order: deque[str] = deque()
        self._gone: dict[str, int] = {}
        self._conversations: dict[str, _Conversation] = {}
        self._known: dict[tuple[int, str], _Message | _Ghost] = {}
        self._ghosts: deque[tuple[int, str]] = deque()
        self._nicks: dict[int, str] = {}

    # -------------------------------------------------------------- write side

    def load(self) -> Snapshot:
        """Nothing but a new epoch."""
        return Snapshot(epoch=self._epoch)

    def commit(self, records: Sequence[Record], ts: str) -> list[Outcome]:
        """Keep `records`; never fails."""
        outcomes: list[Outcome] = []
        for record in records:
            if type(record) is NewMessage:
                outcomes.append(self._append(record, ts))
            elif type(record) is Lookup:
                outcomes.append(self._look_up(record))
            elif type(record) is RemoveMessage:
                outcomes.append(self._erase(record))
            else:
                for change in record.changes if type(record) is Together else (record,):
                    self._keep(change)
                outcomes.append(_KEPT)
        if self._weight > self._budget:
            self._trim()
        return outcomes

    def _keep(self, change: object) -> None:
        if type(change) is KeepIdentity:
            self._nicks[change.identity] = change.nick
        elif type(change) is ForgetIdentity:
            self._nicks.setdefault(change.identity, "")

    def _append(self, new: NewMessage, ts: str) -> Outcome:
        key = (new.identity, new.id)
        before = self._known.get(key)
        if before is not None:
            return self._judge(before, new.to, new.text)
        conversation = self._conversations.get(new.conversation)
        if conversation is None:
            conversation = self._conversations[new.conversation] = _Conversation()
        messages, first = conversation.view
        seq = first + len(messages)
        self._known[key] = message = (new, seq, ts)
        messages.append(message)
        self._order.append(new.conversation)
        self._weight += len(new.text) + _OVERHEAD
        return Stored(seq, ts)

    def _look_up(self, lookup: Lookup) -> Outcome:
        before = self._known.get((lookup.identity, lookup.id))
        return _UNKNOWN if before is None else self._judge(before, lookup.to, lookup.text)

    def _erase(self, wanted: RemoveMessage) -> Outcome:
        """Erase a text; the list has a new message in its place, which readers see or do not."""
        messages, first = self.slice(wanted.conversation)
        index = wanted.seq - first
        if not 0 <= index < len(messages) or not messages[index][0].text:
            return _UNKNOWN
        new, seq, ts = messages[index]
        if wanted.author is not None and wanted.author != new.identity:
            return _CONFLICT
        self._weight -= len(new.text)
        messages[index] = erased = (new._replace(text=""), seq, ts)
        self._known[new.identity, new.id] = erased
        return _KEPT

    def _judge(self, before: _Message | _Ghost, to: str, text: str) -> Outcome:
        new, seq, ts = before[:3]
        if isinstance(before, _Ghost):
            erased = before.digest == _digest("")
            same = erased or before.digest == _digest(text)
        else:  # nobody can tell any more what an erased draft said: it is known by its id
            erased = not new.text
            same = erased or new.text == text
        if new.to != to or not same:
            return _CONFLICT
        return Known(self.payload((new._replace(text="" if erased else text), seq, ts)))

    def _trim(self) -> None:
        """Push out the oldest until a tenth of the budget is free again."""
        gone = self._gone
        while self._order and self._weight > self._budget * 9 // 10:
            name = self._order.popleft()
            messages, _ = self._conversations[name].view
            message = messages[gone.get(name, 0)]
            gone[name] = gone.get(name, 0) + 1
            self._weight -= len(message[0].text) + _OVERHEAD
            self._make_ghost(message)
        for name, count in gone.items():
            self._conversations[name].drop_front(count)
        gone.clear()
        while len(self._ghosts) * _GHOST_WEIGHT > self._budget // 4:
            del self._known[self._ghosts.popleft()]

    def _make_ghost(self, message: _Message) -> None:
        new, seq, ts = message
        key = (new.identity, new.id)
        self._known[key] = _Ghost(new._replace(text=""), seq, ts, _digest(new.text))
        self._ghosts.append(key)

    def payload(self, message: _Message) -> bytes:
        new, seq, ts = message
        to, sender = new.conversation, new.sender
        if to[0] == "@":  # a direct conversation shows both sides' present nicks
            low, high = (int(number) for number in to[1:].split(":"))
            other = high if new.identity == low else low
            to, sender = "@" + self._nicks[other], self._nicks[new.identity]
        if not new.text:  # no text that was ever said is empty: this one was erased
            return encode_removed(new.id, to, sender, seq, ts, new.reply_to, new.action)
        return encode_posted(new.id, to, sender, seq, ts, new.text, new.reply_to, new.action)

    def first_kept(self, conversation: str) -> int:
        """See `Store.first_kept`."""
        return self.slice(conversation)[1]

    def tidy(self) -> None:
        """See `Store.tidy`: there is nothing that waits."""

    def retain(self, now: float, budget_rows: int) -> int:  # noqa: ARG002 - `commit` trims already
        """See `Store.retain`."""
        return 0

    def indexer(self) -> Indexer | None:
        """See `Store.indexer`: here every message is looked at."""
        return None

    def conversations(self, query: Query) -> list[tuple[int, str]]:
        """Those that `query` covers, with a number for each that stays."""
        names = list(self._conversations)  # one copy, for the hub may add to them meanwhile
        return [(number, name) for number, name in enumerate(names, 1) if query.covers(name)]

    def reader(self) -> MemoryReader:
        """A reader; several threads may have one each."""
        return MemoryReader(self)

    def close(self) -> None:
        """Forget everything."""
        self._conversations.clear()
        self._known.clear()
        self._ghosts.clear()

    # -------------------------------------------------------------- read side

    def slice(self, conversation: str) -> tuple[list[_Message], int]:
        """The messages of `conversation` and the `seq` of the first of them."""
        found = self._conversations.get(conversation)
        return found.view if found is not None else ([], 1)


class MemoryReader:
    """Pages out of a `MemoryStore`."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def after(self, conversation: str, after: int, upto: int, limit: int, size: int) -> Page:
        """See `Reader.after`."""
        messages, first = self._store.slice(conversation)
        trimmed = first - 1 if after < first - 1 else None
        start = max(after + 1, first) - first
        stop = max(min(upto - first + 1, len(messages)), start)
        chosen = messages[start : min(stop, start + limit)]
        payloads = self._fit(chosen, size)
        more = start + len(payloads) < stop
        last = first + start + len(payloads) - 1 if more else max(upto, after)
        return Page(payloads, last, more, trimmed)

    def before(self, conversation: str, before: int | None, limit: int, size: int) -> Page:
        """See `Reader.before`."""
        messages, first = self._store.slice(conversation)
        stop = len(messages)
        if before is not None:
            stop = max(min(before - first, stop), 0)
        start = max(stop - limit, 0)
        payloads = self._fit(messages[start:stop][::-1], size)[::-1]
        trimmed = (
            first - 1 if stop == len(payloads) and len(payloads) < limit and first > 1 else None
        )
        return Page(payloads, first + stop - 1, len(payloads) < stop, trimmed)

    def search(self, query: Query, limit: int, size: int) -> Found:
        """See `Reader.search`; looks at one message after the other, the newest first."""
        hits = heapq.merge(
            *(self._hits(query, *one) for one in self._store.conversations(query)),
            key=lambda hit: hit[:2],
            reverse=True,
        )
        shown = ((ts, place, self._store.payload(message)) for ts, place, message in hits)
        return page_of(shown, limit, size)

    def _hits(self, query: Query, number: int, name: str) -> Iterator[tuple[str, int, _Message]]:
        """The hits in one conversation with their places, the newest first."""
        messages, first = self._store.slice(name)
        for at in range(len(messages) - 1, -1, -1):
            new, _, ts = message = messages[at]
            place = (number << _SEQ_BITS) + first + at
            if query.matches(new.identity, new.sender, ts, place, new.text):
                yield ts, place, message

    def _fit(self, messages: Sequence[_Message], size: int) -> list[bytes]:
        payloads: list[bytes] = []
        for message in messages:
            payload = self._store.payload(message)
            size -= len(payload) + 4
            if size < 0 and payloads:
                break
            payloads.append(payload)
        return payloads

    def close(self) -> None:
        """Nothing is held."""


def _digest(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=16).digest()


_KEPT: Final = Kept()
_UNKNOWN: Final = Unknown()
_CONFLICT: Final = Conflict()
