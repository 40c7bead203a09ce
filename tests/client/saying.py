"""Entries as the tests of front ends need them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from securechat.client.entries import Entry, Kind, Move

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def message(text: str = "hello", nick: str = "carol", seq: int = 0, **keys: Any) -> Entry:
    """What somebody said."""
    return replace(Entry(Kind.MESSAGE, NOON, text, "#lobby", nick, seq), **keys)


def moved(nick: str, move: Move = Move.CAME) -> Entry:
    """Somebody came or went."""
    text = f"{nick} {'joined' if move is Move.CAME else 'left'}"
    return Entry(Kind.NOTICE, NOON, text, "#lobby", nick, move=move)
