"""What stands half typed in each conversation, kept for the next start of the window.

One small JSON file for each server and nick, in the user's state folder, readable by them alone.
It is written by a thread of its own, for a disk may be slow. What cannot be read is taken for
nothing, and what cannot be written is logged: a sentence is not worth a window.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from queue import SimpleQueue
from typing import Final

from ..client.private import key_of, make_folder, open_private, read_all, replace_private

log = logging.getLogger(__name__)

_LIMIT: Final = 1 << 20


class Unfinished:
    """The texts of one nick on one server, by conversation."""

    def __init__(self, folder: Path, host: str, port: int, nick: str) -> None:
        self._folder = folder
        self._path = folder / f"typed-{key_of(host, port, nick)}.json"
        self._queue: SimpleQueue[bytes | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="gui-unfinished", daemon=True)
        self._kept = b"{}"

    def load(self) -> dict[str, str]:
        """What was kept; call it before `keep`."""
        try:
            descriptor = open_private(self._path)
            try:
                data = read_all(descriptor, _LIMIT)
            finally:
                os.close(descriptor)
            texts = json.loads(data or b"{}")
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as problem:
            log.warning("what was typed before cannot be read: %s", problem)
            return {}
        if not isinstance(texts, dict):
            return {}
        self._kept = data or b"{}"
        return {name: text for name, text in texts.items() if isinstance(text, str)}

    def keep(self, texts: Mapping[str, str]) -> None:
        """Keep these and no others; returns at once."""
        data = json.dumps(dict(sorted(texts.items())), ensure_ascii=True).encode()
        if data == self._kept or len(data) > _LIMIT:
            return
        self._kept = data
        if not self._thread.is_alive():
            self._thread.start()
        self._queue.put(data)

    def close(self, timeout: float) -> None:
        """Wait, for so many seconds at most, until it is written."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join(timeout)

    def _work(self) -> None:
        while (data := self._queue.get()) is not None:
            try:
                make_folder(self._folder)
                replace_private(self._path, data)
            except OSError as problem:
                log.warning("what is typed cannot be kept: %s", problem)
