"""A renderer with a hub behind it, and what it hands to the io threads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from securechat.chat import effects as fx
from securechat.chat.hub import Hub, Now
from securechat.config import ChatLimits
from securechat.link_events import Arrived
from securechat.net import ops
from securechat.protocol.envelopes import (
    Hello,
)
from securechat.protocol.framing import DEFAULT_MAX_FRAME, HEADER_SIZE
from securechat.records import (
    KeepIdentity,
    NewMessage,
    Outcome,
    Snapshot,
)
from securechat.server.readers import HistoryWanted, SearchWanted
from securechat.server.renderer import Renderer

TS = "2026-05-04T03:02:01.000000Z"
NOW = Now(1.0, 1.0, TS)
ANN, BOB = 1, 2


class Desk:
    """A renderer for two io threads, with a hub of ann and bob behind it."""

    def __init__(self) -> None:
        self.wanted: list[HistoryWanted | SearchWanted] = []
        self.first_kept = dict[str, int]()
        snapshot = Snapshot(
            epoch="e",
            identities=(KeepIdentity(ANN, "ann", b"1", 1.0), KeepIdentity(BOB, "bob", b"2", 1.0)),
            next_identity=3,
            heads={"#old": 7},
        )
        self.tokens = iter(f"token-{number}" for number in range(10))
        self.hub = Hub(
            ChatLimits(),
            snapshot,
            new_token=lambda: next(self.tokens),
            choose=lambda jokes: jokes[0],
        )
        self.hub.start(NOW)
        self.outside: list[fx.Outward] = []
        self.renderer = Renderer(
            self.hub,
            2,
            self.wanted.append,
            lambda name: self.first_kept.get(name, 1),
            self.outside.append,
        )

    def render(self, *effects: fx.Effect, outcomes: Sequence[Outcome] = ()) -> list[list[ops.Op]]:
        return self.renderer.render(effects, outcomes, TS)

    def one(self, *effects: fx.Effect, outcomes: Sequence[Outcome] = ()) -> list[ops.Op]:
        """What the io thread of the connections with odd numbers is told."""
        return self.render(*effects, outcomes=outcomes)[1]


def post(
    id: str, text: str = "hi", *, to: str = "#a", key: str = "", connection: int = 1
) -> fx.Post:
    return fx.Post(connection, NewMessage(key or to, ANN, id, to, "ann", text, None, False))


def chunk_of(op: ops.Op) -> ops.Chunk:
    assert isinstance(op, ops.Chunk)
    return op


def deliver_of(op: ops.Op) -> ops.Deliver:
    assert isinstance(op, ops.Deliver)
    return op


def said(data: bytes) -> list[dict[str, Any]]:
    """The envelopes in some frames, each of which is as long as it may be at most."""
    envelopes = []
    while data:
        length = int.from_bytes(data[:HEADER_SIZE], "big")
        assert length <= DEFAULT_MAX_FRAME
        envelopes.append(json.loads(data[HEADER_SIZE : HEADER_SIZE + length]))
        data = data[HEADER_SIZE + length :]
    return envelopes


def kinds(rendered: Sequence[ops.Op]) -> list[str]:
    return [type(op).__name__ for op in rendered]


def hello(desk: Desk, number: int = 1, nick: str = "eve") -> list[fx.Effect]:
    desk.hub.decide([(number, Arrived("here"))], NOW)
    return desk.hub.decide([(number, Hello(id="h", protocol=1, nick=nick))], NOW)
