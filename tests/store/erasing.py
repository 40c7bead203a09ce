"""What the tests of erasing share: rooms full of texts that can be told apart in a file."""

from __future__ import annotations

import random
from contextlib import closing
from pathlib import Path

from securechat.records import KeepAct, NewMessage, RemoveMessage

from .folders import ANN, TS, identity, opened


def fill(folder: Path, messages: int, *, rooms: int) -> None:
    """A database in which many rooms talked at once, so that pages were split all over it."""
    dice = random.Random(7)
    with opened(folder) as (store, _):
        store.commit([identity(ANN, "ann")], TS)
        for start in range(0, messages, 200):
            store.commit([said(number, dice, rooms) for number in range(start, start + 200)], TS)


def said(number: int, dice: random.Random, rooms: int) -> NewMessage:
    room = f"#r{dice.randrange(rooms)}"
    text = f"SECRET-{number:06d}-" + "x" * dice.randrange(5, 900) + f"-END-{number:06d}"
    return NewMessage(room, ANN, f"id-{number}", room, "ann", text, None, False)


def removal(room: str, seq: int) -> RemoveMessage:
    return RemoveMessage(room, seq, None, KeepAct(ANN, "ann", "remove"))


def remains(folder: Path, tokens: list[str]) -> dict[str, list[str]]:
    """Of each file, which tokens stand in it."""
    data = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    found = {name: [it for it in tokens if it.encode() in held] for name, held in data.items()}
    return {name: held for name, held in found.items() if held}


def said_still(folder: Path) -> set[str]:
    """The tokens of all texts that are there."""
    with opened(folder) as (store, snapshot), closing(store.reader()) as reader:
        pages = [reader.after(room, 0, head, 10**6, 10**9) for room, head in snapshot.heads.items()]
    payloads = [payload.decode() for page in pages for payload in page.payloads]
    return {payload.partition('"text":"')[2][:13] for payload in payloads}
