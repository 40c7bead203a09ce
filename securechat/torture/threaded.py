"""The whole client of the product, threads and files and all, as one of a swarm.

In: what a `Member` takes. Out: its events go into the ledger. Its back-off is the product's own, so
who takes it through an ordeal of many kills gives it the time, or patches `client.backoff`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from queue import Empty

from ..client.client import ChatClient, ClientConfig
from ..client.events import ClientEvent, Draft, DraftState, Ended, Heard, Message, Online
from ..client.trust import Trust
from ..errors import ClientError
from ..protocol.envelopes import Joined
from .ledger import Kind, Ledger, Row, between


class ThreadedMember:
    """A `ChatClient` that speaks to `targets`; see `swarm.Client`."""

    link = None
    dial = None

    def __init__(
        self,
        nick: str,
        port: int,
        folder: Path,
        *,
        rooms: Sequence[str],
        targets: Sequence[str],
        trust: Trust,
        ledger: Ledger,
        seed: int,
    ) -> None:
        self.nick = nick
        self.rooms = tuple(rooms)
        self.window = 0
        self.connections = 0
        self.ended: ClientError | None = None
        self._targets = tuple(targets)
        self._ledger = ledger
        self._random = random.Random(seed)
        self._pending: set[str] = set()
        self._client = ChatClient(
            ClientConfig(
                host="127.0.0.1",
                port=port,
                nick=nick,
                rooms=self.rooms,
                trust=trust,
                backlog=0,
                state_dir=folder,
                connect_timeout=20.0,
            )
        )

    @property
    def online(self) -> bool:
        """Whether it is welcome."""
        return self._client.online

    @property
    def level(self) -> bool:
        """Online, and nothing of its own is under way."""
        return self.online and not self._pending

    def start(self, _now: float) -> None:
        """Begin to connect."""
        self._client.start()

    def turn(self, _now: float, _ready: bool) -> None:
        """Enter what has happened, and speak."""
        try:
            while True:
                self._note(self._client.events.get_nowait())
        except Empty:
            pass
        while self.online and len(self._pending) < self.window:
            to, text = self._random.choice(self._targets), f"line {self._random.random()}"
            id = self._client.say(to, text)
            self._pending.add(id)
            self._ledger.sent(self.nick, self._book(to), id, text)

    def close(self) -> None:
        """Leave."""
        self._client.close()

    def _book(self, address: str) -> str:
        return address if address[0] == "#" else between(self.nick, address[1:])

    def _note(self, event: ClientEvent) -> None:
        match event:
            case Message(conversation, posted):
                row = Row(posted.id, posted.sender, posted.text)
                self._ledger.delivered(self.nick, self._book(conversation), posted.seq, row)
            case Draft(id=id, state=DraftState.SENT):
                self._pending.discard(id)
                self._ledger.echoed(self.nick, id)
            case Draft(id=id, state=DraftState.REFUSED):
                self._ledger.blame(Kind.LOST, f"{id} of {self.nick} was refused: {event.reason}")
            case Heard(Joined(room=room, re=str(), seq=seq, after=after)):
                self._ledger.began(self.nick, room, (seq if after is None else after) or 0)
            case Online():
                self.connections += 1
            case Ended(error):
                self.ended = error or ClientError(f"{self.nick} has left.")
            case _:
                pass  # nothing that the books ask for
