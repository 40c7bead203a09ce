"""EIO and ENOSPC at each system call of a run: no acknowledgement for what is not there.

strace makes the k-th write, sync, open, truncation … on a file of the store fail, for each k of a
whole run with its first start, checkpoints and end. What must be true each time: the database
opens afterwards and holds exactly what was acknowledged, with or without the batch under way; a
full disk is got over by itself; behind a failed sync nothing is acknowledged any more and the
process ends, not with 0; whatever is refused is refused in one line for a person.

Part of the cases are the same with a whole server, as its clients see it.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from securechat.store.connections import DATABASE_NAME
from securechat.store.sqlite import open_store

from . import scale
from .crowd import Model, look, stamp
from .driver import BROKEN, DONE, NO_ROOM, REFUSED, history

SEED: Final = 7
#: The file that a process writes its marks to, beside the folder of its data.
MARKS_NAME: Final = "marks"
#: A disk that is full stays so for a while.
_FULL_FOR: Final = 3
_CALLS: Final = (
    *("pwrite64", "write", "fsync", "fdatasync", "openat", "ftruncate", "fallocate"),
    *("pread64", "mkdir", "rename", "unlink"),
)
_SYNCS: Final = frozenset({"fsync", "fdatasync"})
_FILES: Final = (
    *("", "securechat.lock", DATABASE_NAME, f"{DATABASE_NAME}-wal", f"{DATABASE_NAME}-shm"),
    *(f"{DATABASE_NAME}.new", f"{DATABASE_NAME}.new-journal"),
)
_MARK: Final = re.compile(r'write\(\d+<[^>]*/marks>, "([^"]*)\\n"')
_FAILED: Final = re.compile(r"(\w+)\((?:AT_FDCWD<[^>]*>, )?(?:\d+<([^>]*)>|\"([^\"]*)\").*INJECTED")


def _why_not() -> str:
    """Why system calls cannot be made to fail here; "" if they can."""
    strace = shutil.which("strace")
    if strace is None:
        return "strace is not installed (Debian: apt-get install strace)"
    probe = [strace, "-D", "-f", "--seccomp-bpf", "-e", "inject=getcwd:error=EIO", "pwd"]
    done = subprocess.run(probe, capture_output=True, text=True)
    if "INJECTED" not in done.stderr:
        return f"strace may not trace here: {done.stderr.strip()[-200:]}"
    return ""


@pytest.fixture(scope="module", autouse=True)
def strace() -> None:
    """Leave it all out, and say so, where there is no strace."""
    reason = _why_not()
    if reason:
        pytest.skip(reason)


pytestmark = scale.MARKS


class Case(NamedTuple):
    """The `number`-th `call` fails with `error`."""

    call: str
    number: int
    error: str

    @property
    def option(self) -> str:
        """The same for strace."""
        upto = f"..{self.number + _FULL_FOR - 1}" if self.error == "ENOSPC" else ""
        return f"inject={self.call}:error={self.error}:when={self.number}{upto}"


class Happened(NamedTuple):
    """A line of the log that counts: a mark, or a call that was made to fail."""

    mark: str
    call: str
    path: str


class Run(NamedTuple):
    """How a process ended: its exit code, what it printed, what happened in which order."""

    code: int
    output: str
    log: list[Happened]

    def count(self, word: str) -> int:
        return sum(it.mark.startswith(word) for it in self.log)


class Fault(AssertionError):
    """A promise was broken."""


def _trace(folder: Path, data: Path, files: Sequence[str], options: Sequence[str]) -> list[str]:
    """strace around a command that follows; it traces what is done with `files` and the marks."""
    paths = [str(data / name) for name in files] + [str(folder / MARKS_NAME)]
    return [
        *("strace", "-D", "-f", "--seccomp-bpf", "-y", "-s", "40", "-o", str(folder / "log")),
        *(word for path in paths for word in ("-P", path)),
        *("-e", f"trace={','.join(_CALLS)}"),
        *(word for option in options for word in ("-e", option)),
        sys.executable,
        "-m",
    ]


def _read_log(path: Path) -> Iterator[Happened]:
    for line in path.read_text(errors="replace").splitlines():
        if mark := _MARK.search(line):
            yield Happened(mark[1], "", "")
        elif failed := _FAILED.search(line):
            yield Happened("", failed[1], failed[2] or failed[3] or "")


# ------------------------------------------------------------------ the store alone


def _drive(folder: Path, case: Case | None, *flags: str) -> Run:
    command = _trace(folder, folder / "data", _FILES, [case.option] if case else [])
    with (folder / MARKS_NAME).open("wb") as marks:
        done = subprocess.run(
            [*command, "tests.gauntlet.driver", str(folder), str(SEED), *flags],
            cwd=scale.ROOT,
            stdout=marks,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    return Run(done.returncode, done.stderr, list(_read_log(folder / "log")))


def _check(folder: Path, case: Case, run: Run) -> None:
    """Raise `Fault` for a promise that was not kept."""
    if run.code not in (DONE, BROKEN, REFUSED):
        words = "there never was room" if run.code == NO_ROOM else run.output
        raise Fault(f"{case}: it ended with {run.code}: {words}")
    if run.code != DONE and not re.fullmatch(r"\S.*[.]\n", run.output):
        raise Fault(f"{case}: that is not one line for a person: {run.output!r}")
    _check_syncs(case, run)
    full = case.error == "ENOSPC" and case.call == "pwrite64"
    if full and run.count("begun") and run.code != DONE:
        raise Fault(f"{case}: it did not get over a full disk: {run.output}")
    states = [Model()]
    for number, batch in enumerate(history(SEED)):
        states.append(states[-1].copy())
        states[-1].commit(batch, stamp(number))
    acknowledged, begun = run.count("acknowledged"), run.count("begun")
    store = open_store(folder / "data")
    try:
        found = look(store, store.load())
    finally:
        store.close()
    if found not in (states[acknowledged].picture(), states[begun].picture()):
        wrong = found.differs(states[acknowledged].picture())
        raise Fault(f"{case}: {acknowledged} of {begun} batches were acknowledged, but {wrong}")


def _check_syncs(case: Case, run: Run) -> None:
    """Behind a failed sync nothing is acknowledged any more.

    SQLite does not look at whether a folder could be synced; the store syncs it itself.
    """
    failed = False
    for it in run.log:
        if it.mark == "closing":
            return
        if failed and it.mark.startswith("acknowledged"):
            raise Fault(f"{case}: {it.mark}, behind a sync that failed")
        failed = failed or (it.call in _SYNCS and Path(it.path).name.startswith(DATABASE_NAME))
    if failed and run.code == DONE:
        raise Fault(f"{case}: a sync failed, and it ended as if nothing had happened")


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    """Every call of a run in which nothing fails."""
    folder = tmp_path_factory.mktemp("canonical")
    run = _drive(folder, None)
    assert (run.code, run.log[-1].mark) == (DONE, "closing"), run.output
    lines = (folder / "log").read_text(errors="replace").splitlines()
    calls = Counter(line.split()[1].partition("(")[0] for line in lines if MARKS_NAME not in line)
    return [
        Case(call, number, error)
        for call in _CALLS
        for number in range(1, calls[call] + 1)
        for error in (("EIO",) if call == "pread64" else ("EIO", "ENOSPC"))
    ]


def test_nothing_is_acknowledged_that_is_not_there(
    cases: list[Case], tmp_path: Path, record_property: scale.RecordProperty
) -> None:
    portion = scale.Portion("system calls", len(cases), budget=9.0)
    codes = Counter[str]()

    def play(case: Case) -> None:
        folder = tmp_path / "-".join(map(str, case))
        folder.mkdir()
        run = _drive(folder, case)
        _check(folder, case, run)
        codes[_ENDS[run.code]] += 1
        shutil.rmtree(folder)

    portion.work_off(cases, play)
    scale.tell(record_property, portion.report(codes))


_ENDS: Final = {DONE: "went on", BROKEN: "stopped", REFUSED: "were not opened"}


def test_going_on_behind_a_failed_sync_is_noticed(cases: list[Case], tmp_path: Path) -> None:
    """The negative control: a server that heeds no failure."""
    syncs = [case for case in cases if case.call == "fdatasync" and case.error == "EIO"]
    case = syncs[len(syncs) // 2]
    run = _drive(tmp_path, case, "--heedless")
    assert run.code == DONE
    with pytest.raises(Fault, match="behind a sync that failed"):
        _check(tmp_path, case, run)


# ------------------------------------------------------------------ a whole server


class _Client:
    """Says one thing after the other, each again until it is answered; keeps what was echoed."""

    def __init__(self, port: int, ca: Path) -> None:
        context = ssl.create_default_context(cafile=str(ca))
        raw = socket.create_connection(("127.0.0.1", port), timeout=20.0)
        self._sock = context.wrap_socket(raw, server_hostname="localhost")
        self._stream = self._sock.makefile("rb")
        self.echoed: dict[str, int] = {}
        self.refused = 0

    def talk(self, count: int) -> bool:
        """Come in and say `count` drafts; False when the server ended it."""
        with self._sock, self._stream, suppress(OSError):
            self._send(type="command", id="h", name="hello", protocol=1, nick="bob")
            self._send(type="command", id="j", name="join", room="#lobby")
            number = 0
            self._say(number)
            while said := self._receive():
                if said["type"] == "chat":
                    self.echoed[said["id"]] = said["seq"]
                    number += 1
                elif said.get("code") == "storage" and self.refused < 200:
                    self.refused += 1
                elif said["event"] in ("bye", "error"):
                    return False
                else:
                    continue
                if number == count:
                    return True
                self._say(number)
        return False

    def _say(self, number: int) -> None:
        self._send(type="chat", id=f"d-{number}", to="#lobby", text=_text(number))

    def _send(self, **envelope: Any) -> None:
        payload = json.dumps(envelope).encode()
        self._sock.sendall(struct.pack("!I", len(payload)) + payload)

    def _receive(self) -> dict[str, Any] | None:
        header = self._stream.read(4)
        if len(header) < 4:
            return None
        said: dict[str, Any] = json.loads(self._stream.read(struct.unpack("!I", header)[0]))
        return said


def _text(number: int) -> str:
    return f"{number} ".ljust(500, "x")


_DRAFTS: Final = 10
#: Only what belongs to the hub: its log and its database.
_HUB_FILES: Final = (DATABASE_NAME, f"{DATABASE_NAME}-wal")
SERVER_CASES: Final = [
    Case(call, number, error)
    for call, count in (("fdatasync", 10), ("pwrite64", 40))
    for number in range(1, count + 1)
    for error in ("EIO", "ENOSPC")
]


def _serve(folder: Path, case: Case, certs: Path) -> tuple[Run, _Client]:
    """A server in which `case` happens, and a client that spoke with it."""
    open_store(folder / "data").close()
    command = _trace(folder, folder / "data", _HUB_FILES, [case.option])
    server = subprocess.Popen(
        [
            *command,
            *("securechat", "serve", "--port", "0", "--rate", "0", "--certs", str(certs)),
            *("--data", str(folder / "data")),
        ],
        cwd=scale.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    watchdog = threading.Timer(40.0, server.kill)
    watchdog.start()
    try:
        assert server.stdout is not None
        listens = re.search(r":(\d+)$", server.stdout.readline().rstrip())
        assert listens, server.communicate()
        client = _Client(int(listens[1]), certs / "ca.pem")
        if client.talk(_DRAFTS):
            server.send_signal(signal.SIGTERM)
        _, errors = server.communicate()
    finally:
        watchdog.cancel()
        if server.poll() is None:
            server.kill()
            server.communicate()
    return Run(server.returncode, errors, list(_read_log(folder / "log"))), client


def _check_served(folder: Path, case: Case, run: Run, client: _Client) -> None:
    failed = any(it.call in _SYNCS for it in run.log)
    if "Traceback" in run.output:
        raise Fault(f"{case}: {run.output}")
    if run.code not in (0, 1) or (failed and run.code == 0):
        raise Fault(f"{case}: it ended with {run.code}: {run.output}")
    if run.code == 1 and "`securechat db check`" not in run.output:
        raise Fault(f"{case}: it does not say what to do: {run.output}")
    if case.call == "pwrite64" and case.error == "ENOSPC":
        if run.code or len(client.echoed) != _DRAFTS:
            raise Fault(f"{case}: it did not get over a full disk: {run.output}")
        # A batch without a message, an arrival alone, has nobody in it who could be refused.
        if run.log and not client.refused and "until there is room again" not in run.output:
            raise Fault(f"{case}: the disk was full, and nobody was told")
    store = open_store(folder / "data")
    try:
        snapshot = store.load()
        _, payloads = look(store, snapshot).messages.get("#lobby", (0, ()))
    finally:
        store.close()
    stored = {said["id"]: said for said in map(json.loads, payloads)}
    wanted = [(f"d-{number}", number + 1, _text(number)) for number in range(len(stored))]
    if [(it["id"], it["seq"], it["text"]) for it in stored.values()] != wanted:
        raise Fault(f"{case}: stored is {list(stored)}")
    if client.echoed != {id: seq for id, seq, _ in wanted[: len(client.echoed)]}:
        raise Fault(f"{case}: echoed was {client.echoed}, stored is {list(stored)}")


def test_a_server_echoes_nothing_that_is_not_there(
    certificates: Any, tmp_path: Path, record_property: scale.RecordProperty
) -> None:
    portion = scale.Portion("system calls of a server", len(SERVER_CASES), budget=4.0)
    counts = Counter[str]()

    def play(case: Case) -> None:
        folder = tmp_path / "-".join(map(str, case))
        folder.mkdir()
        run, client = _serve(folder, case, certificates.directory)
        _check_served(folder, case, run, client)
        counts["stopped" if run.code else "went on"] += 1
        counts["refused for want of room"] += client.refused
        counts["echoed"] += len(client.echoed)

    portion.work_off(SERVER_CASES, play)
    scale.tell(record_property, portion.report(counts))
