"""A timeline, and what it is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from securechat.client.entries import Entry
from securechat.client.events import (
    ClientEvent,
    Heard,
    Message,
)
from securechat.client.timeline import Timeline
from securechat.protocol import envelopes as wire

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


LIMITS = wire.Limits(
    max_frame=65_536, max_text=4_000, rate=20.0, burst=100, presence=500, idle_timeout=90.0
)


WELCOME = wire.Welcome(
    protocol=1, server="garden", version="1", nick="bob", epoch="e1", limits=LIMITS
)


def posted(
    text: str, sender: str = "carol", seq: int = 1, to: str = "#lobby", **keys: Any
) -> wire.Posted:
    usual = {"id": f"{sender}-{seq}", "ts": "2026-11-23T11:59:58.500000Z"}
    return wire.Posted.model_validate(
        {"to": to, "sender": sender, "seq": seq, "text": text, **usual, **keys}
    )


def heard(system: wire.System) -> Heard:
    return Heard(system)


def message(
    text: str,
    sender: str = "carol",
    seq: int = 1,
    place: str = "#lobby",
    *,
    own: bool = False,
    missed: bool = False,
) -> Message:
    return Message(place, posted(text, sender, seq, place), own, missed)


def feed(timeline: Timeline, *happened: ClientEvent, now: datetime = NOW) -> list[Entry]:
    return [entry for event in happened for entry in timeline.feed(event, now)]


def texts(entries: Sequence[Entry]) -> list[str]:
    return [entry.text for entry in entries]


def members(*nicks: str, more: bool = False, re: str = "c1", **keys: Any) -> Heard:
    rows = tuple(wire.Member(nick=nick, **keys) for nick in nicks)
    return heard(wire.Members(room="#lobby", members=rows, re=re, more=more))
