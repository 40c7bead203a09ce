"""Overwriting what stands in the unused parts of a database's pages.

SQLite moves rows when it splits a page and leaves the old bytes where they were, in parts of the
page that nothing refers to (PRAGMA secure_delete overwrites what is deleted, not what was moved;
measured: one text in twenty stood somewhere else too). So where a text is to be gone, the file is
gone through once, and whatever is unused in it is overwritten in place.

In: a database whose log has been cut off. Out: how far we have come. Raised: what SQLite's file
layer raises (`apsw.Error`).

It is the file format that is relied on (sqlite.org/fileformat2.html, 1.5 and 1.6), and that bytes
outside of cells mean nothing. Only the owner of the writing connection may call this: nothing else
writes to the file, and readers have no use for those bytes. The file is opened by SQLite's own
layer, for to close a descriptor of another would drop the locks that this process has on it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import apsw

_FILE_HEADER: Final = 100
#: First byte of a b-tree page -> the length of its header.
_HEADERS: Final = {2: 12, 5: 12, 10: 8, 13: 8}
#: With more pages than this, the first byte of another page's number might be one of those.
_MOST_PAGES: Final = 1 << 24


def unused_spans(page: bytes, usable: int, *, first: bool) -> list[tuple[int, int]]:
    """The parts of a b-tree page that nothing refers to; none of what is no such page.

    `first`: it is the file's first page, which has the file's header in front.
    """
    start = _FILE_HEADER if first else 0
    header = _HEADERS.get(page[start])
    if header is None:
        return []
    cells = int.from_bytes(page[start + 3 : start + 5], "big")
    content = int.from_bytes(page[start + 5 : start + 7], "big") or 65_536
    gap = start + header + 2 * cells
    if not gap <= content <= usable:
        return []
    spans = [(gap, content)]
    block = int.from_bytes(page[start + 1 : start + 3], "big")
    while block:
        following = int.from_bytes(page[block : block + 2], "big")
        stop = block + int.from_bytes(page[block + 2 : block + 4], "big")
        if block < content or stop > usable or (following and following < stop):
            return []
        spans.append((block + 4, stop))  # its first four bytes say where the next one is
        block = following
    return spans


class Scrub:
    """One walk through a database file, a stretch at a time."""

    def __init__(self, path: Path, vfs: str | None, page_size: int) -> None:
        self._path = path
        self._vfs = vfs or ""
        self._size = page_size
        self._at = 0  #: the page that is next, from 0

    def begin_again(self) -> None:
        """Go through all of the file once more."""
        self._at = 0

    def run(self, pages: int) -> bool:
        """See to so many pages; True when that was the last of them."""
        flags = [apsw.SQLITE_OPEN_MAIN_DB | apsw.SQLITE_OPEN_READWRITE, 0]
        file = apsw.VFSFile(self._vfs, str(self._path), flags)
        try:
            count = file.xFileSize() // self._size
            start, self._at = self._at, min(count, self._at + pages)
            if count < _MOST_PAGES and start < self._at:
                self._overwrite(file, start, self._at)
        finally:
            file.xClose()
        return self._at == count

    def _overwrite(self, file: apsw.VFSFile, start: int, stop: int) -> None:
        size = self._size
        data = file.xRead((stop - start) * size, start * size)
        head = file.xRead(_FILE_HEADER, 0)
        usable, free = size - head[20], self._free_spans(file, head)
        is_written = False
        for number in range(start, stop):
            offset = (number - start) * size
            page = data[offset : offset + size]
            span = free.get(number + 1)
            spans = [span] if span else unused_spans(page, usable, first=number == 0)
            for begin, end in spans:
                if page.count(0, begin, end) < end - begin:
                    file.xWrite(bytes(end - begin), number * size + begin)
                    is_written = True
        if is_written:
            file.xSync(apsw.SQLITE_SYNC_NORMAL)

    def _free_spans(self, file: apsw.VFSFile, head: bytes) -> dict[int, tuple[int, int]]:
        """What is unused in pages that are in no use: all of it, but for the lists of them."""
        spans: dict[int, tuple[int, int]] = {}
        trunk = int.from_bytes(head[32:36], "big")
        while trunk:
            page = file.xRead(self._size, (trunk - 1) * self._size)
            count = int.from_bytes(page[4:8], "big")
            spans[trunk] = (8 + 4 * count, self._size)
            for at in range(8, 8 + 4 * count, 4):
                spans[int.from_bytes(page[at : at + 4], "big")] = (0, self._size)
            trunk = int.from_bytes(page[:4], "big")
        return spans
