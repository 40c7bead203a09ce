"""The whole client against a scripted server, over real TLS on loopback. Nothing sleeps: the test
plays the server itself, and waits for events with a deadline."""

from __future__ import annotations

import logging
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
import trustme

from securechat.client import engine as engine_module
from securechat.client import mailbox as mailbox_module
from securechat.client.client import ChatClient, ClientConfig
from securechat.client.events import (
    CaughtUp,
    Connecting,
    DraftState,
    Ended,
    Heard,
    Message,
    Offline,
    Online,
)
from securechat.client.events import Draft as DraftEvent
from securechat.client.state import GuestState
from securechat.client.trust import ByAuthority
from securechat.errors import CannotConnect, ClientError, GaveUp, NotTrusted, Refused
from securechat.protocol import envelopes as wire
from securechat.protocol.codec import Refusal, encode_posted
from securechat.protocol.connection import Connection, Role
from securechat.protocol.framing import encode_frame

DEADLINE = 10.0
TS = "2026-01-01T00:00:00.000000Z"
LIMITS = wire.Limits(
    max_frame=65_536, max_text=4_000, rate=0, burst=100, presence=500, idle_timeout=90
)


class Peer:
    """The server's end of one connection."""

    def __init__(self, sock: ssl.SSLSocket) -> None:
        sock.settimeout(DEADLINE)
        self.sock = sock
        self.connection = Connection(Role.SERVER)
        self._heard: list[Any] = []

    def next(self) -> Any:
        while not self._heard:
            self._heard.extend(self.connection.next_events())
            if not self._heard:
                data = self.sock.recv(65_536)
                if not data:
                    raise EOFError
                self.connection.receive_data(data)
        said = self._heard.pop(0)
        assert not isinstance(said, Refusal), said
        return said

    def expect(self, kind: type[Any]) -> Any:
        said = self.next()
        assert isinstance(said, kind), said
        return said

    def send(self, *events: wire.System) -> Peer:
        for event in events:
            self.sock.sendall(self.connection.send(event))
        return self

    def post(self, seq: int, sender: str = "eve", to: str = "#lobby", **keys: Any) -> Peer:
        keys.setdefault("id", f"{sender}-{seq}")
        keys.setdefault("text", f"text {seq}")
        payload = encode_posted(to=to, sender=sender, seq=seq, ts=TS, **keys)
        self.sock.sendall(encode_frame(payload))
        return self

    def welcome(self, nick: str = "bob", session: str = "token", epoch: str = "e1") -> wire.Hello:
        hello: wire.Hello = self.expect(wire.Hello)
        keys: dict[str, Any] = {"protocol": 1, "server": "fake", "version": "0", "limits": LIMITS}
        self.send(wire.Welcome(nick=nick, session=session, epoch=epoch, re=hello.id, **keys))
        return hello

    def join(self, seq: int = 0, after: int | None = None) -> wire.Join:
        """Answer `join` and `conversations`."""
        join: wire.Join = self.expect(wire.Join)
        listing = self.expect(wire.Conversations)
        start = seq if after is None else after
        self.send(
            wire.Joined(room=join.room, nick="bob", re=join.id, seq=seq, after=start, count=1),
            wire.ConversationList(conversations=(), re=listing.id),
        )
        return join

    def let_in(self, **keys: Any) -> Peer:
        self.welcome(**keys)
        self.join()
        return self

    def bye(self) -> None:
        """Answer `quit`, and see the client say close_notify."""
        quit: wire.Quit = self.expect(wire.Quit)
        self.send(wire.Bye(reason="quit", re=quit.id))
        assert self.sock.recv(1) == b""
        self.close()

    def cut(self) -> None:
        """End without close_notify."""
        raw = socket.socket(fileno=self.sock.detach())
        raw.close()

    def close(self) -> None:
        self.sock.close()


class FakeServer:
    """A listening socket that the test accepts from by hand."""

    def __init__(self, context: ssl.SSLContext, address: str = "127.0.0.1") -> None:
        self.context = context
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.listener = socket.create_server((address, 0), family=family)
        self.listener.settimeout(DEADLINE)
        self.port: int = self.listener.getsockname()[1]
        self.peers: list[Peer] = []

    def accept(self) -> Peer:
        raw, _ = self.listener.accept()
        raw.settimeout(DEADLINE)
        try:
            sock = self.context.wrap_socket(raw, server_side=True, suppress_ragged_eofs=False)
        except BaseException:
            raw.close()
            raise
        self.peers.append(Peer(sock))
        return self.peers[-1]

    def close(self) -> None:
        self.listener.close()
        for peer in self.peers:
            peer.close()


class Front:
    """A front end that waits for what it wants to see."""

    def __init__(self, client: ChatClient) -> None:
        self.client = client
        self.seen: list[Any] = []

    def wait(self, kind: type[Any], fits: Callable[[Any], bool] = lambda _: True) -> Any:
        deadline = time.monotonic() + DEADLINE
        while True:
            try:
                event = self.client.events.get(timeout=max(0.01, deadline - time.monotonic()))
            except Empty:
                raise AssertionError(f"no {kind.__name__} among {self.seen}") from None
            self.seen.append(event)
            if isinstance(event, kind) and fits(event):
                return event

    def wait_draft(self, id: str, state: DraftState) -> DraftEvent:
        found: DraftEvent = self.wait(DraftEvent, lambda one: one.id == id and one.state is state)
        return found

    def ended(self) -> ClientError | None:
        error: ClientError | None = self.wait(Ended).error
        self.client.close()
        assert self.client.events.empty()
        return error


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def server_context(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = 0
    context.set_alpn_protocols([wire.ALPN])
    authority.issue_cert(*(names or ("localhost", "127.0.0.1", "::1"))).configure_cert(context)
    return context


@pytest.fixture
def server(authority: trustme.CA) -> Iterator[FakeServer]:
    server = FakeServer(server_context(authority))
    yield server
    server.close()


@pytest.fixture
def make(server: FakeServer, ca_file: Path) -> Iterator[Callable[..., Front]]:
    """Starts clients of the server, and closes them in the end."""
    fronts: list[Front] = []

    def make(**keys: Any) -> Front:
        trust = ByAuthority(ca_file)
        config = {"host": "127.0.0.1", "port": server.port, "nick": "bob", "trust": trust}
        front = Front(ChatClient(ClientConfig(**{**config, **keys})))
        fronts.append(front)
        front.client.start()
        return front

    yield make
    for peer in server.peers:
        peer.close()
    for front in fronts:
        front.client.close()
    assert not [one for one in threading.enumerate() if one.name == "client-io"]


# ------------------------------------------------------------------ one conversation


def test_two_say_something_and_one_leaves(server: FakeServer, make: Callable[..., Front]) -> None:
    front = make(client_name="test/1")
    peer = server.accept()
    assert peer.sock.selected_alpn_protocol() == wire.ALPN
    assert peer.sock.version() == "TLSv1.3"
    hello = peer.welcome()
    assert (hello.nick, hello.client, hello.session) == ("bob", "test/1", None)
    peer.join()
    front.wait(Online)
    assert front.client.online
    id = front.client.say("#lobby", "hello", action=True, reply_to=None)
    draft = peer.expect(wire.Draft)
    assert (draft.id, draft.to, draft.text, draft.action) == (id, "#lobby", "hello", True)
    peer.post(1, "bob", id=id, text="hello", action=True).post(2, text="hi, bob")
    messages = [front.wait(Message) for _ in range(2)]
    assert [(one.posted.text, one.own) for one in messages] == [("hello", True), ("hi, bob", False)]
    assert front.client.settle(DEADLINE)
    closer = threading.Thread(target=front.client.close, args=("bed",))
    closer.start()
    peer.bye()
    closer.join(DEADLINE)
    assert front.ended() is None
    assert not front.client.online


def test_commands_have_answers(server: FakeServer, make: Callable[..., Front]) -> None:
    front = make()
    peer = server.accept().let_in()
    front.wait(Online)
    id = front.client.command("who", room="#lobby")
    asked = peer.expect(wire.Who)
    assert (asked.id, asked.room) == (id, "#lobby")
    peer.send(wire.Members(room="#lobby", members=(), re=id))
    assert front.wait(Heard, lambda one: one.system.re == id).system.event == "members"
    front.client.command("nick", nick="bobby")
    peer.send(wire.Renamed(old="bob", nick="bobby", re=peer.expect(wire.ChangeNick).id))
    front.wait(Heard, lambda one: one.system.event == "renamed")
    assert front.client.nick == "bobby"


def test_what_cannot_be_asked_is_refused_before_it_is_queued(make: Callable[..., Front]) -> None:
    client = make().client
    for name in ("hello", "pong", "quit", "jion"):
        with pytest.raises(ValueError, match="is no command"):
            client.command(name)
    with pytest.raises(ValueError, match="did you mean join"):
        client.command("jion")
    with pytest.raises(ValueError, match="join cannot be sent"):
        client.command("join", room="lobby")
    with pytest.raises(ValueError, match="who cannot be sent"):
        client.command("who", rom="#lobby")
    with pytest.raises(ValueError, match="a message cannot be sent: to"):
        client.say("lobby", "x")
    with pytest.raises(ValueError, match="a message cannot be sent: reply_to"):
        client.say("#lobby", "x", reply_to=0)


@pytest.mark.parametrize(
    "keys", [{"backlog": 501}, {"rooms": ("lobby",)}, {"port": 0}, {"nick": "x" * 300}]
)
def test_a_config_that_cannot_be(keys: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"backlog|room|port|nick"):
        ClientConfig(**{"host": "h", "nick": "bob", **keys})


def test_a_draft_too_long_for_a_frame_is_refused_here(
    server: FakeServer, make: Callable[..., Front]
) -> None:
    front = make()
    peer = server.accept().let_in()
    front.wait(Online)
    id = front.client.say("#lobby", "x" * 70_000)
    assert "too long" in front.wait_draft(id, DraftState.REFUSED).reason
    id = front.client.command("nick", nick="x" * 70_000)
    assert front.wait(Heard, lambda one: one.system.re == id).system.code == "frame_too_large"
    front.client.say("#lobby", "short")
    assert peer.expect(wire.Draft).text == "short"


def test_a_gap_is_won_back_with_another_link(
    server: FakeServer, make: Callable[..., Front]
) -> None:
    front = make()
    server.accept().let_in().post(1).post(3)
    assert "missing" in front.wait(Offline).reason
    peer = server.accept()
    peer.welcome()
    assert peer.join(seq=3, after=1).after == 1
    peer.post(2).post(3)
    front.wait(CaughtUp)
    assert [one.posted.seq for one in front.seen if isinstance(one, Message)] == [1, 2, 3]


# ------------------------------------------------------------------ coming back


@pytest.mark.parametrize("how", ["cut", "close_notify", "bye", "half_frame", "garbage"])
def test_a_lost_link_is_won_back_without_loss(
    server: FakeServer, make: Callable[..., Front], how: str
) -> None:
    front = make()
    peer = server.accept().let_in()
    front.wait(Online)
    ids = [front.client.say("#lobby", text) for text in "ab"]
    peer.expect(wire.Draft)
    peer.post(1).post(2, "bob", id=ids[0], text="a")
    front.wait(Message, lambda one: one.posted.seq == 2)
    match how:
        case "cut":
            peer.cut()
        case "close_notify":
            with suppress(OSError):
                peer.sock.settimeout(0.1)
                peer.sock.unwrap()
        case "bye":
            peer.send(wire.Bye(reason="shutdown", retry_after=0.01))
        case "half_frame":
            peer.sock.sendall(struct.pack("!I", 100) + b"{")
            peer.cut()
        case _:
            peer.sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    front.wait(Offline)
    assert not front.client.online
    late = front.client.say("#lobby", "c")
    command = front.client.command("time")
    error = front.wait(Heard, lambda one: one.system.re == command).system
    assert error.code == "offline"
    peer = server.accept()
    hello = peer.welcome()
    assert hello.session == "token"
    assert peer.join(seq=4, after=2).after == 2
    assert [peer.expect(wire.Draft).id for _ in range(2)] == [ids[1], late]
    peer.post(4, "bob", id=ids[1], text="b")  # the answer to a repeat comes out of turn
    peer.post(3).post(4, "bob", id=ids[1], text="b").post(5, "bob", id=late, text="c")
    online = front.wait(Online)
    assert (online.resumed, online.back, online.new_epoch) == (True, True, False)
    assert front.wait(CaughtUp) == CaughtUp(missed=1, sent=2)
    assert front.client.settle(DEADLINE)
    assert [one.posted.seq for one in front.seen if isinstance(one, Message)] == [1, 2, 3, 4, 5]


def test_a_new_epoch_waits_for_a_word(server: FakeServer, make: Callable[..., Front]) -> None:
    front = make()
    server.accept().let_in().cut()
    front.wait(Offline)
    front.client.say("#lobby", "still true?")
    peer = server.accept()
    peer.welcome(epoch="e2")
    peer.join()
    online = front.wait(Online)
    assert (online.new_epoch, online.held) == (True, 1)
    assert not front.client.settle(0)
    front.client.confirm_drafts(True)
    assert peer.expect(wire.Draft).text == "still true?"


def test_without_reconnecting_a_lost_link_is_the_end(
    server: FakeServer, make: Callable[..., Front]
) -> None:
    front = make(reconnect=False)
    server.accept().let_in().cut()
    assert front.wait(Offline).retry_in is None
    assert isinstance(front.ended(), GaveUp)


def test_a_server_that_is_gone_for_a_while_is_tried_again(
    server: FakeServer, make: Callable[..., Front]
) -> None:
    front = make()
    peer = server.accept().let_in()
    front.wait(Online)
    server.listener.close()
    peer.cut()
    front.wait(Offline)
    assert "refused" in front.wait(Offline).reason
    again = socket.create_server(("127.0.0.1", server.port))
    again.settimeout(DEADLINE)
    server.listener = again
    server.accept().let_in()
    assert front.wait(Online).back
    attempts = [one.attempt for one in front.seen if isinstance(one, Connecting)]
    assert attempts == sorted(set(attempts))


# ------------------------------------------------------------------ who is let in, and who is not


def test_nobody_there(make: Callable[..., Front], server: FakeServer) -> None:
    server.listener.close()
    error = make().ended()
    assert isinstance(error, CannotConnect)
    assert "refused" in str(error)


def test_an_address_that_nobody_knows(make: Callable[..., Front]) -> None:
    error = make(host="no-such-host.invalid").ended()
    assert isinstance(error, CannotConnect)
    assert "could not be found" in str(error)


@pytest.mark.parametrize("host", ["x" * 70, ".", "a..b"])
def test_a_name_that_is_none(make: Callable[..., Front], host: str) -> None:
    assert isinstance(make(host=host).ended(), CannotConnect)


def test_every_address_of_a_name_is_tried(
    make: Callable[..., Front], server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = socket.create_server(("127.0.0.1", 0))
    dead_port = dead.getsockname()[1]
    dead.close()
    real = socket.getaddrinfo

    def both(host: str, port: int, **keys: Any) -> Any:
        if host != "localhost" or keys.get("flags"):
            return real(host, port, **keys)
        return [
            *real("127.0.0.1", dead_port, type=socket.SOCK_STREAM),
            *real("127.0.0.1", server.port, type=socket.SOCK_STREAM),
        ]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    front = make(host="localhost")
    server.accept().let_in()
    front.wait(Online)


def test_quitting_does_not_wait_for_a_name(
    make: Callable[..., Front], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = threading.Event()

    def slow(*_: object, **keys: Any) -> Any:
        if keys.get("flags"):
            raise socket.gaierror(socket.EAI_NONAME, "not a number")
        answer.wait(DEADLINE)
        raise socket.gaierror(socket.EAI_NONAME, "late")

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    front = make(host="slow.invalid")
    front.wait(Connecting)
    began = time.monotonic()
    front.client.close()
    assert time.monotonic() - began < 1
    assert front.ended() is None
    answer.set()


def test_a_name_that_takes_too_long(
    make: Callable[..., Front], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = threading.Event()

    def slow(*_: object, **keys: Any) -> Any:
        if not keys.get("flags"):
            answer.wait(DEADLINE)
        raise socket.gaierror(socket.EAI_NONAME, "late")

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    error = make(host="slow.invalid", connect_timeout=0.05).ended()
    assert "no answer in time" in str(error)
    answer.set()


@pytest.mark.parametrize(
    ("case", "says"),
    [
        ("another authority", "authority"),
        ("another host", "another host"),
        ("expired", "expired"),
        ("not yet valid", "clock"),
        ("no authority file", "cannot be read"),
        ("an empty authority file", "holds no certificate"),
    ],
)
def test_who_is_not_trusted(
    make: Callable[..., Front],
    server: FakeServer,
    authority: trustme.CA,
    tmp_path: Path,
    case: str,
    says: str,
) -> None:
    keys: dict[str, Any] = {}
    now = datetime.now(UTC)
    context = server.context
    match case:
        case "another authority":
            context = server_context(trustme.CA())
        case "another host":
            context = server_context(authority, "chat.example")
        case "expired":
            leaf = authority.issue_cert("127.0.0.1", not_after=now - timedelta(hours=1))
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            leaf.configure_cert(context)
        case "not yet valid":
            leaf = authority.issue_cert(
                "127.0.0.1",
                not_before=now + timedelta(days=1),
                not_after=now + timedelta(days=2),
            )
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            leaf.configure_cert(context)
        case "no authority file":
            keys["trust"] = ByAuthority(tmp_path / "none.pem")
        case _:
            (tmp_path / "empty.pem").write_text("")
            keys["trust"] = ByAuthority(tmp_path / "empty.pem")
    server.context = context
    front = make(**keys)
    if "trust" not in keys:
        with pytest.raises(ssl.SSLError):
            server.accept().next()
    error = front.ended()
    assert isinstance(error, NotTrusted)
    assert says in str(error)
    assert "\n" not in str(error)


def test_an_older_tls_is_no_server(
    make: Callable[..., Front], server: FakeServer, authority: trustme.CA
) -> None:
    server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.context.maximum_version = ssl.TLSVersion.TLSv1_2
    authority.issue_cert("127.0.0.1").configure_cert(server.context)
    front = make()
    with pytest.raises(ssl.SSLError):
        server.accept()
    assert "TLS 1.3" in str(front.ended())


@pytest.mark.parametrize(
    ("first", "says"),
    [(b"SSH-2.0-OpenSSH_9.2\r\n" * 3, "TLS 1.3"), (b"", "hung up")],
)
def test_something_else_at_the_port(
    make: Callable[..., Front], server: FakeServer, first: bytes, says: str
) -> None:
    front = make()
    raw, _ = server.listener.accept()
    raw.sendall(first)
    raw.recv(65_536)
    raw.close()
    error = front.ended()
    assert isinstance(error, CannotConnect)
    assert says in str(error)


def test_a_server_that_never_shakes_hands(make: Callable[..., Front], server: FakeServer) -> None:
    front = make(connect_timeout=0.1)
    raw, _ = server.listener.accept()
    assert "no answer within 0.1 s" in str(front.ended())
    raw.close()


def test_a_server_that_never_says_welcome(make: Callable[..., Front], server: FakeServer) -> None:
    front = make(connect_timeout=0.5)
    server.accept().expect(wire.Hello)
    assert "greeting" in str(front.ended())


def test_a_nick_that_is_taken(make: Callable[..., Front], server: FakeServer) -> None:
    front = make()
    peer = server.accept()
    hello = peer.expect(wire.Hello)
    peer.send(wire.Error(code="nick_taken", message="Taken. Choose another.", re=hello.id))
    error = front.ended()
    assert isinstance(error, Refused)
    assert str(error) == "Taken. Choose another."


# ------------------------------------------------------------------ the end


def test_closing_never_hangs(make: Callable[..., Front], server: FakeServer) -> None:
    front = make()
    server.accept().let_in()
    front.wait(Online)
    began = time.monotonic()
    front.client.close()  # the server never answers `quit`
    assert 1.5 < time.monotonic() - began < 4
    assert front.ended() is None
    front.client.close()
    with pytest.raises(ClientError):
        front.client.say("#lobby", "too late")
    with pytest.raises(ClientError):
        front.client.command("time")


def test_who_is_in_a_hurry_leaves_at_once_and_in_order(
    make: Callable[..., Front], server: FakeServer, tmp_path: Path
) -> None:
    front = make(state_dir=tmp_path)
    server.accept().let_in()
    front.wait(Online)
    front.client.say("#lobby", "is anybody there?")
    began = time.monotonic()
    front.client.close(timeout=0.05)  # the server never answers `quit`
    assert time.monotonic() - began < 0.4
    assert front.ended() is None
    assert make(state_dir=tmp_path).wait(DraftEvent).text == "is anybody there?"


def test_closing_what_never_began() -> None:
    client = ChatClient(ClientConfig(host="h", nick="bob"))
    client.close()
    client.close()
    client.start()
    assert client.events.get(timeout=DEADLINE) == Ended(None)
    assert client.events.empty()
    assert client.nick == "bob"


def test_a_failure_of_our_own_is_an_end_and_a_log_entry(
    make: Callable[..., Front],
    server: FakeServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("bug")

    monkeypatch.setattr(engine_module.Engine, "_read", fail)
    with caplog.at_level(logging.ERROR):
        front = make()
        with suppress(OSError, EOFError):
            server.accept().next()
        error = front.ended()
    assert type(error) is ClientError
    assert "\n" not in str(error)
    assert "RuntimeError: bug" in caplog.text


def test_what_is_said_while_it_ends_is_not_lost(
    make: Callable[..., Front], server: FakeServer, tmp_path: Path
) -> None:
    front = make(state_dir=tmp_path)
    peer = server.accept().let_in()
    front.wait(Online)
    id = front.client.say("#lobby", "unsent")
    peer.expect(wire.Draft)
    peer.cut()
    front.wait(Offline)
    server.listener.close()
    front.client.close()
    assert not front.client.settle(0)
    server.listener = socket.create_server(("127.0.0.1", server.port))
    server.listener.settimeout(DEADLINE)
    again = make(state_dir=tmp_path)
    peer = server.accept()
    assert peer.welcome().session == "token"
    peer.join()
    draft = peer.expect(wire.Draft)
    assert (draft.id, draft.text) == (id, "unsent")
    peer.post(1, "bob", id=id, text="unsent")
    again.wait_draft(id, DraftState.SENT)
    assert again.wait(CaughtUp) == CaughtUp(missed=0, sent=1)


def test_a_damaged_session_file_is_a_warning(
    make: Callable[..., Front], server: FakeServer, tmp_path: Path
) -> None:
    path = GuestState(tmp_path, "127.0.0.1", server.port).path("bob")
    path.touch(0o600)
    front = make(state_dir=tmp_path)
    peer = server.accept()
    assert peer.welcome().session is None
    warning = front.wait(Heard).system
    assert isinstance(warning, wire.Error)
    assert (warning.code, "damaged" in warning.message) == ("state", True)


def test_a_state_folder_that_cannot_be_made_is_a_warning(
    make: Callable[..., Front], server: FakeServer, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    front = make(state_dir=tmp_path / "file" / "state")
    server.accept().let_in()
    front.wait(Online)
    heard = [one.system for one in front.seen if isinstance(one, Heard)]
    warnings = [one.message for one in heard if isinstance(one, wire.Error)]
    assert len(warnings) == 2
    assert "was not used" in warnings[0]
    assert "cannot keep its state" in warnings[1]


# ------------------------------------------------------------------ much at once


@contextmanager
def echoing(peer: Peer, delay_first: threading.Event | None = None) -> Iterator[list[str]]:
    """A server that posts whatever it gets, until the client goes."""
    texts: list[str] = []

    def echo() -> None:
        if delay_first is not None:
            delay_first.wait(DEADLINE)
        seq = 0
        with suppress(EOFError, OSError):
            while True:
                said = peer.next()
                if isinstance(said, wire.Quit):
                    peer.send(wire.Bye(reason="quit"))
                    return
                if isinstance(said, wire.Draft):
                    seq += 1
                    texts.append(said.text)
                    peer.post(seq, "bob", id=said.id, text=said.text)

    thread = threading.Thread(target=echo)
    thread.start()
    try:
        yield texts
    finally:
        thread.join(DEADLINE)


def test_many_messages_keep_their_order(server: FakeServer, make: Callable[..., Front]) -> None:
    front = make()
    peer = server.accept().let_in()
    front.wait(Online)
    expected = [f"{n} " + "x" * (n % 700) for n in range(2_000)]
    with echoing(peer) as texts:
        for text in expected:
            front.client.say("#lobby", text)
            front.client.settle(DEADLINE, left=500)
        assert front.client.settle(DEADLINE)
        front.client.close()
    assert texts == expected
    front.wait(Ended)
    assert [one.posted.text for one in front.seen if isinstance(one, Message)] == expected


def test_a_server_that_does_not_read_gets_the_same_bytes_in_the_end(
    server: FakeServer, make: Callable[..., Front]
) -> None:
    front = make()
    peer = server.accept().let_in()
    front.wait(Online)
    go = threading.Event()
    expected = [f"{n} " + "ä" * 3_900 for n in range(2_000)]  # far more than all buffers hold
    for text in expected:
        front.client.say("#lobby", text)
    assert not front.client.settle(0.2)
    with echoing(peer, go) as texts:
        go.set()
        assert front.client.settle(30)
        front.client.close()
    assert texts == expected


def test_a_front_end_that_falls_behind_is_waited_for(
    server: FakeServer, make: Callable[..., Front], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox_module, "MOST_EVENTS", 100)
    front = make()
    peer = server.accept().let_in()
    front.wait(Heard)
    sent = 0
    peer.sock.settimeout(0.3)
    with suppress(TimeoutError):
        while sent < 20_000:
            peer.post(sent + 1, text="y" * 2_000)
            sent += 1
    assert sent < 20_000, "everything was read although nobody took it"
    assert front.client.events.qsize() < 5_000
    # A frame was cut in half when the server gave up writing: the link is lost, and won back.
    peer.cut()
    front.wait(Offline)
    seqs = [one.posted.seq for one in front.seen if isinstance(one, Message)]
    assert seqs == list(range(1, len(seqs) + 1))
