"""The books of an ordeal: who sent, who was answered, who saw what, and what was stored.

In: records as they happen, in each client's own order, and at the end what the store holds. Out:
faults, each with its kind. Pure; nothing is raised, and it is cheap enough to be asked for every
delivery of a run: each stream is held against one common column per conversation as it comes, so
what is kept grows with the messages, not with their receivers.

What is held against the server (docs/protocol.md, "The echo is the acknowledgement", "Order"):
    LOST     an acknowledged draft is not stored where its echo said, or a client missed a message
    TWICE    a draft is stored twice, or a client got a message twice
    ORDER    a `seq` is missing or not the same for all, or a sender's messages changed places
    PHANTOM  a client got what is not stored, or what nobody sent
A draft that was not acknowledged may be stored once or not at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple


class Kind(Enum):
    """What is wrong."""

    LOST = "lost"
    TWICE = "twice"
    ORDER = "out of order"
    PHANTOM = "not stored"


class Fault(NamedTuple):
    """One thing that is wrong, and where."""

    kind: Kind
    what: str


class Row(NamedTuple):
    """A message as it stands in a conversation, at its `seq`."""

    id: str
    sender: str
    text: str


class _Sent(NamedTuple):
    order: int
    conversation: str
    text: str


#: Faults that are kept word for word; more of them are only counted.
_MOST_WORDS: Final = 20


def between(one: str, other: str) -> str:
    """The name of a direct conversation in these books: the same from both sides."""
    low, high = sorted((one, other))
    return f"@{low}@{high}"


class Ledger:
    """The books of one run. A client is its nick, and keeps it."""

    def __init__(self) -> None:
        self.counts: Counter[Kind] = Counter()
        self.faults: list[Fault] = []
        self.deliveries = 0
        self._sent: dict[str, dict[str, _Sent]] = {}
        self._echoed: dict[str, dict[str, int | None]] = {}
        #: What was delivered at each `seq`, as the first client that got there saw it.
        self._columns: dict[str, dict[int, Row]] = {}
        #: The last `seq` of each stream, and of each conversation as far as anybody knows.
        self._cursors: dict[tuple[str, str], int] = {}
        self._heads: dict[str, int] = {}

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong so far."""
        return not self.counts

    @property
    def sent_count(self) -> int:
        """Drafts sent."""
        return sum(map(len, self._sent.values()))

    @property
    def echoed_count(self) -> int:
        """Drafts acknowledged."""
        return sum(map(len, self._echoed.values()))

    @property
    def progress(self) -> int:
        """A number that grows as long as anything goes on."""
        return self.deliveries + self.echoed_count

    def cursor(self, client: str, conversation: str) -> int | None:
        """The last `seq` that `client` got of `conversation`; None: its stream has not begun."""
        return self._cursors.get((client, conversation))

    def behind(self) -> list[tuple[str, str]]:
        """The streams, as client and conversation, that have not come as far as others."""
        heads = self._heads
        return [key for key, seq in self._cursors.items() if seq < heads.get(key[1], 0)]

    def blame(self, kind: Kind, what: str) -> None:
        """Note a fault, also one that somebody else has found."""
        self.counts[kind] += 1
        if len(self.faults) < _MOST_WORDS:
            self.faults.append(Fault(kind, what))

    # -------------------------------------------------------------- as it happens

    def sent(self, client: str, conversation: str, id: str, text: str) -> None:
        """`client` made a draft; the first time counts, however often it goes over the wire."""
        drafts = self._sent.setdefault(client, {})
        drafts.setdefault(id, _Sent(len(drafts), conversation, text))

    def echoed(self, client: str, id: str, seq: int | None = None) -> None:
        """`client` was told that its draft is stored, at `seq` if it heard that too."""
        echoes = self._echoed.setdefault(client, {})
        if seq is not None and echoes.get(id) not in (None, seq):
            self.blame(Kind.TWICE, f"{id} of {client} was acknowledged as {echoes[id]} and {seq}")
        if seq is not None or id not in echoes:
            echoes[id] = seq
        sent = self._sent.get(client, {}).get(id)
        if seq is not None and sent is not None:
            self._heads[sent.conversation] = max(seq, self._heads.get(sent.conversation, 0))

    def began(self, client: str, conversation: str, after: int) -> None:
        """What `client` will get of `conversation` begins behind `after`."""
        self._cursors.setdefault((client, conversation), after)

    def delivered(self, client: str, conversation: str, seq: int, row: Row) -> None:
        """`client` got a message as part of a stream."""
        self.deliveries += 1
        key = (client, conversation)
        cursor = self._cursors.get(key, 0)
        if seq <= cursor:
            self.blame(Kind.TWICE, f"{client} got {seq} of {conversation} again, behind {cursor}")
            return
        if seq != cursor + 1:
            self.blame(Kind.ORDER, f"{client} got {seq} of {conversation} behind {cursor}")
        self._cursors[key] = seq
        if seq > self._heads.get(conversation, 0):
            self._heads[conversation] = seq
        column = self._columns.setdefault(conversation, {})
        if column.setdefault(seq, row) != row:
            what = (
                f"{seq} of {conversation} is {row.id} for {client} and {column[seq].id} for others"
            )
            self.blame(Kind.ORDER, what)

    # -------------------------------------------------------------- at the end

    def audit(self, stored: Mapping[str, Mapping[int, Row]]) -> None:
        """Hold everything against `stored`: of each conversation the rows by `seq`.

        To be called once, when every client that ever got a stream has caught up with it.
        """
        found: dict[tuple[str, str], tuple[str, int]] = {}
        for conversation, rows in stored.items():
            self._audit_rows(conversation, rows, found)
        for conversation, column in self._columns.items():
            rows = stored.get(conversation, {})
            for seq, row in column.items():
                if rows.get(seq) != row:
                    self.blame(Kind.PHANTOM, f"{seq} of {conversation} was {row.id}, not stored so")
        for client, echoes in self._echoed.items():
            self._audit_echoes(client, echoes, found)
        for (client, conversation), cursor in self._cursors.items():
            head = max(stored.get(conversation, ()), default=0)
            if cursor < head:  # what is beyond the head is a phantom, told above
                self.blame(Kind.LOST, f"{client} has {conversation} up to {cursor} of {head}")

    def _audit_rows(
        self,
        conversation: str,
        rows: Mapping[int, Row],
        found: dict[tuple[str, str], tuple[str, int]],
    ) -> None:
        last: dict[str, int] = {}
        for seq, row in sorted(rows.items()):
            where = f"{row.id} of {row.sender}, {seq} of {conversation}"
            if seq > 1 and seq - 1 not in rows:
                self.blame(Kind.ORDER, f"{conversation} has no {seq - 1}, but {seq}")
            earlier = found.setdefault((row.sender, row.id), (conversation, seq))
            if earlier != (conversation, seq):
                self.blame(Kind.TWICE, f"{where}, is stored as {earlier[1]} of {earlier[0]} too")
                continue
            sent = self._sent.get(row.sender, {}).get(row.id)
            if sent is None or (sent.conversation, sent.text) != (conversation, row.text):
                self.blame(Kind.PHANTOM, f"{where}, was not sent so")
                continue
            if sent.order < last.get(row.sender, -1):
                self.blame(Kind.ORDER, f"{where}, stands behind one that was sent later")
            last[row.sender] = max(sent.order, last.get(row.sender, -1))

    def _audit_echoes(
        self,
        client: str,
        echoes: Mapping[str, int | None],
        found: Mapping[tuple[str, str], tuple[str, int]],
    ) -> None:
        for id, seq in echoes.items():
            stored = found.get((client, id))
            if stored is None:
                self.blame(Kind.LOST, f"{id} of {client} was acknowledged and is not stored")
            elif seq is not None and stored[1] != seq:
                self.blame(
                    Kind.LOST, f"{id} of {client} was acknowledged as {seq}, not {stored[1]}"
                )
