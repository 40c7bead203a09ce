"""A look at the machine of a server: what `securechat doctor --server` finds in its folders.

Out come `Finding`s. A server may run meanwhile: nothing of its is changed, and the one file that is
written, to see how long the disk takes, is removed. Nothing is raised for what a disk can be.
"""

from __future__ import annotations

import os
import resource
import shlex
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import apsw

from ..certs import check_server_pair
from ..errors import CertificateError, StoreError
from ..findings import Finding, fail, ok, skipped, warn
from ..store.connections import DATABASE_NAME, connect_reader, refuse
from ..store.lock import holder_of
from ..store.migrations import recognise
from .certificates import WARN_WITHIN

_WRITES: Final = 20
_BLOCK: Final = b"\0" * 4_096
_SLOW_SYNC: Final = 0.02
#: Bytes that must be free, and that should be.
_LEAST: Final = 100 << 20
_FEW: Final = 1 << 30
#: Descriptors that a server takes besides its connections, about.
_OWN: Final = 64
_USUAL: Final = 1_024

#: Releases with the bug that can lose what was committed when several connections write and
#: checkpoint at once (sqlite.org/wal.html, "The WAL-Reset Bug"), but for those it was mended in.
_WAL_RESET: Final = ((3, 7, 0), (3, 51, 2))
_MENDED: Final = ((3, 44, 6), (3, 50, 7))


def examine(data: Path, certs: Path, connections: int) -> Iterator[Finding]:
    """All of it, in order; `connections` is the most that the server is told to take."""
    yield _sqlite(apsw.sqlite_lib_version())
    yield _descriptors(*resource.getrlimit(resource.RLIMIT_NOFILE), connections)
    yield from _certificates(certs, datetime.now(UTC))
    if not data.is_dir():
        cure = shlex.join(["securechat", "serve", "--data", str(data)])
        yield fail("data", f"there is no folder {data}", cure)
        yield from map(skipped, ("running", "disk", "fsync", "database"))
        return
    yield _folder(data)
    yield _running(data)
    yield _disk(data)
    yield _sync(data)
    yield _database(data)


def _sqlite(version: str) -> Finding:
    number = tuple(int(part) for part in version.split(".")[:3])
    low, high = _WAL_RESET
    is_mended = any(number[:2] == one[:2] and number >= one for one in _MENDED)
    if low <= number <= high and not is_mended:
        text = f"{version} can lose committed messages (the WAL-reset bug)"
        return fail("sqlite", text, "pip install --upgrade 'apsw>=3.51.3'")
    return ok("sqlite", f"{version}, none of its known bugs is ours")


def _descriptors(soft: int, hard: int, connections: int) -> Finding:
    """A server raises its own limit as far as it may."""
    if hard == resource.RLIM_INFINITY:
        return ok("descriptors", f"no limit, so the {connections:,} connections that it may take")
    room = max(0, hard - _OWN)
    if room >= connections:
        text = f"{hard:,}, enough for the {connections:,} connections that it may take"
        return ok("descriptors", f"{text} (now {soft:,})")
    text = f"{hard:,}, so {room:,} connections at most (now {soft:,})"
    if hard <= _USUAL:
        return warn("descriptors", text, "ulimit -Hn 20000  # systemd: LimitNOFILE=20000")
    return ok("descriptors", text)


def _certificates(folder: Path, now: datetime) -> Iterator[Finding]:
    out = [] if folder == Path("certs") else ["--out", str(folder)]
    if not any((folder / name).exists() for name in ("cert.pem", "key.pem")):
        cure = shlex.join(["securechat", "gen-certs", *out])
        yield warn("certificate", f"there is none in {folder}; `serve` makes it", cure)
        return
    try:
        pair = check_server_pair(folder, now=now)
    except CertificateError as error:
        cure = shlex.join(["securechat", "gen-certs", *out])
        yield fail("certificate", str(error), cure)
        return
    left = pair.not_after - now
    text = f"good for {left.days} days, for {', '.join(pair.hosts)}"
    if left < WARN_WITHIN:
        cure = shlex.join(["securechat", "gen-certs", "--renew", *out])
        yield warn("certificate", text, f"{cure} && securechat reload")
    else:
        yield ok("certificate", text)
    yield ok("key", pair.key_fingerprint)
    if pair.ca_key.exists() and pair.ca_key.stat().st_mode & 0o077:
        text = f"others may read {pair.ca_key}, and pose as this server"
        yield fail("ca key", text, shlex.join(["chmod", "600", str(pair.ca_key)]))


def _folder(data: Path) -> Finding:
    status = data.stat()
    if status.st_uid != os.geteuid() and os.geteuid() != 0:
        return fail("data", f"{data} belongs to someone else: be the user that serves")
    files = [path for path in data.glob(f"{DATABASE_NAME}*") if path.stat().st_mode & 0o077]
    if files:
        cure = shlex.join(["chmod", "600", *map(str, sorted(files))])
        return warn("data", f"others may read what was said, in {data}", cure)
    return ok("data", f"{data}")


def _running(data: Path) -> Finding:
    holder = holder_of(data)
    if holder is None:
        return ok("running", "no server uses this folder now")
    return ok("running", f"process {holder} serves it" if holder else "a server is starting on it")


def _disk(data: Path) -> Finding:
    try:
        free = shutil.disk_usage(data).free
    except OSError as error:
        return fail("disk", f"{data}: {error.strerror}")
    text = f"{free / (1 << 30):.1f} GiB free"
    cure = shlex.join(["securechat", "db", "stats", "--data", str(data)])
    if free < _LEAST:
        return fail("disk", f"{text}: soon nothing can be stored", cure)
    return warn("disk", text, cure) if free < _FEW else ok("disk", text)


def _sync(data: Path) -> Finding:
    """Each batch of messages waits for one fsync: it is the least that a message takes."""
    took = []
    try:
        with tempfile.TemporaryFile(dir=data, buffering=0) as file:
            for _ in range(_WRITES):
                began = time.monotonic()
                file.write(_BLOCK)
                os.fsync(file.fileno())
                took.append(time.monotonic() - began)
    except OSError as error:
        return fail("fsync", f"{data} cannot be written: {error.strerror}")
    middle = statistics.median(took)
    text = f"{middle * 1_000:.1f} ms in the middle, {max(took) * 1_000:.1f} ms at most"
    if middle > _SLOW_SYNC:
        return warn("fsync", f"{text}: each message waits for so long")
    return ok("fsync", text)


def _database(data: Path) -> Finding:
    """A light look; `db check` reads every page."""
    path = data / DATABASE_NAME
    if not path.exists():
        return ok("database", "none yet; `serve` makes it")
    cure = shlex.join(["securechat", "db", "check", "--data", str(data)])
    try:
        db = connect_reader(path)
        try:
            version = recognise(db, path)
            epoch = db.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchall()
        except apsw.Error as error:
            raise refuse(path, error, db) from error
        finally:
            db.close()
    except StoreError as error:
        return fail("database", str(error), cure)
    size = path.stat().st_size / (1 << 20)
    if not epoch:
        return fail("database", "the epoch is missing", cure)
    return ok("database", f"version {version}, {size:.1f} MiB; `{cure}` reads all of it")
