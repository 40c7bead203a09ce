"""One look at a database beside a server, for who looks after it.

In: the path of a database. Out: the `execute` of one snapshot, to run SELECTs on. Raised:
`StoreRefused`, with the path, the reason and the cure. As long as it is held the server's log
cannot be used again and grows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from ..errors import StoreRefused
from .connections import connect_reader, refuse
from .migrations import recognise


@contextmanager
def reading(path: Path) -> Iterator[Callable[..., Any]]:
    """One snapshot of the database, to run SELECTs on."""
    if not path.exists():
        raise StoreRefused(f"{path}: there is no database. Give its folder with --data.")
    db = connect_reader(path)
    try:
        recognise(db, path)
        db.execute("BEGIN")
        yield db.cursor().execute
    except (apsw.Error, UnicodeDecodeError) as error:
        raise refuse(path, error, db) from error
    finally:
        db.close()
