"""What a store is fed in the gauntlet, and what must be in it then.

`Crowd` makes batches of records as the hub makes them: guests come, join, talk in rooms and with
each other, say again what they said before, set topics, go. `Model` is what a store must answer to
them and hold afterwards, in a few lines that know nothing of databases. `look` reads all that a
store holds, to be compared with `Model.picture`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any, Final, NamedTuple

from securechat.protocol.codec import encode_posted
from securechat.records import (
    Conflict,
    ForgetIdentity,
    KeepIdentity,
    KeepPresence,
    KeepTopic,
    Kept,
    Known,
    Lookup,
    NewMessage,
    Outcome,
    Record,
    Snapshot,
    Stored,
    Unknown,
)
from securechat.store.base import Store

ROOMS: Final = ("#lobby", "#dev", "#ops")
#: When it all began, Unix seconds.
EPOCH: Final = 1_750_000_000.0
_PAGE: Final = 1 << 30


def stamp(seconds: float) -> str:
    """`EPOCH` and so many seconds, as the `ts` of a message."""
    when = datetime.fromtimestamp(EPOCH + seconds, UTC)
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Picture(NamedTuple):
    """All that a store holds, as its readers and the next server see it."""

    identities: dict[int, KeepIdentity]
    next_identity: int
    last_ts: dict[str, str]
    topics: dict[str, str]
    presence: frozenset[tuple[int, str]]
    #: Conversation -> (last number, what of it is still there).
    messages: dict[str, tuple[int, tuple[bytes, ...]]]

    def first(self) -> dict[str, int]:
        """Where what retention has left of each conversation begins."""
        return {name: head - len(kept) + 1 for name, (head, kept) in self.messages.items()}

    def differs(self, wanted: Picture) -> str:
        """In a few words, where this is not what was wanted."""
        for name, mine, other in zip(self._fields, self, wanted, strict=True):
            if mine == other:
                continue
            if not (isinstance(mine, dict) and isinstance(other, dict)):
                return f"{name}: {mine!r}, not {other!r}"
            for key in sorted({*mine, *other}, key=str):
                if mine.get(key) != other.get(key):
                    return f"{name} of {key}: {_short(mine.get(key))}, not {_short(other.get(key))}"
        return "nowhere"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) < 400 else f"{text[:200]} … {text[-200:]}"


class _Message(NamedTuple):
    new: NewMessage
    seq: int
    ts: str


@dataclass
class Model:
    """What must be there."""

    identities: dict[int, KeepIdentity] = field(default_factory=dict)
    nicks: dict[int, str] = field(default_factory=dict)
    presence: set[tuple[int, str]] = field(default_factory=set)
    topics: dict[str, str] = field(default_factory=dict)
    messages: dict[str, list[_Message]] = field(default_factory=dict)
    known: dict[tuple[int, str], _Message] = field(default_factory=dict)
    #: What retention has left begins here; it is told, not worked out.
    first: dict[str, int] = field(default_factory=dict)

    def copy(self) -> Model:
        """Another one that goes its own way."""
        return Model(
            self.identities.copy(),
            self.nicks.copy(),
            self.presence.copy(),
            self.topics.copy(),
            {name: messages.copy() for name, messages in self.messages.items()},
            self.known.copy(),
            self.first.copy(),
        )

    def may_say(self, record: Record) -> bool:
        """Whether it is a draft of someone who is there, to a room or to someone who is."""
        if isinstance(record, NewMessage) and record.conversation[0] == "@":
            return all(number in self.nicks for number in _sides(record.conversation))
        return isinstance(record, NewMessage | Lookup) and record.identity in self.nicks

    def commit(self, records: Sequence[Record], ts: str) -> list[Outcome]:
        """Keep `records`; what a store must answer."""
        return [self._keep(record, ts) for record in records]

    def _keep(self, record: Record, ts: str) -> Outcome:
        match record:
            case NewMessage():
                before = self.known.get((record.identity, record.id))
                if before is not None:
                    return self._judge(before, record.to, record.text)
                messages = self.messages.setdefault(record.conversation, [])
                message = _Message(record, len(messages) + 1, ts)
                messages.append(message)
                self.known[record.identity, record.id] = message
                return Stored(message.seq, ts)
            case Lookup():
                before = self.known.get((record.identity, record.id))
                return self._judge(before, record.to, record.text) if before else Unknown()
            case KeepIdentity():
                self.identities[record.identity] = record
                self.nicks[record.identity] = record.nick
            case ForgetIdentity(identity):
                self.identities.pop(identity, None)
                self.presence = {it for it in self.presence if it[0] != identity}
            case KeepPresence(identity, room, present):
                (self.presence.add if present else self.presence.discard)((identity, room))
            case KeepTopic(room, text):
                self.topics[room] = text
                if not text:
                    del self.topics[room]
        return Kept()

    def _judge(self, before: _Message, to: str, text: str) -> Outcome:
        if (before.new.to, before.new.text) != (to, text):
            return Conflict()
        return Known(self._payload(before))

    def _payload(self, message: _Message) -> bytes:
        new, seq, ts = message
        to, sender = new.to, new.sender
        if new.conversation[0] == "@":
            low, high = _sides(new.conversation)
            to = f"@{self.nicks[high if new.identity == low else low]}"
            sender = self.nicks[new.identity]
        return encode_posted(new.id, to, sender, seq, ts, new.text, new.reply_to, new.action)

    def picture(self) -> Picture:
        """What `look` must find."""
        return Picture(
            self.identities,
            max(self.nicks, default=0) + 1,
            {name: it[-1].ts for name, it in self.messages.items() if name[0] == "@"},
            self.topics,
            frozenset(self.presence),
            {
                name: (len(it), tuple(map(self._payload, it[self.first.get(name, 1) - 1 :])))
                for name, it in self.messages.items()
            },
        )


def _sides(conversation: str) -> tuple[int, int]:
    low, high = conversation[1:].split(":")
    return int(low), int(high)


def look(store: Store, snapshot: Snapshot) -> Picture:
    """All that is in `store`, whose `load` gave `snapshot`."""
    reader = store.reader()
    messages = {}
    for name, head in snapshot.heads.items():
        page = reader.after(name, 0, head, _PAGE, _PAGE)
        assert (page.last, page.more) == (head, False), (name, page)
        messages[name] = (head, tuple(page.payloads))
    reader.close()
    return Picture(
        {record.identity: record for record in snapshot.identities},
        snapshot.next_identity,
        snapshot.last_ts,
        snapshot.topics,
        frozenset(snapshot.presence),
        messages,
    )


# ------------------------------------------------------------------ who talks


class Crowd:
    """Makes batches; `dice` decide everything."""

    def __init__(self, dice: Random) -> None:
        self._dice = dice
        self._next = 1
        self._ids: dict[int, int] = {}
        self._nicks: dict[int, str] = {}
        #: Every draft there was, to be said again now and then.
        self._said: list[NewMessage] = []

    def resume(self, model: Model) -> None:
        """Go on as a server that starts from what `model` holds."""
        self._nicks = {number: it.nick for number, it in model.identities.items()}
        self._said = list(filter(model.may_say, self._said))
        self._next = max(model.nicks, default=0) + 1

    def batch(self, size: int) -> list[Record]:
        """At most about `size` records, in the order in which a hub would decide them."""
        if len(self._nicks) < 2:
            return [*self._come(), *self._come()]
        records: list[Record] = []
        for _ in range(self._dice.randint(1, size)):
            what = self._dice.random()
            if what < 0.75:
                records.append(self._say())
            elif what < 0.85 and self._said:
                records.append(self._say_again())
            else:
                records += self._dice.choice(_ACTS)(self)
        return records

    def _anyone(self) -> int:
        return self._dice.choice(list(self._nicks))

    def _come(self) -> list[Record]:
        number, self._next = self._next, self._next + 1
        self._ids.setdefault(number, 0)
        self._nicks[number] = f"guest{number}"
        room = self._dice.choice(ROOMS)
        return [self._identity(number), KeepPresence(number, room, True)]

    def _identity(self, number: int, former: tuple[tuple[str, float], ...] = ()) -> KeepIdentity:
        token = number.to_bytes(32, "big")
        return KeepIdentity(number, self._nicks[number], token, EPOCH, former)

    def _rename(self) -> list[Record]:
        number = self._anyone()
        old = self._nicks[number]
        self._nicks[number] = f"guest{number}-{self._dice.randint(0, 99)}"
        return [self._identity(number, ((old, EPOCH + 86_400.0),))]

    def _go(self) -> list[Record]:
        number = self._anyone()
        if len(self._nicks) < 3:
            return [KeepPresence(number, self._dice.choice(ROOMS), False)]
        del self._nicks[number]
        return [ForgetIdentity(number)]

    def _move(self) -> list[Record]:
        room, here = self._dice.choice(ROOMS), self._dice.random() < 0.5
        return [KeepPresence(self._anyone(), room, here)]

    def _set_topic(self) -> list[Record]:
        text = self._dice.choice(("", "ships", "ships and shoes"))
        return [KeepTopic(self._dice.choice(ROOMS), text)]

    def _say(self) -> NewMessage:
        number, dice = self._anyone(), self._dice
        self._ids[number] += 1
        to = conversation = dice.choice(ROOMS)
        if dice.random() < 0.2:
            other = self._anyone()
            low, high = sorted((number, other))
            conversation, to = f"@{low}:{high}", f"@{self._nicks[other]}"
        length = dice.choice((3, 30, 30, 200, 3_000))
        text = f"{number}/{self._ids[number]} ".ljust(length, "x")
        id = f"{number:032x}-{self._ids[number]}"
        new = NewMessage(
            conversation, number, id, to, self._nicks[number], text, None, dice.random() < 0.1
        )
        self._said.append(new)
        return new

    def _say_again(self) -> Record:
        before = self._dice.choice(self._said)
        kind = self._dice.random()
        if kind < 0.2:
            return before._replace(text=before.text + "?")
        if kind < 0.4:
            return Lookup(before.identity, before.id, before.to, before.text)
        return before


_ACTS: Final[tuple[Any, ...]] = (
    Crowd._come,
    Crowd._rename,
    Crowd._go,
    Crowd._move,
    Crowd._move,
    Crowd._set_topic,
)
