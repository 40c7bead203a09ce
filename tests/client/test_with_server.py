"""The real client and the real server, through a proxy that cuts their links."""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from queue import Empty
from typing import Any

import pytest

from securechat.client import backoff
from securechat.client.client import ChatClient, ClientConfig
from securechat.client.events import CaughtUp, Draft, DraftState, Heard, Message, Offline, Online
from securechat.client.trust import ByAuthority
from securechat.client.whereabouts import Whereabouts
from securechat.config import ChatLimits, ServerConfig
from securechat.protocol import envelopes as wire
from securechat.server.app import Server

DEADLINE = 15.0


class Proxy:
    """Passes bytes on, and cuts links: each after so many bytes from the server, or all at once."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.cut_after = 0
        self._links: set[socket.socket] = set()
        self._opened: list[socket.socket] = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                self._opened.append(near)
                try:
                    far = socket.create_connection(("127.0.0.1", self.target), timeout=DEADLINE)
                except OSError:
                    self._end(near)
                    continue
                self._opened.append(far)
                far.settimeout(None)
                with self._lock:
                    self._links |= {near, far}
                for way in ((near, far, None), (far, near, self.cut_after or None)):
                    self._threads.append(threading.Thread(target=self._pump, args=way))
                    self._threads[-1].start()

    def _pump(self, source: socket.socket, sink: socket.socket, left: int | None) -> None:
        with suppress(OSError):
            while data := source.recv(4_096):
                if left is not None:
                    data, left = data[:left], left - len(data)
                sink.sendall(data)
                if left is not None and left <= 0:
                    break
        self._end(source)
        self._end(sink)

    def _end(self, link: socket.socket) -> None:
        """Reset it: no FIN, no close_notify."""
        with suppress(OSError):
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            link.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        with self._lock:
            links, self._links = self._links, set()
        for link in links:
            self._end(link)

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(DEADLINE)
        for link in self._opened:
            link.close()


class Front:
    """A front end that keeps everything it sees."""

    def __init__(self, client: ChatClient) -> None:
        self.client = client
        self.seen: list[Any] = []
        self._looked_at = 0

    def take(self, timeout: float = 0.0) -> bool:
        try:
            self.seen.append(self.client.events.get(timeout=timeout))
        except Empty:
            return False
        return True

    def wait(self, kind: type[Any], fits: Callable[[Any], bool] = lambda _: True) -> Any:
        """The next such event that was not waited past."""
        deadline = time.monotonic() + DEADLINE
        while True:
            while self._looked_at < len(self.seen):
                event = self.seen[self._looked_at]
                self._looked_at += 1
                if isinstance(event, kind) and fits(event):
                    return event
            assert self.take(max(0.01, deadline - time.monotonic())), f"no {kind.__name__}"

    def wait_text(self, text: str) -> Message:
        found: Message = self.wait(Message, lambda one: one.posted.text == text)
        return found

    def messages(self, conversation: str = "#lobby") -> list[tuple[int, str, str]]:
        while self.take(0.001):
            pass
        return [
            (one.posted.seq, one.posted.sender, one.posted.text)
            for one in self.seen
            if isinstance(one, Message) and one.conversation == conversation
        ]

    def settled(self) -> dict[str, list[DraftState]]:
        states: dict[str, list[DraftState]] = {}
        for one in self.seen:
            if isinstance(one, Draft) and one.state in (DraftState.SENT, DraftState.REFUSED):
                states.setdefault(one.id, []).append(one.state)
        return states


class World:
    def __init__(self, certificates: Any, folder: Path) -> None:
        limits = replace(ChatLimits(), rate=0.0, connections_per_identity=100)
        self.config = ServerConfig(port=0, certs=certificates.directory, limits=limits)
        self.certificates = certificates
        self.folder = folder
        self.server = self.serve()
        self.proxy = Proxy(self.server.addresses[0][1])
        self.fronts: list[Front] = []

    def serve(self) -> Server:
        server = Server(self.config)
        server.start()
        return server

    def restart(self) -> None:
        """On the same port; what it had in memory is gone."""
        port = self.server.addresses[0][1]
        self.server.stop()
        self.config = replace(self.config, port=port)
        self.server = self.serve()

    def join(self, nick: str, **keys: Any) -> Front:
        config = ClientConfig(
            host="127.0.0.1",
            port=self.proxy.port,
            nick=nick,
            trust=ByAuthority(self.certificates.ca),
            state_dir=self.folder / nick,
            **keys,
        )
        front = Front(ChatClient(config))
        self.fronts.append(front)
        front.client.start()
        front.wait(Online)
        return front

    def close(self) -> None:
        for front in self.fronts:
            front.client.close()
        self.proxy.close()
        self.server.stop()


@pytest.fixture
def world(certificates: Any, tmp_path: Path) -> Iterator[World]:
    world = World(certificates, tmp_path)
    yield world
    world.close()


def test_two_talk_in_a_room_and_in_private(world: World) -> None:
    bob = world.join("bob")
    bob.wait(Heard, lambda one: one.system.event == "joined" and one.system.nick == "bob")
    eve = world.join("eve")
    eve.wait(Heard, lambda one: one.system.event == "joined" and one.system.nick == "eve")
    bob.client.say("#lobby", "hello")
    eve.wait_text("hello")
    bob.client.say("@eve", "psst")
    assert eve.wait_text("psst").conversation == "@bob"
    assert bob.wait_text("psst").conversation == "@eve"
    eve.client.command("nick", nick="carol")
    bob.wait(Heard, lambda one: one.system.event == "renamed")
    eve.client.say("@bob", "it is me")
    assert bob.wait_text("it is me").conversation == "@carol"
    refused = bob.client.say("@nobody", "anyone?")
    assert bob.wait(Draft, lambda one: one.id == refused and one.reason).state is DraftState.REFUSED
    assert bob.client.settle(DEADLINE)
    assert not any(isinstance(one, Offline) for front in world.fronts for one in front.seen)


def test_what_was_said_to_us_while_we_were_away_waits(world: World) -> None:
    bob, eve = world.join("bob"), world.join("eve")
    bob.client.say("@eve", "one")
    eve.wait_text("one")
    eve.client.close()
    bob.client.say("@eve", "two")
    bob.client.say("#lobby", "three")
    assert bob.client.settle(DEADLINE)
    again = world.join("eve")
    assert again.wait(CaughtUp) == CaughtUp(missed=2, sent=0)
    assert again.messages("@bob") == [(2, "bob", "two")]
    assert again.messages() == [(1, "bob", "three")]


def test_another_history_asks_first(world: World) -> None:
    bob = world.join("bob")
    bob.client.say("#lobby", "before")
    bob.wait_text("before")
    bob.client.settle(DEADLINE)
    world.proxy.target = 1  # nobody is there
    world.proxy.cut()
    bob.wait(Offline)
    bob.client.say("#lobby", "unsure")
    world.restart()
    world.proxy.target = world.server.addresses[0][1]
    online = bob.wait(Online)
    assert (online.new_epoch, online.held, online.resumed) == (True, 1, False)
    bob.client.confirm_drafts(True)
    assert bob.wait_text("unsure").posted.seq == 1


CHILD = """
import sys
from pathlib import Path
from securechat.client.client import ChatClient, ClientConfig
from securechat.client.events import Draft, Offline, Online
from securechat.client.trust import ByAuthority
from securechat.client.whereabouts import Whereabouts

port, ca_file, folder, lines = sys.argv[1:]
client = ChatClient(
    ClientConfig(
        host="127.0.0.1",
        port=int(port),
        nick="bob",
        trust=ByAuthority(Path(ca_file)),
        state_dir=Path(folder),
    )
)
client.start()
while True:
    event = client.events.get()
    if isinstance(event, (Online, Offline)):
        print(type(event).__name__, flush=True)
    if isinstance(event, Online):
        sys.stdin.readline()
        for number in range(int(lines)):
            client.say("#lobby", f"line {number}")
    if isinstance(event, Draft):
        print(event.state.value, event.text, flush=True)
"""


@pytest.mark.parametrize(
    ("offline", "kill_at"), [(True, 20), (False, 1), (False, 60), (False, 150)]
)
def test_a_client_killed_in_mid_sentence_loses_nothing(
    world: World, offline: bool, kill_at: int
) -> None:
    eve = world.join("eve", backlog=0)
    eve.wait(Heard, lambda one: one.system.event == "joined")
    lines = 20 if offline else 200
    command = [sys.executable, "-c", CHILD, str(world.proxy.port), str(world.certificates.ca)]
    with subprocess.Popen(
        [*command, str(world.folder / "bob"), str(lines)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.readline() == "Online\n"
        if offline:
            world.proxy.target = 1  # nobody is there
            world.proxy.cut()
        child.stdin.write("\n")
        child.stdin.flush()
        told: list[str] = []
        while len([one for one in told if one.startswith(("waiting", "sent"))]) < kill_at:
            told.append(child.stdout.readline().strip())
        child.kill()
    world.proxy.target = world.server.addresses[0][1]
    bob = world.join("bob", backlog=0)
    assert bob.client.settle(DEADLINE)
    bob.client.say("#lobby", "the end")
    bob.wait_text("the end")
    eve.wait_text("the end")
    texts = [text for _, _, text in eve.messages()]
    assert texts == [*(f"line {number}" for number in range(len(texts) - 1)), "the end"]
    safe = [one.partition(" ")[2] for one in told if one.startswith(("waiting", "sent"))]
    assert set(safe) <= set(texts)


@pytest.mark.parametrize("cut_after", [4_000, 9_000, 30_000])
def test_cut_again_and_again_nothing_is_lost_or_twice(
    world: World, cut_after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "CAP", 0.05)
    bob, eve = world.join("bob", backlog=0), world.join("eve", backlog=0)
    for front in (bob, eve):
        front.wait(Heard, lambda one: one.system.event == "joined")
    world.proxy.cut_after = cut_after  # the handshake included
    world.proxy.cut()
    said: dict[str, list[str]] = {"bob": [], "eve": []}
    for number in range(60):
        for front in (bob, eve):
            nick = front.client.nick
            text = f"{nick} {number} " + "x" * (number * 7 % 90)
            said[nick].append(text)
            front.client.say("#lobby", text)
            if number % 3 == 0:
                front.client.say("@eve" if nick == "bob" else "@bob", text)
    deadline = time.monotonic() + 3 * DEADLINE
    while time.monotonic() < deadline:
        if bob.client.settle(0.1) and eve.client.settle(0.1):
            break
    world.proxy.cut_after = 0
    world.proxy.cut()
    for front, other in ((bob, "@eve"), (eve, "@bob")):
        front.client.say("#lobby", "the end")
        front.client.say(other, "the end")
        assert front.client.settle(DEADLINE)
    for front in 4 * (bob, eve):
        front.wait_text("the end")
    room = bob.messages()
    assert eve.messages() == room
    assert [seq for seq, _, _ in room] == list(range(1, len(room) + 1))
    for nick, texts in said.items():
        assert [text for _, sender, text in room if sender == nick] == [*texts, "the end"]
    assert bob.messages("@eve") == eve.messages("@bob")
    assert len(bob.messages("@eve")) == 42
    for front in (bob, eve):
        assert set(map(tuple, front.settled().values())) == {(DraftState.SENT,)}
        assert any(isinstance(one, Offline) for one in front.seen)


def test_where_one_is_is_kept_for_the_next_start(world: World) -> None:
    def kept(folder: str, nick: str) -> tuple[str, ...]:
        place = (world.folder / folder, "127.0.0.1", world.proxy.port, nick)
        return Whereabouts(*place).load()

    def answers(id: str) -> Callable[[Heard], bool]:
        return lambda one: one.system.re == id

    world.join("script", rooms=("#ops",)).wait(Heard, came_in)
    bob = world.join("bob", rooms=("#ops",), keeps_rooms=True)
    bob.wait(Heard, came_in)
    for name, keys in (
        ("join", {"room": "#garden"}),
        ("leave", {"room": "#ops"}),
        ("nick", {"nick": "robert"}),
        ("join", {"room": "#lobby"}),
    ):
        bob.wait(Heard, answers(bob.client.command(name, **keys)))
    bob.client.close()
    assert kept("bob", "bob") == kept("bob", "robert") == ("#garden", "#lobby")
    assert kept("script", "script") == ()


def came_in(one: Heard) -> bool:
    return isinstance(one.system, wire.Joined) and one.system.re is not None
