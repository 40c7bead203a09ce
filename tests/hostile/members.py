"""Members who talk while the server is attacked, in a process of their own.

    python -m tests.hostile.members PORT COUNT RATE

COUNT members in rooms of 20 say RATE messages a second in all, and time their echoes. Says `ready`
when all are in. Then each line on stdin is a number of seconds to talk, and answered with a line of
JSON; the end of stdin ends it.
"""

from __future__ import annotations

import json
import select
import socket
import ssl
import sys
import time
from typing import Any, Final

from .attack import frame, hello

_ROOM_OF: Final = 20


class Member:
    """A connection of one who talks."""

    def __init__(self, port: int, number: int, context: ssl.SSLContext) -> None:
        self.number = number
        self.room = f"#room{number // _ROOM_OF}"
        raw = socket.create_connection(("127.0.0.1", port), 10.0, ("127.0.0.1", 0))
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = context.wrap_socket(raw, server_hostname="localhost")
        self.data = b""
        self.sock.sendall(hello(f"member{number}"))
        assert self.wait("h")["event"] == "welcome"
        self.sock.sendall(frame(type="command", id="j", name="join", room=self.room))
        assert self.wait("j")["event"] == "joined"
        self.sock.setblocking(False)
        self.said = 0

    def wait(self, re: str) -> dict[str, Any]:
        """The answer to `re`."""
        while True:
            for envelope in self.take():
                if envelope.get("re") == re:
                    return envelope
            self.data += self.sock.recv(16_384)

    def take(self) -> list[dict[str, Any]]:
        """The frames that are whole."""
        taken = []
        while len(self.data) >= 4:
            end = 4 + int.from_bytes(self.data[:4], "big")
            if len(self.data) < end:
                break
            taken.append(json.loads(self.data[4:end]))
            self.data = self.data[end:]
        return taken

    def read(self) -> list[dict[str, Any]]:
        """What is there; raises `ConnectionError` when the server has ended it."""
        try:
            while data := self.sock.recv(16_384):
                self.data += data
            raise ConnectionError
        except ssl.SSLWantReadError:
            return self.take()


class Talk:
    """All members, and how long their echoes took."""

    def __init__(self, port: int, count: int, rate: float) -> None:
        self.port = port
        self.rate = rate
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE
        self.members = [Member(port, number, self.context) for number in range(count)]
        self._poll = select.epoll()
        self._by_fd = {member.sock.fileno(): member for member in self.members}
        for fd in self._by_fd:
            self._poll.register(fd, select.EPOLLIN)
        self.dropped = 0
        self._sent: dict[str, float] = {}

    def measure(self, seconds: float) -> dict[str, Any]:
        """Talk for so long; who is dropped is counted."""
        waits: list[float] = []
        began = time.monotonic()
        next_word, count = began, 0
        self._sent.clear()
        while (now := time.monotonic()) < began + seconds:
            while next_word <= now:
                self._say(self.members[count * 7 % len(self.members)])
                count += 1
                next_word += 1 / self.rate
            for fd, _ in self._poll.poll(max(0.0, min(0.05, next_word - now))):
                self._hear(fd, waits)
        overdue = [time.monotonic() - sent for sent in self._sent.values()]
        waits += [late for late in overdue if late > 1.0]
        waits.sort()
        return {
            "echoes": len(waits),
            "p50_ms": round(waits[len(waits) // 2] * 1e3, 2) if waits else -1,
            "p99_ms": round(waits[int(len(waits) * 0.99)] * 1e3, 2) if waits else -1,
            "dropped": self.dropped,
        }

    def _say(self, member: Member) -> None:
        member.said += 1
        id = f"m{member.number}-{time.monotonic_ns()}"
        self._sent[id] = time.monotonic()
        try:
            member.sock.send(frame(type="chat", id=id, to=member.room, text="a word or two"))
        except (OSError, ValueError):
            del self._sent[id]

    def _hear(self, fd: int, waits: list[float]) -> None:
        member = self._by_fd[fd]
        try:
            envelopes = member.read()
        except OSError:
            self.dropped += 1
            self._poll.unregister(fd)
            return
        now = time.monotonic()
        for envelope in envelopes:
            if envelope["type"] == "chat" and envelope["sender"] == f"member{member.number}":
                sent = self._sent.pop(envelope["id"], None)
                if sent is not None:
                    waits.append(now - sent)
            elif envelope.get("event") == "ping":
                member.sock.send(frame(type="command", id="p", name="pong"))


def main(port: str, count: str, rate: str) -> None:
    """Come in, and measure when told to."""
    talk = Talk(int(port), int(count), float(rate))
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(talk.measure(float(line))), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
