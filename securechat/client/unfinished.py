"""What was being typed, for the next start: one small file per server and nick.

Readable by its owner alone. `load` gives what an earlier run left; what cannot be used is taken
for absent: a sentence is not worth a start. `keep` returns at once: a thread of its own writes, so
that a slow disk never holds up a key. What went wrong is in `problem`, one line for a person.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from queue import SimpleQueue
from typing import Final

from .private import describe, key_of, make_folder, read_private, replace_private

_LIMIT: Final = 1 << 20
_NOTHING: Final = b"{}"


class Unfinished:
    """The texts of one nick on one server, by conversation."""

    def __init__(self, folder: Path, host: str, port: int, nick: str) -> None:
        self.path = folder / f"unfinished-{key_of(host, port, nick)}.json"
        self.problem: str | None = None
        self._queue: SimpleQueue[bytes | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="unfinished", daemon=True)
        self._latest: bytes | None = None

    def load(self) -> dict[str, str]:
        """What was being typed when the last run ended; call it before `keep`."""
        try:
            kept = json.loads(read_private(self.path, _LIMIT) or b"{}")
        except FileNotFoundError:
            kept = {}
        except (OSError, ValueError):  # it was only half a sentence
            kept = {}
        found = kept.items() if isinstance(kept, dict) else ()
        texts = {name: text for name, text in found if isinstance(text, str)}
        self._latest = _encode(texts)
        return texts

    def keep(self, texts: Mapping[str, str]) -> None:
        """Have the file say this, if it does not already."""
        data = _encode(texts)
        if data == self._latest:
            return
        if len(data) > _LIMIT:
            self.problem = "What you were typing could not be kept. It is too long."
            return
        self._latest = data
        if not self._thread.is_alive():
            self._thread.start()
        self._queue.put(self._latest)

    def close(self, timeout: float) -> None:
        """Wait, for so many seconds at most, until the last word is written."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join(timeout)

    def _work(self) -> None:
        while (data := self._queue.get()) is not None:
            try:
                self._write(data)
            except OSError as error:
                self.problem = f"What you were typing could not be kept. {describe(error)}."

    def _write(self, data: bytes) -> None:
        if data == _NOTHING:
            self.path.unlink(missing_ok=True)
        else:
            make_folder(self.path.parent)
            replace_private(self.path, data)


def _encode(texts: Mapping[str, str]) -> bytes:
    return json.dumps(texts, sort_keys=True).encode()  # ASCII: lone surrogates are kept, too
