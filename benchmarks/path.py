"""The way of messages through the server, in one thread and without a socket, stage by stage.

`Path` sets up a hub, a store in memory, a renderer and the fan-out, with members in rooms whose
sockets only count what they are given. `take` sends frames along it; each stage runs inside
`around(its name)`, a context manager that times it (`stages.py`) or counts it (`instructions.py`).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from itertools import count
from typing import Any, Final, cast

from securechat.chat.hub import Event, Hub, Now
from securechat.config import ChatLimits
from securechat.link_events import Arrived
from securechat.net.channel import Channel, Phase
from securechat.net.fanout import Fanout
from securechat.net.ops import Chunk, Deliver, Op, Subscribe
from securechat.server.dispatcher import Dispatcher
from securechat.server.renderer import Renderer
from securechat.store.memory import MemoryStore

STAGES: Final = ("read", "decide", "store", "render", "fan out")
TEXT: Final = "x" * 100
_NOW: Final = Now(1_000.0, 1_767_225_600.0, "2026-01-01T00:00:00.000000Z")


def frame(**envelope: object) -> bytes:
    """One envelope as it travels."""
    payload = json.dumps(envelope, separators=(",", ":")).encode()
    return struct.pack("!I", len(payload)) + payload


class Recorder:
    """Stands where a TLS socket stands, and counts what is written to it."""

    def __init__(self) -> None:
        self.writes = 0
        self.bytes = 0

    def write(self, data: bytes) -> int:
        """Take `data`."""
        self.writes += 1
        self.bytes += len(data)
        return len(data)


class Path:
    """`rooms` rooms of `members` each, in a server that is not running."""

    def __init__(self, rooms: int, members: int) -> None:
        self.rooms, self.members = rooms, members
        store = MemoryStore()
        tokens = count(1)
        self._hub = Hub(
            ChatLimits(rate=0),
            store.load(),
            new_token=lambda: f"token-{next(tokens):032}",
            choose=lambda jokes: jokes[0],
        )
        self._renderer = Renderer(self._hub, 1, lambda _: None, store.first_kept, lambda _: None)
        self._dispatcher = Dispatcher(
            self._hub, store, self._renderer, [lambda _: None], lambda _: None
        )
        self._fanout = Fanout(
            ask_page=lambda _: None,
            levelled=lambda *_: None,
            stuck=lambda _: None,
            broken=lambda *_: None,
        )
        self.recorders: list[Recorder] = []
        self._channels: dict[int, Channel] = {}
        self._batches = count(1)
        for number in range(1, rooms * members + 1):
            self._enter(number)

    def say(self, speakers: int) -> list[tuple[int, bytes]]:
        """One message of each of `speakers`, spread over the rooms: (connection, frame)."""
        batch = next(self._batches)
        return [
            (
                number,
                frame(type="chat", id=f"{number}-{batch}", to=self._room_of(number), text=TEXT),
            )
            for number in range(1, speakers + 1)
        ]

    def take(
        self,
        frames: Iterable[tuple[int, bytes]],
        around: Callable[[str], AbstractContextManager[None]],
    ) -> None:
        """Send frames from one end to the other as one batch."""
        read, decide, store, render, fan_out = STAGES
        with around(read):
            batch = [
                (number, self._channels[number].connection.receive_one(data))
                for number, data in frames
            ]
        with around(decide):
            effects = self._hub.decide(cast("list[tuple[int, Event]]", batch), _NOW)
        with around(store):
            outcomes = self._dispatcher.commit(effects, _NOW)
        with around(render):
            [ops] = self._renderer.render(effects, outcomes, _NOW.ts)
        with around(fan_out):
            for op in ops:
                self._carry_out(op)

    # -------------------------------------------------------------- setting up

    def _room_of(self, number: int) -> str:
        return f"#bench{number % self.rooms}"

    def _enter(self, number: int) -> None:
        recorder = Recorder()
        self.recorders.append(recorder)
        channel = Channel(number, cast(Any, recorder), "127.0.0.1", _NOW.mono)
        channel.phase = Phase.TALKING
        self._channels[number] = channel
        self._tell(number, [Arrived("127.0.0.1")])
        channel.connection.receive_data(
            frame(type="command", id="h", name="hello", protocol=1, nick=f"b{number}")
            + frame(type="command", id="j", name="join", room=self._room_of(number))
        )
        for _ in range(2):  # what stands behind `hello` is read when that is answered
            self._tell(number, channel.connection.next_events())

    def _tell(self, number: int, events: Iterable[Any]) -> None:
        effects = self._hub.decide([(number, event) for event in events], _NOW)
        outcomes = self._dispatcher.commit(effects, _NOW)
        for op in self._ops(effects, outcomes):
            self._carry_out(op)

    def _ops(self, effects: list[Any], outcomes: list[Any]) -> Iterator[Op]:
        [ops] = self._renderer.render(effects, outcomes, _NOW.ts)
        yield from ops

    def _carry_out(self, op: Op) -> None:
        """What an io thread does with the operations that occur here."""
        if isinstance(op, Chunk):
            self._fanout.send_chunk(op)
        elif isinstance(op, Subscribe):
            self._fanout.subscribe(self._channels[op.number], op)
        elif isinstance(op, Deliver) and op.signal is not None:
            self._channels[op.number].connection.note_sent(op.signal)
