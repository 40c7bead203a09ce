"""The file of known servers, `known_servers` in the user's state folder: 0600, replaced whole.

Who changes it holds a lock, so that two clients that meet two servers at once keep both. A file
that is damaged, or that others could have written, is never taken for an empty one: that would
trade a pin for a question. Raised: `NotTrusted` for such a file, `ClientError` where it cannot be
written; each is one line with the cure.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ..errors import ClientError, NotTrusted
from .known_servers import KnownServers
from .private import describe, make_folder, read_private, replace_private

NAME: Final = "known_servers"

_LIMIT: Final = 1 << 20
_LOCK: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


class KnownFile:
    """The known servers that are kept in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.path = folder / NAME

    def load(self) -> KnownServers:
        """What is known; nothing, when there is no file."""
        try:
            data = read_private(self.path, _LIMIT)
        except (FileNotFoundError, NotADirectoryError):
            return KnownServers()
        except OSError as error:
            raise NotTrusted(
                f"The servers we know cannot be looked up ({describe(error)}), so none is trusted. "
                "Nothing was sent."
            ) from error
        try:
            return KnownServers.parse(_text(data))
        except ValueError as error:
            raise NotTrusted(
                f"{self.path} cannot be used ({error}), so no server is trusted. Mend that line, "
                "or move the file away and compare the fingerprints anew. Nothing was sent."
            ) from error

    def change(self, edit: Callable[[KnownServers], KnownServers]) -> None:
        """Replace what is known by what `edit` makes of it."""
        try:
            with self._locked():
                replace_private(self.path, edit(self.load()).render().encode())
        except OSError as error:
            raise ClientError(
                f"The servers we know could not be written down ({describe(error)}). See to the "
                "folder, or name another one with XDG_STATE_HOME."
            ) from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        make_folder(self._folder)
        descriptor = os.open(self.path.with_name(f"{NAME}.lock"), _LOCK, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _text(data: bytes | None) -> str:
    if data is None:
        raise ValueError(f"it is longer than {_LIMIT:,} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
