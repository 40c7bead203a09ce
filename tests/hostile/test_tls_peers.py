"""Hostile TLS peers, made with tlslite-ng and by hand: each ends alone, and nobody waits for it.

A member pings while each of about 60 peers does its worst: bad records, floods of KeyUpdate and of
empty records, wrong alerts, broken handshakes. The server must answer every ping within 100 ms (on
a busy machine: as quickly as it does when nobody is hostile), live on, and have no more descriptors
in the end. The negative control is a server that handles its peers one after the other.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, Final, TypeAlias

import pytest

from tests.gauntlet import scale

from .attack import client_hello, frame, hello
from .members import Member
from .siege import Machine, wait_until_idle

tlslite = pytest.importorskip("tlslite", reason="tlslite-ng is not installed")

from tlslite.api import HandshakeSettings, TLSConnection  # noqa: E402
from tlslite.constants import KeyUpdateMessageType  # noqa: E402
from tlslite.messages import Alert, ApplicationData, KeyUpdate, Message  # noqa: E402

pytestmark = scale.MARKS

LIMIT_MS: Final = 100.0
#: Messages of a flood: what takes tlslite a second or so to make.
FLOOD: Final = 20_000 if scale.GAUNTLET else 400

Case: TypeAlias = Callable[[socket.socket], None]
CASES: dict[str, Case] = {}


def case(name: str) -> Callable[[Case], Case]:
    """Put a peer into the table."""

    def add(play: Case) -> Case:
        CASES[name] = play
        return play

    return add


# ------------------------------------------------------------------ by hand, before there are keys


def record(kind: int, payload: bytes, version: int = 0x0303) -> bytes:
    """One TLS record (RFC 8446, 5.1)."""
    return bytes([kind, version >> 8, version & 255]) + len(payload).to_bytes(2, "big") + payload


HELLO: Final = client_hello()
BODY: Final = HELLO[5:]
RAW: Final = {
    "nothing, and the end": b"",
    "plain text": b"hello?\r\n",
    "HTTP": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n",
    "SSL 2 ClientHello": bytes.fromhex("802e010002001500000010") + bytes(33),
    "zero bytes": bytes(4096),
    "ones": b"\xff" * 4096,
    "unknown record type": record(99, b"x" * 16),
    "heartbeat": record(24, b"\1\xff\xff"),
    "application data first": record(23, b"x" * 64),
    "alert first": record(21, b"\2\0"),
    "fatal alert first": record(21, b"\2\x28"),
    "half an alert": record(21, b"\2"),
    "unknown alert": record(21, b"\7\xee"),
    "flood of warnings": record(21, b"\1\x5a") * 1_000,
    "change cipher spec first": record(20, b"\1"),
    "flood of change cipher spec": record(20, b"\1") * 1_000,
    "record of no length": record(22, b"") * 100,
    "record that is too long": record(22, b"x" * 16_640),
    "record of 65,535 bytes": b"\x16\3\3\xff\xff" + b"x" * 65_535,
    "version of another age": record(22, BODY, 0x0999),
    "ClientHello cut off": HELLO[: len(HELLO) // 2],
    "ClientHello twice": HELLO + HELLO,
    "ClientHello in records of a byte": b"".join(record(22, bytes([it])) for it in BODY),
    "ClientHello of 16 MB": record(22, b"\1\xff\xff\xff" + b"x" * 10_000) * 10,
    "ClientHello without a body": record(22, b"\1\0\0\0"),
    "ClientHello that ends early": record(22, b"\1\0\0\2\3\3"),
    "ServerHello": record(22, b"\2" + BODY[1:]),
    "Finished": record(22, b"\x14\0\0\x20" + bytes(32)),
    "KeyUpdate without keys": record(22, b"\x18\0\0\1\1") * 100,
    "early data": HELLO + record(23, b"x" * 1_000) * 50,
}
for _name, _data in RAW.items():
    CASES[_name] = lambda sock, data=_data: sock.sendall(data)  # type: ignore[misc]


def mutated(seed: int) -> Case:
    """A ClientHello with a few bytes changed, taken away or put in."""

    def play(sock: socket.socket) -> None:
        dice = Random(seed)
        body = bytearray(BODY)
        for _ in range(dice.randint(1, 8)):
            at = dice.randrange(len(body))
            match dice.randrange(3):
                case 0:
                    body[at] = dice.randrange(256)
                case 1:
                    del body[at]
                case _:
                    body.insert(at, dice.randrange(256))
        sock.sendall(record(22, bytes(body)))

    return play


for _number in range(15):
    CASES[f"ClientHello changed at random, {_number}"] = mutated(scale.first_seed() + _number)


# ------------------------------------------------------------------ with keys


def shaken(sock: socket.socket) -> TLSConnection:
    """After the handshake."""
    connection = TLSConnection(sock)
    settings = HandshakeSettings()
    settings.minVersion = (3, 4)
    connection.handshakeClientCert(settings=settings, serverName="localhost")
    return connection


def send(connection: TLSConnection, message: Any) -> None:
    for _ in connection._sendMsg(message, randomizeFirstBlock=False):
        pass


def update_keys(connection: TLSConnection, kind: int) -> None:
    send(connection, KeyUpdate().create(kind))
    session = connection.session
    session.cl_app_secret, session.sr_app_secret = (
        connection._recordLayer.calcTLS1_3KeyUpdate_sender(
            session.cipherSuite, session.cl_app_secret, session.sr_app_secret
        )
    )


@case("flood of KeyUpdate")
def _(sock: socket.socket) -> None:
    connection = shaken(sock)
    for _ in range(FLOOD):
        update_keys(connection, KeyUpdateMessageType.update_not_requested)


@case("flood of KeyUpdate that wants one back, and reads none")
def _(sock: socket.socket) -> None:
    connection = shaken(sock)
    for _ in range(FLOOD):
        update_keys(connection, KeyUpdateMessageType.update_requested)


@case("KeyUpdate of an unknown kind")
def _(sock: socket.socket) -> None:
    send(shaken(sock), KeyUpdate().create(77))


@case("flood of empty records")
def _(sock: socket.socket) -> None:
    connection = shaken(sock)
    for _ in range(FLOOD):
        send(connection, ApplicationData().create(bytearray()))


@case("a frame in records of a byte")
def _(sock: socket.socket) -> None:
    connection = shaken(sock)
    for byte in hello("bytewise"):
        send(connection, ApplicationData().create(bytearray([byte])))


@case("records of a byte after a welcome")
def _(sock: socket.socket) -> None:
    connection = shaken(sock)
    connection.send(hello("bytewise2"))
    for byte in frame(type="command", id="t", name="time") * 3:
        send(connection, ApplicationData().create(bytearray([byte])))


@case("a record that was forged")
def _(sock: socket.socket) -> None:
    shaken(sock)
    sock.sendall(record(23, b"\0" * 64))


@case("a record that is said again")
def _(sock: socket.socket) -> None:
    connection = shaken(sock)
    sent = bytearray()
    real = sock.send

    class Tap:
        def send(self, data: bytes) -> int:
            sent.extend(data)
            return real(data)

        def __getattr__(self, name: str) -> Any:
            return getattr(sock, name)

    connection._recordLayer._recordSocket.sock = Tap()
    connection.send(hello("again"))
    sock.sendall(sent)


for _alert in (0, 10, 20, 22, 40, 47, 50, 80, 90, 100, 109, 255):

    @case(f"alert {_alert}")
    def _(sock: socket.socket, alert: int = _alert) -> None:
        send(shaken(sock), Alert().create(alert, 2 if alert else 1))


@case("a second ClientHello, with keys")
def _(sock: socket.socket) -> None:
    send(shaken(sock), Message(22, bytearray(BODY)))


@case("a certificate that nobody asked for")
def _(sock: socket.socket) -> None:
    send(shaken(sock), Message(22, bytearray(b"\x0b\0\0\4\0\0\0\0")))


@case("a ticket from a client")
def _(sock: socket.socket) -> None:
    send(shaken(sock), Message(22, bytearray(b"\4\0\0\x10" + bytes(16))))


@case("change cipher spec, with keys")
def _(sock: socket.socket) -> None:
    send(shaken(sock), Message(20, bytearray(b"\1")))


@case("the end without close_notify")
def _(sock: socket.socket) -> None:
    shaken(sock).send(hello("gone"))


# ------------------------------------------------------------------ the suite


class Pulse:
    """A member that pings all the time, in a thread of its own, and notes how long it waits."""

    def __init__(self, port: int) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.member = Member(port, 1, context)
        self.member.sock.settimeout(20.0)
        self.waits: list[float] = []

    def beat(self) -> float:
        """How long one answer takes, milliseconds."""
        began = time.monotonic()
        self.member.sock.sendall(frame(type="command", id=f"p{began}", name="ping"))
        self.member.wait(f"p{began}")
        took = (time.monotonic() - began) * 1e3
        self.waits.append(took)
        return took

    @contextlib.contextmanager
    def beating(self) -> Iterator[None]:
        """As long as the block lasts; its waits are then the longest ones."""
        over = threading.Event()

        def run() -> None:
            while not over.wait(0.01):
                self.beat()

        thread = threading.Thread(target=run)
        self.waits.clear()
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def close(self) -> None:
        """Be gone."""
        self.member.sock.close()


def play(port: int, act: Case) -> None:
    """Be that peer, and hear the server out, for a moment."""
    with socket.create_connection(("127.0.0.1", port), 10.0) as sock:
        try:
            act(sock)
            sock.settimeout(0.02)
            while sock.recv(65_536):
                pass
        except (OSError, tlslite.errors.BaseTLSException, ValueError):
            pass


def test_each_of_them_ends_alone_and_nobody_waits(
    machine: Machine, record_property: scale.RecordProperty
) -> None:
    server = machine.serve("--rate", "0")
    pulse = Pulse(server.port)
    with pulse.beating():
        time.sleep(1.0)
    quiet = max(pulse.waits)
    before = server.usage
    slowest = (0.0, "")
    for name, act in CASES.items():
        with pulse.beating():
            play(server.port, act)
        pulse.beat()
        slowest = max(slowest, (max(pulse.waits), name))
        assert server.popen.poll() is None, name
    after = wait_until_idle(server, before, 15.0)
    scale.tell(
        record_property,
        f"TLS peers: {len(CASES)} · slowest answer to others {slowest[0]:.1f} ms ({slowest[1]}),"
        f" {quiet:.1f} ms when nobody is hostile · {before} -> {after} descriptors, threads",
    )
    assert len(CASES) >= 60
    assert slowest[0] < max(LIMIT_MS, 4 * quiet)
    assert after <= before
    pulse.close()


def test_a_server_that_takes_them_one_by_one_is_found_out(certs_folder: Any) -> None:
    """The negative control: the pulse of such a one stops for the first peer that is silent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certs_folder / "cert.pem", certs_folder / "key.pem")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def serve() -> None:
            for _ in range(2):
                raw, _ = listener.accept()
                raw.settimeout(0.5)
                with contextlib.suppress(OSError), raw:
                    context.wrap_socket(raw, server_side=True).close()

        thread = threading.Thread(target=serve)
        thread.start()
        with socket.create_connection(("127.0.0.1", port)):
            began = time.monotonic()
            client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            client.load_verify_locations(certs_folder / "ca.pem")
            with (
                socket.create_connection(("127.0.0.1", port)) as raw,
                client.wrap_socket(raw, server_hostname="localhost"),
            ):
                took = (time.monotonic() - began) * 1e3
        thread.join()
    assert took > LIMIT_MS
