"""Traces of erased texts, in the log and in unused parts of the file, are taken away.

In: a database from which texts were erased, which `removal` has noted in it. Out: when nothing is
left. Raised: what `judge` makes of SQLite's errors.

The log is cut off first, for a text stands in it too; then the file is looked through a stretch at
a time (`scrub`), so that a large one stops nobody; then the note is taken away. A server that dies
before that does it at its next start.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import apsw

from .removal import forget, is_noted
from .scrub import Scrub
from .wal import Wal

#: Pages of the file that are seen to at a time after a text was erased: 4 MiB, some milliseconds.
SCRUB_PAGES: Final = 1_024


def finish_erasing(db: apsw.Connection, path: Path, vfs: str | None) -> None:
    """Overwrite traces of erased texts that a server left which died before it was done."""
    if not is_noted(db.execute):
        return
    scrub = Scrub(path, vfs, int(db.pragma("page_size")))
    while not scrub.run(SCRUB_PAGES):
        pass
    db.release_memory()
    forget(db.execute)


class Traces:
    """What may be left of erased texts; `note_gone` is called when nothing is.

    `judge` tells what an error of SQLite means.
    """

    def __init__(
        self,
        new_scrub: Callable[[], Scrub],
        wal: Wal,
        *,
        judge: Callable[[BaseException], BaseException],
        note_gone: Callable[[], None],
    ) -> None:
        self._new_scrub = new_scrub
        self._wal = wal
        self._judge = judge
        self._note_gone = note_gone
        #: The walk on which they are overwritten; None: there are none.
        self._scrub: Scrub | None = None

    @property
    def may_be_left(self) -> bool:
        """Whether there is something to `clear`."""
        return self._scrub is not None

    def add(self) -> None:
        """A text was erased: go through all of the file, a small one at once."""
        if self._scrub is None:
            self._scrub = self._new_scrub()
        self._scrub.begin_again()
        self.clear()

    def clear(self) -> bool:
        """See to a stretch of the file; True when there is more that can be done now."""
        assert self._scrub is not None
        if not self._wal.cut():  # a reader holds it; it will be asked again
            return False
        try:
            done = self._scrub.run(SCRUB_PAGES)
        except apsw.Error as error:
            raise self._judge(error) from error
        if not done:
            return True
        self._scrub = None
        self._note_gone()
        return False
