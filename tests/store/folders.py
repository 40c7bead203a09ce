"""What the tests of the store on disk share: messages, folders, and how to look into them."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import apsw

from securechat.protocol.codec import decode_server
from securechat.protocol.envelopes import Posted
from securechat.records import KeepIdentity, NewMessage, Page, Snapshot
from securechat.store.connections import DATABASE_NAME
from securechat.store.sqlite import SqliteStore, open_store

TS, LATER = "2026-05-04T03:02:01.000000Z", "2026-05-04T03:02:02.500000Z"
ANN, BOB, EVE = 1, 2, 3
PLENTY = 10**6
DAY = 86_400
NOON = 1_800_000_000.0  # 2027-01-15


def connect(path: Path) -> apsw.Connection:
    return apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)


def query(path: Path, sql: str) -> list[Any]:
    db = connect(path)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def message(
    id: str, text: str = "hi", *, to: str = "#a", by: int = ANN, key: str = ""
) -> NewMessage:
    return NewMessage(key or to, by, id, to, f"nick{by}", text, None, False)


def identity(number: int, nick: str) -> KeepIdentity:
    return KeepIdentity(number, nick, bytes([number]) * 32, 1.5)


def posted(payload: bytes) -> Posted:
    chat = decode_server(payload)
    assert isinstance(chat, Posted)
    return chat


def numbers(page: Page) -> list[int]:
    return [posted(payload).seq for payload in page.payloads]


@contextmanager
def opened(directory: Path, **options: Any) -> Iterator[tuple[SqliteStore, Snapshot]]:
    """A store for as long as the block lasts, and what it held."""
    with closing(open_store(directory, **options)) as store:
        yield store, store.load()


def texts(directory: Path, conversation: str = "#a") -> dict[int, str]:
    """What a conversation holds, to whoever opens the folder."""
    with opened(directory) as (store, snapshot):
        return read(store, conversation, snapshot.heads.get(conversation, 0))


def read(store: SqliteStore, conversation: str = "#a", head: int = PLENTY) -> dict[int, str]:
    """What a conversation holds, to a reader."""
    with closing(store.reader()) as reader:
        page = reader.after(conversation, 0, head, PLENTY, PLENTY)
    return {chat.seq: chat.text for chat in map(posted, page.payloads)}


def waiting(store: SqliteStore) -> int:
    """How many messages wait in the journal."""
    return len(store._journal)


def damage(directory: Path, sql: str, *values: Any) -> None:
    """Change a database as no store of ours would."""
    with closing(apsw.Connection(str(directory / DATABASE_NAME))) as db:
        db.execute(sql, values)


_KILLED = """
import os, signal, sys
from pathlib import Path
from securechat.records import NewMessage
from securechat.store.sqlite import open_store
store = open_store(Path(sys.argv[1]))
store.load()
for n in range(200):
    store.commit([NewMessage("#a", 1, str(n), "#a", "ann", f"text {n}", None, False)], sys.argv[2])
    print(n, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def be_killed(directory: Path) -> list[int]:
    """A server stores 200 messages in #a and is killed; which of them it said were stored."""
    command = [sys.executable, "-c", _KILLED, str(directory), TS]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    assert done.returncode == -signal.SIGKILL
    return [int(line) for line in done.stdout.split()]


def names(directory: Path) -> list[str]:
    """The files in a folder but those that every database has beside it."""
    every = {f"{DATABASE_NAME}{suffix}" for suffix in ("", "-wal", "-shm")} | {"securechat.lock"}
    return sorted(path.name for path in directory.iterdir() if path.name not in every)
