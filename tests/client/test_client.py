"""The whole client against a scripted server, over real TLS on loopback. Nothing sleeps: the test
plays the server itself, and waits for events with a deadline."""

from __future__ import annotations

import logging
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from securechat.client import engine as engine_module
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
from securechat.errors import ClientError, GaveUp
from securechat.protocol import envelopes as wire

from .playing import DEADLINE, FakeServer, Front

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
    with pytest.raises(ValueError, match="a message cannot be sent: to must be a room"):
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
