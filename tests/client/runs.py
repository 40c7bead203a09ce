"""One session with a scripted server, as the tests of its parts play it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from securechat.client import effects as do
from securechat.client import events
from securechat.client.backoff import CAP
from securechat.client.events import DraftState, Message
from securechat.client.plan import Plan
from securechat.client.session import Session
from securechat.client.snapshot import Snapshot
from securechat.errors import CannotConnect, ClientError
from securechat.protocol import envelopes as wire
from securechat.protocol.codec import Refusal

RUN = "f" * 32


LIMITS = wire.Limits(
    max_frame=65_536, max_text=4_000, rate=20, burst=100, presence=500, idle_timeout=90
)


def welcome(nick: str = "bob", session: str | None = "token", epoch: str = "e1") -> wire.Welcome:
    return wire.Welcome(
        protocol=1, server="x", version="1", nick=nick, session=session, epoch=epoch, limits=LIMITS
    )


def posted(seq: int, to: str = "#lobby", sender: str = "eve", **keys: Any) -> wire.Posted:
    keys.setdefault("id", f"{sender}-{seq}")
    keys.setdefault("text", f"{to} {seq}")
    return wire.Posted(to=to, sender=sender, seq=seq, ts="2026-01-01T00:00:00.000000Z", **keys)


class Run:
    """One session with a scripted server; what it sends and tells is kept in order."""

    def __init__(self, *, nick: str = "bob", rooms: tuple[str, ...] = ("#lobby",), **keys: Any):
        plan = Plan(host="h", nick=nick, run=RUN, rooms=rooms, **keys)
        self.session = Session(plan, random=lambda: 0.5)
        self.now = 1_000.0
        self.sent: list[Any] = []
        self.told: list[Any] = []
        self.other: list[do.Effect] = []
        self.drafts = 0

    def carry_out(self, effects: list[do.Effect]) -> None:
        for effect in effects:
            if isinstance(effect, do.Send):
                self.sent.append(effect.envelope)
            elif isinstance(effect, do.Tell):
                self.told.append(effect.event)
            else:
                self.other.append(effect)

    def start(self) -> Run:
        self.carry_out(self.session.start(self.now))
        return self

    def dialed(self) -> Run:
        self.carry_out(self.session.dialed(self.now))
        return self

    def hear(self, *said: wire.Posted | wire.System | Refusal) -> Run:
        for one in said:
            self.carry_out(self.session.heard(self.now, one))
        return self

    def lose(self, error: ClientError | None = None) -> Run:
        self.carry_out(self.session.lost(self.now, error or CannotConnect("cut")))
        return self

    def wait(self, seconds: float) -> Run:
        self.now += seconds
        self.carry_out(self.session.tick(self.now))
        return self

    def say(self, text: str, to: str = "#lobby") -> str:
        self.drafts += 1
        draft = wire.Draft(id=f"{RUN}-{self.drafts}", to=to, text=text)
        self.carry_out(self.session.say(draft))
        return draft.id

    def ask(self, command: wire.Command) -> Run:
        self.carry_out(self.session.ask(command))
        return self

    def join(self, seq: int = 0, after: int | None = None, room: str = "#lobby") -> Run:
        """Answer the last unanswered `join` of `room`."""
        asked = self.last(wire.Join, lambda one: one.room == room)
        start = seq if after is None else after
        joined = wire.Joined(room=room, nick="bob", re=asked.id, seq=seq, after=start, count=1)
        return self.hear(joined)

    def listed(self, *rows: tuple[str, int]) -> Run:
        """Answer the last `conversations`."""
        asked = self.last(wire.Conversations)
        listed = tuple(wire.Conversation(to=to, seq=seq, ts="") for to, seq in rows)
        return self.hear(wire.ConversationList(conversations=listed, re=asked.id))

    def online(self, **keys: Any) -> Run:
        """Dial, be welcomed, join the lobby at its head, no direct conversations."""
        return self.start().dialed().hear(welcome(**keys)).join().listed()

    def come_back(self, **keys: Any) -> Run:
        """Lose the link and be welcomed again."""
        return self.lose().wait(CAP).dialed().hear(welcome(**keys))

    def snapshot(self) -> Snapshot:
        """What is kept once the front end has taken everything."""
        self.session.take_cursors()
        return self.session.snapshot()

    def last(self, kind: type[Any], fits: Callable[[Any], bool] = lambda _: True) -> Any:
        return next(one for one in reversed(self.sent) if isinstance(one, kind) and fits(one))

    def tells(self, kind: type[Any]) -> list[Any]:
        return [one for one in self.told if isinstance(one, kind)]

    def states(self, id: str) -> list[DraftState]:
        return [one.state for one in self.tells(events.Draft) if one.id == id]

    def seqs(self, conversation: str = "#lobby") -> list[int]:
        messages = self.tells(Message)
        return [one.posted.seq for one in messages if one.conversation == conversation]

    def drafts_sent(self) -> list[str]:
        return [one.text for one in self.sent if isinstance(one, wire.Draft)]

    def ended(self) -> ClientError | None:
        end = self.other[-1]
        assert isinstance(end, do.End)
        return end.error

    def forget(self) -> Run:
        """Look only at what comes from here on."""
        self.sent.clear()
        self.told.clear()
        self.other.clear()
        return self
