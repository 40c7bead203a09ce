"""Readers that never read, in a room at full speed: the server does not grow, and loses nothing.

After a quiet spell, which fills the caches of the database and shows what is usual, readers come in
and stop reading at once, while two members say as much as the server takes and a third one takes
the pulse: how long an echo needs. Then all readers read what they have missed. The memory of the
server (anonymous pages, so that files it has mapped do not count) must stay flat meanwhile: a slow
reader costs a page, however much waits for it.

In the gauntlet they also stay away for longer than the server has patience with: they are sent away
(`slow_consumer`), come back with `after`, and miss nothing either.
"""

from __future__ import annotations

import json
import socket
import ssl
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final

from securechat.protocol.framing import DEFAULT_MAX_FRAME, FrameDecoder, encode_frame
from securechat.server.logs import BURST
from securechat.torture.arena import Arena
from securechat.torture.ledger import Ledger, Row
from securechat.torture.swarm import Member

from . import scale

pytestmark = scale.MARKS

FULL: Final = 1_000
#: Readers in an ordinary run of the tests.
_FEW: Final = 8
_ROOM: Final = "#busy"
_LENGTH: Final = (3_000, 3_900)
_WRITERS: Final = 2
_WINDOW: Final = 100
_MB: Final = 1_000_000
#: What is said in the quiet spell, before which SQLite's own cache grows, and while nobody reads.
_QUIET_BYTES: Final = 40 * _MB
_STALLED_BYTES: Final = 16 * _MB
#: What the server may grow by: at all, and for each reader while it stalls and while it reads.
_SLACK: Final = 8 * _MB
_STALLED_COST: Final = 40_000
_READING_COST: Final = 200_000
#: Longer than the server waits for somebody who reads nothing, seconds.
_OVERLONG: Final = 75.0
_BROKEN: Final = (sys.executable, "-m", "tests.gauntlet.broken_server")


class Reader:
    """A bare TLS connection that joined the room and reads when it is told to, not before."""

    def __init__(self, nick: str, arena: Arena) -> None:
        self.nick = nick
        self.cursor = -1
        self.sent_away = 0
        self._arena = arena
        self._session: str | None = None
        self._sock = self._connect()

    def _connect(self) -> ssl.SSLSocket:
        raw = socket.socket()
        raw.settimeout(60.0)
        # Little waits in the kernel, so that it is the server that has to wait for us.
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 * 1024)
        raw.connect(("127.0.0.1", self._arena.server.port))
        sock = self._arena.guard.context.wrap_socket(
            raw, server_hostname="127.0.0.1", suppress_ragged_eofs=False
        )
        self._frames = FrameDecoder(DEFAULT_MAX_FRAME)
        again = {} if self._session is None else {"session": self._session}
        welcome = self._ask(sock, "hello", protocol=1, nick=self.nick, **again)
        self._session = welcome["session"]
        start = {} if self.cursor < 0 else {"after": self.cursor}
        joined = self._ask(sock, "join", room=_ROOM, **start)
        if self.cursor < 0:
            self.cursor = joined["seq"]
            self._arena.ledger.began(self.nick, _ROOM, self.cursor)
        sock.setblocking(False)
        return sock

    def _ask(self, sock: ssl.SSLSocket, name: str, **keys: Any) -> dict[str, Any]:
        """Send a command and wait for its answer; nothing else comes before it."""
        command = {"type": "command", "id": name, "name": name, **keys}
        sock.sendall(encode_frame(json.dumps(command).encode()))
        while True:
            for payload in self._frames.take(1):
                answer: dict[str, Any] = json.loads(payload)
                if answer.get("re") == name:
                    assert answer["event"] != "error", answer
                    return answer
            if not self._frames.has_frame():
                self._frames.receive(sock.recv(16_384))

    def read(self, ledger: Ledger) -> None:
        """Take what is there, at most a page; who was sent away comes back."""
        try:
            for _ in range(4):
                data = self._sock.recv(16_384)
                if not data:
                    raise ConnectionError("sent away")
                self._frames.receive(data)
        except ssl.SSLWantReadError:
            pass
        except OSError:
            self.sent_away += 1
            self._take(ledger)
            self._sock.close()
            self._sock = self._connect()
        self._take(ledger)

    def _take(self, ledger: Ledger) -> None:
        while payloads := self._frames.take(64):
            for payload in payloads:
                said = json.loads(payload)
                if said["type"] == "chat":
                    self.cursor = said["seq"]
                    row = Row(said["id"], said["sender"], said["text"])
                    ledger.delivered(self.nick, _ROOM, said["seq"], row)

    def close(self) -> None:
        """Hang up."""
        self._sock.close()


class Pulse:
    """How long a member waits for its echo, seconds, one after the other."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self._said: float | None = None
        self.waits: list[float] = []

    def beat(self) -> None:
        """Note an echo that came, and ask for the next one."""
        if self.member.level:
            now = time.monotonic()
            if self._said is not None:
                self.waits.append(now - self._said)
            self._said = now
            self.member.say(_ROOM, f"pulse {now}")

    def rest(self) -> None:
        """What has been under way until now does not count: somebody else was busy."""
        self._said = None
        self.waits.clear()

    def take(self) -> tuple[float, float]:
        """The median and the 99th percentile since the last call, seconds."""
        waits, self.waits = self.waits, []
        return median(waits), quantiles(waits, n=100, method="inclusive")[98]


class Scene:
    """A server, its room, and what is measured there."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena
        self.peak = 0
        self.readers: list[Reader] = []
        self._writers = [
            arena.admit(f"writer{number}", rooms=(_ROOM,), seed=number)
            for number in range(_WRITERS)
        ]
        for writer in self._writers:
            writer.length = _LENGTH
        self.pulse = Pulse(arena.admit("healthy", rooms=(_ROOM,), seed=_WRITERS))
        arena.wait_for_arrival()

    def memory(self) -> int:
        """Anonymous memory of the server now, bytes."""
        status = Path(f"/proc/{self.arena.server.pid}/status").read_text()
        [line] = [line for line in status.splitlines() if line.startswith("RssAnon:")]
        return int(line.split()[1]) * 1_024

    def turn(self) -> None:
        """Let everybody do what is to be done, and look at the server."""
        self.arena.swarm.turn(0.005)
        self.arena.check()
        self.pulse.beat()
        self.peak = max(self.peak, self.memory())

    def until(self, done: Callable[[], bool]) -> None:
        """Turns until `done()`."""
        self.peak = self.memory()
        while not done():
            self.turn()

    def speak(self, size: int) -> None:
        """Say so many bytes at full speed, and wait until all of it is acknowledged."""
        count = size // (sum(_LENGTH) // 2) // _WRITERS
        for writer in self._writers:
            writer.window, writer.allowance = _WINDOW, count
        self.until(lambda: all(one.level and not one.allowance for one in self._writers))

    def read_all(self) -> None:
        """All readers read until they have everything, and nobody says more."""
        self.until(self._have_read)
        self.arena.wait(lambda: self._have_read() and self.pulse.member.level, 60.0)

    def _have_read(self) -> bool:
        head = self.arena.ledger.cursor(self.pulse.member.nick, _ROOM) or 0
        behind = [reader for reader in self.readers if reader.cursor < head]
        for reader in behind:
            reader.read(self.arena.ledger)
        return not behind

    def close(self) -> None:
        """Send the readers home."""
        for reader in self.readers:
            reader.close()


def _stall(scene: Scene, readers: int) -> tuple[int, int, tuple[float, float], tuple[float, float]]:
    """Memory before and at most while nobody reads; the pulse before and then."""
    scene.speak(_QUIET_BYTES)
    quiet = scene.pulse.take()
    scene.readers += [Reader(f"reader{number}", scene.arena) for number in range(readers)]
    scene.pulse.rest()
    before = scene.memory()
    scene.speak(_STALLED_BYTES)
    return before, scene.peak, quiet, scene.pulse.take()


def test_who_does_not_read_costs_a_page_and_loses_nothing(
    record_property: scale.RecordProperty,
) -> None:
    portion = scale.Portion("readers that never read", FULL)
    count = portion.count if scale.GAUNTLET else _FEW
    with tempfile.TemporaryDirectory() as folder, Arena(Path(folder)) as arena:
        scene = Scene(arena)
        try:
            before, stalled, quiet, busy = _stall(scene, count)
            if scale.GAUNTLET:
                ends = time.monotonic() + _OVERLONG
                scene.until(lambda: time.monotonic() > ends)
            scene.pulse.rest()
            scene.read_all()
            reading, catching_up = scene.peak, scene.pulse.take()
            sent_away = sum(reader.sent_away for reader in scene.readers)
            stored, sound = arena.close_books()
            too_slow = arena.server.log.read_text().count("ended: slow_consumer")
        finally:
            scene.close()
    assert arena.ledger.faults == []
    assert sound == "ok"
    assert sent_away == (count if scale.GAUNTLET else 0)
    assert min(sent_away, BURST) <= too_slow <= sent_away, "the log tells no more of one kind"
    assert stalled - before < _SLACK + count * _STALLED_COST
    assert reading - before < _SLACK + count * _READING_COST
    assert busy[0] < 3 * quiet[0] + 0.05
    portion.done = count
    waits = ", ".join(
        f"{name} {1e3 * middle:.0f}/{1e3 * slow:.0f}"
        for name, (middle, slow) in (
            ("quiet", quiet),
            ("nobody reads", busy),
            ("all read", catching_up),
        )
    )
    counts = {"messages": stored, "deliveries": arena.ledger.deliveries, "sent away": sent_away}
    scale.tell(
        record_property,
        f"{portion.report(counts)} · server {before / _MB:.0f} MB"
        f" {(stalled - before) / _MB:+.1f} while nobody reads {(reading - before) / _MB:+.1f}"
        f" while all read · echo after (ms, median/p99): {waits}",
    )


def test_an_unbounded_queue_would_be_found(record_property: scale.RecordProperty) -> None:
    """The negative control: nobody ever falls behind, all that is not read waits in memory."""
    command = (*_BROKEN, "unbounded-queue", "serve")
    with tempfile.TemporaryDirectory() as folder, Arena(Path(folder), command=command) as arena:
        scene = Scene(arena)
        try:
            before, stalled, _, _ = _stall(scene, _FEW)
        finally:
            scene.close()
    growth = stalled - before
    assert growth >= _SLACK + _FEW * _STALLED_COST
    scale.tell(
        record_property, f"negative control, unbounded queue: found · server {growth / _MB:+.1f} MB"
    )
