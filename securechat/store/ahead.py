"""Keeps the file of SQLite's log longer than what is in it, so that a commit need not lengthen it.

A commit that makes a file longer has the file system write down its new length too: 140 to 200 us
of CPU and a second trip to the disk, where one that writes over what is there takes 55 to 90 us.
SQLite writes over its log from the second round on; in the first, and after each start, this does
what an earlier round would have done. Zeros behind the last page are the end of the log for
SQLite, as is whatever is left there of an earlier round (its file format, 4.4).

In: how many pages the log has, after a commit. Out: zeros at the end of its file. Raised: nothing;
where there is no room for them, the commits go on without.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

#: Pages that the file is made longer by at a time, and how few may be left.
STEP: Final = 64
_LEAST: Final = STEP // 2
#: What stands before the first page of the log and before each (SQLite's file format, 4.1), bytes.
_LOG_HEAD: Final = 32
_PAGE_HEAD: Final = 24


class Ahead:
    """The file of one log, which begins anew after `most` pages; call `lengthen` beyond `until`."""

    def __init__(self, database: Path, page_size: int, most: int) -> None:
        self._path = database.with_name(database.name + "-wal")
        self._page_size = page_size + _PAGE_HEAD
        self._most = most
        #: With so many pages in the log there is nothing to do.
        self.until = 0

    def lengthen(self, pages: int) -> None:
        """There are `pages` in the log: see that there is room for more."""
        if pages >= self._most:
            return  # it begins anew in a moment, or is long for once
        try:
            descriptor = os.open(self._path, os.O_WRONLY)
            try:
                self._lengthen(descriptor, pages)
            finally:
                os.close(descriptor)
        except OSError as error:  # a commit says what is wrong, if it is in the way of one
            log.debug("%s: not made longer: %s", self._path, error)
            self.until = self._most

    def _lengthen(self, descriptor: int, pages: int) -> None:
        size = os.fstat(descriptor).st_size
        there = (size - _LOG_HEAD) // self._page_size
        if there < pages + _LEAST:
            there = pages + STEP
            end = _LOG_HEAD + there * self._page_size
            os.pwrite(descriptor, bytes(end - size), size)
        self.until = there - _LEAST

    def forget(self) -> None:
        """The file was cut off."""
        self.until = 0
