"""Hostile peers by the thousand, in a process of their own.

    python -m tests.hostile.attack PORT KIND COUNT SECONDS SEED

KIND is `hold` (silent; a byte of ClientHello a second; half a frame; a guest who asks and never
reads), `handshakes` (COUNT a second, each dropped when it is done), `hellos` (COUNT a second, each
with a wrong thing to say) or `guesses` (COUNT passwords of one account a second). They come from
250 addresses of this machine, and whoever is cut off comes back. Begins when a line comes in on
stdin; the last line on stdout is a report in JSON.
"""

from __future__ import annotations

import heapq
import json
import select
import socket
import ssl
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from random import Random
from typing import Any, Final, TypeAlias

SOURCES: Final = 250
#: Seconds until a peer that was cut comes back.
_BACK_AFTER: Final = 3.0
#: Passwords that one peer says a second: `login` costs it five tokens of twenty. Who was cut comes
#: back from another address.
_GUESSES: Final = 4
_READ, _WRITE = select.EPOLLIN, select.EPOLLOUT

#: What a peer waits for: (descriptor's interest, or 0, and seconds at most).
Wants: TypeAlias = tuple[int, float]
Script: TypeAlias = Iterator[Wants]


def frame(**envelope: Any) -> bytes:
    """One frame, made without our own code."""
    payload = json.dumps(envelope).encode()
    return len(payload).to_bytes(4, "big") + payload


def hello(nick: str, protocol: int = 1, **keys: Any) -> bytes:
    """The first frame of a client."""
    keys = {"id": "h", "name": "hello", "protocol": protocol, "nick": nick, **keys}
    return frame(type="command", **keys)


def client_hello() -> bytes:
    """What OpenSSL says first."""
    out = ssl.MemoryBIO()
    try:
        _CONTEXT.wrap_bio(ssl.MemoryBIO(), out, server_hostname="localhost").do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


_CONTEXT: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_CONTEXT.check_hostname = False
_CONTEXT.verify_mode = ssl.CERT_NONE
_CLIENT_HELLO: Final = client_hello()


class Peer:
    """One hostile connection: a socket and the script that it plays."""

    def __init__(self, siege: Siege, number: int) -> None:
        self.siege = siege
        self.number = number
        self.sock: socket.socket | None = None
        #: Its descriptor, which TLS takes over from one object to the next.
        self.fd = -1
        self.script: Script | None = None
        self.welcomed = False
        #: What was read and is no whole frame yet.
        self.data = b""

    def begin(self) -> None:
        """Connect, from the next of the addresses."""
        sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT: ports per connection
        sock.bind((f"127.77.{self.number % SOURCES}.1", 0))
        try:
            sock.connect(("127.0.0.1", self.siege.port))
        except BlockingIOError:
            pass
        self.sock, self.fd = sock, sock.fileno()
        self.script = self.siege.play(self)

    # -------------------------------------------------------------- scripts

    def silent(self) -> Script:
        """Says nothing."""
        while True:
            yield _READ, 60.0
            self._see_end()

    def slow_hello(self) -> Script:
        """A byte of ClientHello a second."""
        yield _WRITE, 10.0
        for at in range(len(_CLIENT_HELLO)):
            self._raw.send(_CLIENT_HELLO[at : at + 1])
            yield _READ, 1.0
            self._see_end()

    def half_frame(self) -> Script:
        """Half a frame, and no more."""
        tls = yield from self._shake_hands()
        tls.send(b"\0\0")
        while True:
            yield _READ, 60.0
            if not tls.recv(4096):
                raise ConnectionError

    def deaf(self) -> Script:
        """Comes in, asks for a lot, and never reads the answers."""
        tls = yield from self._shake_hands()
        nick = f"deaf{self.number}x{self.siege.seed % 100_000}"
        tls.send(hello(nick))
        yield from self._read_frame(tls)
        self.welcomed = True
        self.siege.counts["welcomed"] += 1
        tls.send(frame(type="command", id="j", name="join", room=f"#pit{self.number % 50}"))
        while True:
            yield 0, 10.0
            try:
                tls.send(frame(type="command", id="c", name="rooms"))
            except ssl.SSLWantWriteError:
                pass

    def handshake(self) -> Script:
        """A handshake, and nothing more."""
        yield from self._shake_hands()
        self.siege.counts["handshakes"] += 1

    def wrong_hello(self) -> Script:
        """Guesses: a session, a protocol or a nick that is not its own."""
        tls = yield from self._shake_hands()
        self.siege.counts["handshakes"] += 1
        dice = self.siege.dice
        guess = dice.randbytes(32).hex()
        wrong = (
            hello("owner", session=guess),
            hello("server"),
            hello("owner"),
            hello("", protocol=9),
        )
        tls.send(dice.choice(wrong))
        answer = yield from self._read_frame(tls)
        self.siege.counts["owner" if answer.get("nick") == "owner" else "refused"] += 1

    def guess(self) -> Script:
        """Guesses the password of `owner`: from inside as a guest, and every fourth before that."""
        tls = yield from self._shake_hands()
        self.siege.counts["handshakes"] += 1
        if self.number % 4 == 0:
            self._say_guess(tls, hello("owner", password=self._password()))
            self._note(tls, (yield from self._read_frame(tls)))
        tls.send(hello(f"guest{self.number}x{self.siege.dice.randrange(10**9)}"))
        while True:
            answer = yield from self._read_frame(tls)
            if answer.get("event") == "welcome":
                break
            if answer.get("re") == "h":
                raise ConnectionError
        next_at = time.monotonic()
        while True:
            if (now := time.monotonic()) >= next_at:
                next_at = max(now, next_at + 1 / _GUESSES)
                guess = frame(
                    type="command",
                    id=f"g{now}",
                    name="login",
                    nick="owner",
                    password=self._password(),
                )
                self._say_guess(tls, guess)
            yield _READ, max(0.01, next_at - now)
            for answer in self._take_frames(tls):
                self._note(tls, answer)

    def _password(self) -> str:
        return self.siege.dice.randbytes(16).hex()

    def _say_guess(self, tls: ssl.SSLSocket, guess: bytes) -> None:
        self.siege.counts["guesses"] += 1
        tls.send(guess)

    def _note(self, tls: ssl.SSLSocket, answer: dict[str, Any]) -> None:
        """Count what a guess was answered; a ping wants an answer itself."""
        if answer.get("event") == "ping":
            tls.send(frame(type="command", id="p", name="pong"))
        elif answer.get("event") == "error":
            self.siege.counts[answer["code"]] += 1
        elif answer.get("account") == "owner":
            self.siege.counts["owner"] += 1

    @property
    def _raw(self) -> socket.socket:
        assert self.sock is not None
        return self.sock

    def _see_end(self) -> None:
        try:
            if not self._raw.recv(64):
                raise ConnectionError
        except BlockingIOError:
            pass

    def _shake_hands(self) -> Generator[Wants, None, ssl.SSLSocket]:
        yield _WRITE, 30.0
        self._raw.getpeername()  # raises where nobody has answered in time
        tls = _CONTEXT.wrap_socket(
            self._raw, server_hostname="localhost", do_handshake_on_connect=False
        )
        self.sock = tls
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                yield _READ, 30.0
            except ssl.SSLWantWriteError:
                yield _WRITE, 30.0
            else:
                return tls

    def _read_frame(self, tls: ssl.SSLSocket) -> Generator[Wants, None, dict[str, Any]]:
        """The next frame; what comes behind it waits in `data`."""
        while len(self.data) < 4 or len(self.data) < 4 + int.from_bytes(self.data[:4], "big"):
            try:
                more = tls.recv(4096)
            except ssl.SSLWantReadError:
                yield _READ, 30.0
                continue
            if not more:
                raise ConnectionError
            self.data += more
        end = 4 + int.from_bytes(self.data[:4], "big")
        answer: dict[str, Any] = json.loads(self.data[4:end])
        self.data = self.data[end:]
        return answer

    def _take_frames(self, tls: ssl.SSLSocket) -> Iterator[dict[str, Any]]:
        """The frames that have come."""
        reading = self._read_frame(tls)
        while True:
            try:
                next(reading)
            except StopIteration as done:
                yield done.value
                reading = self._read_frame(tls)
            else:
                return  # it would wait


class Siege:
    """All hostile peers, on one epoll."""

    def __init__(self, port: int, kind: str, count: int, seed: int) -> None:
        self.port = port
        self.kind = kind
        self.count = count
        self.seed = seed
        self.dice = Random(seed)
        self.counts: Counter[str] = Counter()
        self.held = 0
        self._epoll = select.epoll()
        self._by_fd: dict[int, tuple[Peer, int]] = {}
        #: (when, ticket, what): a peer's own deadline, or a new start.
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._ticket = 0
        self._waits: dict[Peer, int] = {}

    @property
    def _stays(self) -> bool:
        """Whether whoever is cut comes back."""
        return self.kind in ("hold", "guesses")

    def play(self, peer: Peer) -> Script:
        """What a peer does."""
        if self.kind == "handshakes":
            return peer.handshake()
        if self.kind == "hellos":
            return peer.wrong_hello()
        if self.kind == "guesses":
            return peer.guess()
        scripts = (peer.silent, peer.slow_hello, peer.half_frame, peer.deaf)
        return scripts[peer.number % len(scripts)]()

    def run(self, seconds: float) -> None:
        """Attack for so long."""
        now = time.monotonic()
        end = now + seconds
        if self._stays:
            count = self.count // _GUESSES if self.kind == "guesses" else self.count
            for number in range(count):
                delay = number / count * min(5.0, seconds / 3)
                self._later(now + delay, self._starter(Peer(self, number)))
        else:
            for number in range(int(self.count * seconds)):
                self._later(now + number / self.count, self._starter(Peer(self, number)))
        while (now := time.monotonic()) < end:
            while self._due and self._due[0][0] <= now:
                heapq.heappop(self._due)[2]()
            timeout = min(0.2, max(0.0, self._due[0][0] - now)) if self._due else 0.2
            for fd, _ in self._epoll.poll(timeout, 512):
                if fd in self._by_fd:
                    self._advance(self._by_fd[fd][0])
            self.held = max(self.held, len(self._waits))
        for peer in list(self._waits):
            self._drop(peer)

    def _starter(self, peer: Peer) -> Callable[[], None]:
        def start() -> None:
            self.counts["connections"] += 1
            try:
                peer.begin()
            except OSError:
                self._ended(peer, cut=True)
            else:
                self._advance(peer)

        return start

    def _later(self, when: float, what: Callable[[], None]) -> None:
        self._ticket += 1
        heapq.heappush(self._due, (when, self._ticket, what))

    def _advance(self, peer: Peer) -> None:
        """Let a peer go on with its script until it waits again."""
        try:
            assert peer.script is not None
            interest, seconds = next(peer.script)
        except StopIteration:
            self._ended(peer, cut=False)
            return
        except (ssl.SSLWantReadError, BlockingIOError):
            interest, seconds = _READ, 60.0
        except (OSError, ValueError):
            self._ended(peer, cut=True)
            return
        self._watch(peer, interest)
        self._ticket += 1
        ticket = self._waits[peer] = self._ticket
        when = time.monotonic() + seconds
        heapq.heappush(self._due, (when, ticket, lambda: self._wake(peer, ticket)))

    def _wake(self, peer: Peer, ticket: int) -> None:
        if self._waits.get(peer) == ticket:
            self._advance(peer)

    def _watch(self, peer: Peer, interest: int) -> None:
        fd = peer.fd
        known = self._by_fd.get(fd)
        if known is None:
            self._epoll.register(fd, interest)
        elif known[1] != interest:
            self._epoll.modify(fd, interest)
        self._by_fd[fd] = (peer, interest)

    def _ended(self, peer: Peer, *, cut: bool) -> None:
        if cut:
            self.counts["cut"] += 1
            if peer.welcomed:
                self.counts["welcomed and cut"] += 1
        self._drop(peer)
        if self._stays:
            delay = _BACK_AFTER * (0.5 + self.dice.random())
            number = peer.number + (self.count // _GUESSES if self.kind == "guesses" else 0)
            self._later(time.monotonic() + delay, self._starter(Peer(self, number)))

    def _drop(self, peer: Peer) -> None:
        self._waits.pop(peer, None)
        if peer.sock is not None:
            self._by_fd.pop(peer.fd, None)
            peer.sock.close()


def main(port: str, kind: str, count: str, seconds: str, seed: str) -> None:
    """Wait for the word, attack, and say what happened."""
    siege = Siege(int(port), kind, int(count), int(seed))
    print("ready", flush=True)
    sys.stdin.readline()
    siege.run(float(seconds))
    print(json.dumps({"held": siege.held, **siege.counts}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
