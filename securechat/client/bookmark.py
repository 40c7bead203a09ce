"""How far a script has read: one number per server, nick and conversation, on disk.

A bookmark is held by one process at a time (`flock` on a file beside it), so of two that read at
once none tells what the other has told. Raised is `BookmarkError`. A damaged file is taken for an
absent one, and said so by `note`.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import SecureChatError
from .private import describe, key_of, make_folder, read_private, replace_private

_LIMIT: Final = 65_536


class BookmarkError(SecureChatError):
    """It is in use, or the disk refused; the message says what to do."""


class _Kept(BaseModel):
    """The file. A `seq` means something only under its `epoch`."""

    model_config = ConfigDict(strict=True, frozen=True, hide_input_in_errors=True)

    version: Literal[1] = 1
    conversation: str
    epoch: str
    seq: int = Field(ge=0)


class Bookmark:
    """Held from `with` to its end."""

    def __init__(
        self,
        folder: Path,
        host: str,
        port: int,
        nick: str,
        conversation: str,
        note: Callable[[str], None],
    ) -> None:
        name = f"{key_of(host, port, nick)}\n{conversation.casefold()}".encode()
        self._path = folder / f"bookmark-{hashlib.sha256(name).hexdigest()[:24]}.json"
        self._conversation = conversation
        self._note = note
        self._lock = -1

    def __enter__(self) -> Self:
        with _explained():
            make_folder(self._path.parent)
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            self._lock = os.open(self._path.with_suffix(".lock"), flags, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise BookmarkError(
                f"Another `tail --after last` of this nick reads {self._conversation} just now;"
                " wait for it, or take another --nick."
            ) from None
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        os.close(self._lock)

    def load(self, epoch: str) -> int | None:
        """The last message that was read of this history; None: none is known."""
        with _explained():
            try:
                data = read_private(self._path, _LIMIT)
            except FileNotFoundError:
                return None
        try:
            kept = _Kept.model_validate_json(data or b"")
        except ValidationError:
            self._note(f"{self._path} is damaged: how far was read before is not known")
            return None
        if kept.epoch != epoch:
            self._note("the server's history is another one than before: reading begins anew")
            return None
        return kept.seq

    def save(self, epoch: str, seq: int) -> None:
        """All up to `seq` was read."""
        kept = _Kept(conversation=self._conversation, epoch=epoch, seq=seq)
        with _explained():
            replace_private(self._path, kept.model_dump_json().encode() + b"\n")


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BookmarkError(f"How far was read cannot be kept. {describe(error)}.") from error
