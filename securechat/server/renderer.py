"""Effects into operations: every message encoded once, one list of operations per io thread.

In: the effects of a batch in order, each that carries a record with its outcome. Out: lists of
`securechat.net.ops`. Belongs to the hub.

Messages of a conversation that follow each other become one chunk, and one chunk is one operation
for each io thread however many receive it. Everything else that is said closes the chunks that are
open, so whoever asked and spoke in one breath hears the echo before the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from pydantic import BaseModel

from ..chat import effects as fx
from ..chat.hub import Hub
from ..net import ops
from ..net.channel import MAX_PIECE, cut
from ..proofs import Derive, Verify
from ..protocol.codec import encode, encode_posted
from ..protocol.connection import signal_of
from ..protocol.envelopes import (
    Conversation,
    ConversationList,
    RoomInfo,
    RoomList,
    System,
    TopicIs,
    Welcome,
)
from ..protocol.framing import DEFAULT_MAX_FRAME, HEADER_SIZE, encode_frame, encode_header
from ..records import Known, Outcome, Stored
from .readers import HistoryWanted, SearchWanted

#: Room that a list frame needs beside its rows, bytes.
_LIST_HEAD: Final = 512
#: A chunk is closed at this size: more would only lie in queues, bytes.
_MAX_CHUNK: Final = 64 * 1024


class _OpenChunk:
    __slots__ = ("first", "parts", "size")

    def __init__(self, first: int) -> None:
        self.first = first
        #: Headers and payloads in turn, joined once.
        self.parts: list[bytes] = []
        self.size = 0


class Renderer:
    """Turns effects into operations for `loops` io threads.

    `ask` takes what is to be read from the store, `outside` what goes to no connection at all.
    """

    def __init__(
        self,
        hub: Hub,
        loops: int,
        ask: Callable[[HistoryWanted | SearchWanted], None],
        first_kept: Callable[[str], int],
        outside: Callable[[fx.Outward], None],
    ) -> None:
        self._hub = hub
        self._first_kept = first_kept
        self._ask = ask
        self._open: dict[str, _OpenChunk] = {}
        self._ts = ""
        self._ops: list[list[ops.Op]] = [[] for _ in range(loops)]
        self._render: dict[type[Any], Callable[[Any], None]] = {
            fx.Send: self._send,
            fx.SendList: self._send_list,
            fx.SendRooms: self._send_rooms,
            fx.SendTopic: self._send_topic,
            fx.SendConversations: self._send_conversations,
            fx.Notify: self._notify,
            fx.Broadcast: self._broadcast,
            fx.Subscribe: self._subscribe,
            fx.Unsubscribe: self._unsubscribe,
            fx.Scrub: self._scrub,
            fx.ReadHistory: self._read_history,
            fx.Find: self._find,
            fx.Close: self._close,
            **dict.fromkeys((Verify, Derive, fx.Reply), outside),
        }

    def render(
        self, effects: Sequence[fx.Effect], outcomes: Sequence[Outcome], ts: str
    ) -> list[list[ops.Op]]:
        """The operations of each io thread; `outcomes` are those of the persistent effects."""
        self._ts = ts
        answers = iter(outcomes)
        for effect in effects:
            kind = type(effect)
            if kind is fx.Post:
                self._post(effect, next(answers))  # type: ignore[arg-type]
            elif kind is fx.Keep:
                next(answers)
            elif kind in _PERSISTENT:
                self._settle(effect, next(answers))  # type: ignore[arg-type]
            else:
                self._render[kind](effect)
        self._close_chunks()
        rendered, self._ops = self._ops, [[] for _ in self._ops]
        return rendered

    # -------------------------------------------------------------- messages

    def _post(self, post: fx.Post, outcome: Outcome) -> None:
        if type(outcome) is not Stored:
            self._settle(post, outcome)
            return
        name, _, id, to, sender, text, reply_to, action = post.record
        seq, ts = outcome
        if post.address is not None:
            to = post.address
        payload = encode_posted(id, to, sender, seq, ts, text, reply_to, action)
        chunk = self._open.get(name)
        if chunk is None:
            chunk = self._open[name] = _OpenChunk(seq)
        size = len(payload)
        chunk.parts += (encode_header(size), payload)
        chunk.size = size = chunk.size + HEADER_SIZE + size
        if size >= _MAX_CHUNK:
            del self._open[name]
            self._close_chunk(name, chunk)

    def _settle(self, effect: fx.Persistent, outcome: Outcome) -> None:
        if type(outcome) is Known:
            self._deliver(effect.connection, encode_frame(outcome.payload))  # type: ignore[union-attr]
            return
        for follow_up in self._hub.settle(effect, outcome):
            self._render[type(follow_up)](follow_up)

    def _close_chunks(self) -> None:
        if self._open:
            chunks, self._open = self._open, {}
            for name, chunk in chunks.items():
                self._close_chunk(name, chunk)

    def _close_chunk(self, name: str, chunk: _OpenChunk) -> None:
        last = chunk.first + len(chunk.parts) // 2 - 1
        data = b"".join(chunk.parts)
        pieces = (data,) if chunk.size <= MAX_PIECE else cut(data)
        op = _make(ops.Chunk, (name, pieces, chunk.size, chunk.first, last))
        for posted in self._ops:
            posted.append(op)
        self._hub.posted(name, last, self._ts)

    # -------------------------------------------------------------- to one connection

    def _deliver(
        self,
        number: int,
        data: bytes,
        cost: int = 0,
        event: System | None = None,
        fence: bool = False,
    ) -> None:
        self._close_chunks()
        signal = signal_of(event) if event is not None else None
        self._ops_of(number).append(ops.Deliver(number, data, signal, cost, fence))

    def _ops_of(self, number: int) -> list[ops.Op]:
        return self._ops[number % len(self._ops)]

    def _send(self, effect: fx.Send) -> None:
        event = effect.event
        answer = event if effect.answers_hello or isinstance(event, Welcome) else None
        self._deliver(effect.connection, _frame(event), event=answer, fence=effect.fence)

    def _send_list(self, effect: fx.SendList) -> None:
        frames: list[bytes] = []
        rows: list[object] = []
        size = 0
        for row in effect.rows:
            assert isinstance(row, BaseModel)
            weight = len(encode(row)) + 1
            if size + weight > DEFAULT_MAX_FRAME - _LIST_HEAD:
                frames.append(_frame(_with_rows(effect, rows, more=True)))
                rows, size = [], 0
            rows.append(row)
            size += weight
        frames.append(_frame(_with_rows(effect, rows, more=False)))
        self._deliver(effect.connection, b"".join(frames), cost=len(frames) - 1)

    def _send_rooms(self, effect: fx.SendRooms) -> None:
        self._close_chunks()
        heads = self._hub.heads
        rows = [
            RoomInfo(
                room=room.name,
                members=len(room.members),
                topic=room.topic,
                seq=heads.get(room.name, 0),
            )
            for room in self._hub.rooms_seen_by(effect.connection)
            if room.members or heads.get(room.name)  # the others are about to vanish
        ]
        event = RoomList(rooms=(), re=effect.re)
        self._send_list(fx.SendList(effect.connection, event, "rooms", rows))

    def _send_topic(self, effect: fx.SendTopic) -> None:
        room = effect.room
        text, nick = self._hub.topic_of(room), self._hub.setter_of(room)
        event = TopicIs(room=room, text=text, nick=nick, re=effect.re)
        self._deliver(effect.connection, _frame(event))

    def _send_conversations(self, effect: fx.SendConversations) -> None:
        self._close_chunks()
        heads, last_ts = self._hub.heads, self._hub.last_ts
        rows = [
            Conversation(to=address, seq=heads[name], ts=last_ts[name])
            for name, address in effect.partners
            if name in last_ts
        ]
        event = ConversationList(conversations=(), re=effect.re)
        self._send_list(fx.SendList(effect.connection, event, "conversations", rows))

    def _read_history(self, effect: fx.ReadHistory) -> None:
        self._close_chunks()
        command = effect.command
        head = self._hub.heads.get(effect.conversation, 0)
        self._ask(
            HistoryWanted(
                effect.connection,
                effect.conversation,
                effect.address,
                command.id,
                command.before,
                command.after,
                command.limit,
                head,
            )
        )

    def _find(self, effect: fx.Find) -> None:
        self._close_chunks()
        self._ask(SearchWanted(effect.connection, effect.re, effect.query, effect.limit))

    def _close(self, effect: fx.Close) -> None:
        self._close_chunks()
        data = _frame(effect.event) if effect.event is not None else b""
        self._ops_of(effect.connection).append(ops.Finish(effect.connection, data))

    # -------------------------------------------------------------- to many, and who they are

    def _notify(self, effect: fx.Notify) -> None:
        self._close_chunks()
        data = _frame(effect.event)
        shares: list[list[int]] = [[] for _ in self._ops]
        for number in effect.connections:
            shares[number % len(shares)].append(number)
        for posted, numbers in zip(self._ops, shares, strict=True):
            if numbers:
                posted.append(ops.NoticeTo(tuple(numbers), data))

    def _broadcast(self, effect: fx.Broadcast) -> None:
        self._close_chunks()
        op = ops.Notice(effect.conversation, _frame(effect.event), effect.skip)
        for posted in self._ops:
            posted.append(op)

    def _subscribe(self, effect: fx.Subscribe) -> None:
        self._close_chunks()
        head = self._hub.heads.get(effect.conversation, 0)
        after = head
        if effect.after is not None:
            after = min(effect.after, head)
        elif effect.last is not None:
            after = max(head - effect.last, 0)
        if after < head:
            after = min(max(after, self._first_kept(effect.conversation) - 1), head)
        if effect.re is not None:
            self._deliver(effect.connection, _frame(self._hub.joined(effect, after)))
        self._ops_of(effect.connection).append(
            ops.Subscribe(
                effect.connection,
                effect.conversation,
                effect.address or effect.conversation,
                after,
                head,
            )
        )

    def _scrub(self, effect: fx.Scrub) -> None:
        self._close_chunks()
        for posted in self._ops:
            posted.append(ops.Scrub(effect.conversation))

    def _unsubscribe(self, effect: fx.Unsubscribe) -> None:
        self._close_chunks()
        self._ops_of(effect.connection).append(
            ops.Unsubscribe(effect.connection, effect.conversation)
        )


#: A `NamedTuple` made without its `__new__`, which is Python and takes twice the time.
_make: Final[Callable[[Any, tuple[object, ...]], Any]] = tuple.__new__
_PERSISTENT: Final = frozenset(fx.PERSISTENT)


def _frame(event: System) -> bytes:
    return encode_frame(encode(event))


def _with_rows(effect: fx.SendList, rows: list[object], *, more: bool) -> System:
    event = effect.event
    return event.model_copy(update={effect.key: tuple(rows), "more": more or None})
