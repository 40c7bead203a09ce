"""Nothing lost, nothing twice, nothing out of order: the session against a model server, any luck.

The model stores, numbers and forgets as docs/protocol.md says. Links are two queues of envelopes;
a cut throws away what is in them, at any point. Streams lag behind as they like. The user talks,
partners talk and change nicks, the disk fills up, the client is killed and starts again from what
it kept. In the end every message must have come once, in order, and every draft must be stored once
and settled once. What is broken on purpose must be noticed (see the last test).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from securechat.client import effects as do
from securechat.client import events
from securechat.client.events import CaughtUp, DraftState, Message, Offline, Online
from securechat.client.plan import Plan
from securechat.client.session import Session
from securechat.client.subscriptions import Subscriptions
from securechat.errors import CannotConnect
from securechat.protocol import envelopes as wire

LIMITS = wire.Limits(
    max_frame=65_536, max_text=4_000, rate=20, burst=100, presence=500, idle_timeout=90
)
ROOMS = ("#lobby", "#dev")
ME = "me"


@dataclass
class Stored:
    id: str
    sender: str  # an identity
    to: str  # as the draft had it
    text: str


@dataclass
class Server:
    """Identities are "me" and partners; a direct conversation is called by the partner."""

    epoch: int = 1
    log: dict[str, list[Stored]] = field(default_factory=dict)
    ids: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    nicks: dict[str, str] = field(default_factory=lambda: {ME: "bob", "eve": "eve", "amy": "amy"})
    tokens: set[str] = field(default_factory=set)
    full: bool = False

    def store(self, conversation: str, sender: str, id: str, to: str, text: str) -> int:
        messages = self.log.setdefault(conversation, [])
        messages.append(Stored(id, sender, to, text))
        self.ids[sender, id] = conversation, len(messages)
        return len(messages)

    def posted(self, conversation: str, seq: int) -> wire.Posted:
        one = self.log[conversation][seq - 1]
        other = ME if one.sender == conversation else conversation
        to = conversation if conversation[0] == "#" else f"@{self.nicks[other]}"
        sender = self.nicks[one.sender]
        return wire.Posted(id=one.id, to=to, sender=sender, seq=seq, ts="", text=one.text)

    def find(self, address: str) -> str | None:
        """The conversation behind an address of ours."""
        if address[0] == "#":
            return address
        return next((who for who, nick in self.nicks.items() if f"@{nick}" == address), None)


class Link:
    """The server's end of one connection: what it reads, what it sends, where each stream is."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.inbound: deque[Any] = deque()
        self.outbound: deque[Any] = deque()
        self.cursors: dict[str, int] = {}
        self.refused: str | None = None
        self.welcomed = False

    def serve(self, limit: int) -> None:
        for _ in range(min(limit, len(self.inbound))):
            said = self.inbound.popleft()
            if isinstance(said, wire.Draft):
                self._draft(said)
            else:
                self._command(said)

    def stream(self, limit: int) -> None:
        """Send up to `limit` messages, round robin over the conversations that are behind."""
        for _ in range(limit):
            behind = [
                name
                for name, seq in self.cursors.items()
                if seq < len(self.server.log.get(name, ()))
            ]
            if not behind:
                return
            self.cursors[behind[0]] += 1
            self.outbound.append(self.server.posted(behind[0], self.cursors[behind[0]]))

    def _draft(self, draft: wire.Draft) -> None:
        server = self.server
        known = server.ids.get((ME, draft.id))
        if self.refused is not None and draft.id != self.refused:
            self._error("storage", draft.id)
        elif known is not None:
            self.refused = None
            self.outbound.append(server.posted(*known))
        elif server.full:
            self.refused = draft.id
            self._error("storage", draft.id)
        else:
            self.refused = None
            conversation = server.find(draft.to)
            if conversation is None or (
                conversation[0] == "#" and conversation not in self.cursors
            ):
                self._error("not_a_member", draft.id)
                return
            self.cursors.setdefault(conversation, len(server.log.get(conversation, ())))
            server.store(conversation, ME, draft.id, draft.to, draft.text)

    def _error(self, code: str, re: str) -> None:
        self.outbound.append(wire.Error(code=code, message=code, re=re, retry_after=1.0))

    def _command(self, command: wire.Command) -> None:
        server = self.server
        match command:
            case wire.Hello():
                server.tokens.add("token")
                self._welcome(command)
            case wire.Join():
                self._join(command)
            case wire.Conversations():
                rows = tuple(
                    wire.Conversation(to=f"@{server.nicks[name]}", seq=len(log), ts="")
                    for name, log in server.log.items()
                    if name[0] != "#"
                )
                self.outbound.append(wire.ConversationList(conversations=rows, re=command.id))
            case wire.Ping():
                self.outbound.append(wire.ServerPong(re=command.id))
            case wire.ChangeNick():
                old, server.nicks[ME] = server.nicks[ME], command.nick
                self.outbound.append(wire.Renamed(old=old, nick=command.nick, re=command.id))
            case _:
                raise AssertionError(command)

    def _welcome(self, hello: wire.Hello) -> None:
        server = self.server
        server.nicks[ME] = hello.nick
        self.welcomed = True
        for name, log in server.log.items():
            if name[0] != "#":
                self.cursors[name] = len(log)
        self.outbound.append(
            wire.Welcome(
                protocol=1,
                server="model",
                version="1",
                nick=hello.nick,
                session="token",
                epoch=f"e{server.epoch}",
                limits=LIMITS,
            )
        )

    def _join(self, join: wire.Join) -> None:
        conversation = self.server.find(join.room)
        if conversation is None:
            self._error("no_such_user", join.id)
            return
        head = len(self.server.log.get(conversation, ()))
        after = head if join.after is None else min(join.after, head)
        if join.last is not None:
            after = max(0, head - join.last)
        self.cursors[conversation] = after
        self.outbound.append(
            wire.Joined(room=join.room, nick=ME, re=join.id, seq=head, after=after, count=1)
        )


class World:
    """One client and one server, moved by hand."""

    def __init__(self) -> None:
        self.server = Server()
        self.link: Link | None = None
        self.now = 0.0
        self.runs = 0
        self.said: dict[str, list[str]] = {}
        self.texts = 0
        self.told: list[Any] = []
        self.settled: dict[str, list[DraftState]] = {}
        self.session = self._begin(Plan(host="h", nick="bob", run="r1", rooms=ROOMS, backlog=0))

    def _begin(self, plan: Plan) -> Session:
        self.runs += 1
        self.session = Session(plan, random=lambda: 0.5)
        self.carry_out(self.session.start(self.now))
        return self.session

    def carry_out(self, effects: list[do.Effect]) -> None:
        for effect in effects:
            match effect:
                case do.Tell(event):
                    self._tell(event)
                case do.Send(envelope) if self.link is not None:
                    self.link.inbound.append(envelope)
                case do.Dial():
                    self.link = Link(self.server)
                    self.carry_out(self.session.dialed(self.now))
                case do.HangUp():
                    self.link = None
                case do.End(error):
                    raise AssertionError(f"ended: {error}")
                case _:
                    pass

    def _tell(self, event: events.ClientEvent) -> None:
        self.told.append(event)
        if isinstance(event, events.Draft) and event.state in (DraftState.SENT, DraftState.REFUSED):
            self.settled.setdefault(event.id, []).append(event.state)
        if isinstance(event, Online) and event.held:
            self.carry_out(self.session.confirm_drafts(True))

    # ---------------------------------------------------------- what may happen

    def say(self, who: str) -> None:
        self.texts += 1
        to = who if who[0] == "#" else f"@{self.server.nicks[who]}"
        draft = wire.Draft(id=f"r{self.runs}-{self.texts}", to=to, text=f"m{self.texts}")
        self.said.setdefault(who, []).append(draft.id)
        self.carry_out(self.session.say(draft))

    def other_says(self, who: str, where: str) -> None:
        self.texts += 1
        conversation = where if where[0] == "#" else who
        seq = self.server.store(conversation, who, f"{who}-{self.texts}", where, f"m{self.texts}")
        if self.link is not None and self.link.welcomed and conversation[0] != "#":
            self.link.cursors.setdefault(conversation, seq - 1)

    def serve(self, count: int) -> None:
        if self.link is not None:
            self.link.serve(count)

    def stream(self, count: int) -> None:
        if self.link is not None:
            self.link.stream(count)

    def deliver(self, count: int) -> None:
        for _ in range(count):
            if self.link is None or not self.link.outbound:
                return
            self.session.alive(self.now)
            self.carry_out(self.session.heard(self.now, self.link.outbound.popleft()))

    def flow(self, count: int) -> None:
        """Let everything move."""
        self.serve(count)
        self.stream(count)
        self.deliver(count)

    def cut(self, _: int) -> None:
        if self.link is not None:
            self._let_in()
            self.link = None
            self.carry_out(self.session.lost(self.now, CannotConnect("cut")))

    def _let_in(self) -> None:
        """A run's first welcome comes for certain: without it the client ends, and rightly so."""
        while self.session.snapshot().under is None:
            self.serve(1)
            self.deliver(1)

    def kill(self, _: int) -> None:
        """kill -9 of the client; what it kept is what the next run starts from."""
        self._let_in()
        self.session.take_cursors()  # what was told was shown
        kept, self.link = self.session.snapshot(), None
        nick = self.session.nick
        self._begin(
            Plan(
                host="h",
                nick=nick,
                run=f"r{self.runs + 1}",
                rooms=ROOMS,
                backlog=0,
                session="token",
                saved=(kept,),
            )
        )

    def wait(self, seconds: int) -> None:
        self._let_in()
        self.now += seconds
        self.carry_out(self.session.tick(self.now))

    def fill(self, full: int) -> None:
        self.server.full = bool(full)

    def rename_me(self, number: int) -> None:
        if self.session.online:
            command = wire.ChangeNick(id=f"c{self.texts}-{number}", nick=f"bob{number}")
            self.carry_out(self.session.ask(command))

    # ---------------------------------------------------------- the end

    def finish(self) -> None:
        self.server.full = False
        for _ in range(60):
            self.wait(2)
            self.serve(1_000)
            self.deliver(10_000)  # answers come before the streams that lag behind
            self.stream(1_000)
            self.deliver(10_000)

    def check(self) -> None:
        assert self.session.online
        for conversation, log in self.server.log.items():
            name = conversation
            if conversation[0] != "#":
                name = f"@{self.server.nicks[conversation]}"
            came = [
                (one.posted.seq, one.posted.text)
                for one in self.told
                if isinstance(one, Message) and one.conversation == name
            ]
            stored = [(seq, one.text) for seq, one in enumerate(log, 1)]
            if name[0] == "#":  # joined live: it begins somewhere, and then nothing is missing
                assert came == stored[len(stored) - len(came) :]
            else:
                assert came == stored
        for who, ids in self.said.items():
            mine = [one.id for one in self.server.log[who] if one.sender == ME]
            assert mine == ids
        everything = [id for ids in self.said.values() for id in ids]
        assert self.settled == {id: [DraftState.SENT] for id in everything}
        assert self.session.pending == 0
        assert not [
            one for one in self.told if isinstance(one, Offline) and "missing" in one.reason
        ]


small = st.integers(1, 6)
STEPS = st.one_of(
    st.tuples(st.just("say"), st.sampled_from([*ROOMS, "eve", "amy"])),
    st.tuples(st.just("other"), st.tuples(st.sampled_from(["eve", "amy"]), st.booleans())),
    st.tuples(st.sampled_from(["serve", "stream", "deliver", "flow"]), small),
    st.tuples(st.just("flow"), st.just(50)),
    st.tuples(st.sampled_from(["cut", "kill"]), st.just(0)),
    st.tuples(st.just("wait"), st.sampled_from([1, 5, 31])),
    st.tuples(st.just("fill"), st.integers(0, 1)),
    st.tuples(st.just("rename_me"), small),
)


def play(steps: list[tuple[str, Any]]) -> World:
    world = World()
    for _ in range(3):
        world.flow(50)
    for name, value in steps:
        if name == "other":
            who, public = value
            world.other_says(who, "#lobby" if public else "@bob")
        else:
            getattr(world, name)(value)
    world.finish()
    world.check()
    return world


relaxed = settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@relaxed
@given(st.lists(STEPS, min_size=20, max_size=150))
def test_any_luck_ends_well(steps: list[tuple[str, Any]]) -> None:
    play(steps)


def test_catching_up_is_told_once_for_each_return() -> None:
    world = play([])
    for count in (3, 0):
        for _ in range(count):
            world.other_says("eve", "#lobby")
        world.cut(1)
        world.say("#dev")
        world.finish()
    assert [one for one in world.told if isinstance(one, CaughtUp)] == [
        CaughtUp(missed=3, sent=1),
        CaughtUp(missed=0, sent=1),
    ]


def test_the_check_has_teeth(monkeypatch: pytest.MonkeyPatch) -> None:
    """An off-by-one in the resume cursor loses or repeats messages, and is caught."""
    real = Subscriptions.start_of

    def wrong(self: Subscriptions, room: str) -> dict[str, int]:
        start = real(self, room)
        return {key: value + 1 for key, value in start.items()}

    steps: list[tuple[str, Any]] = [("other", ("eve", True)), ("flow", 9), ("cut", 0)]
    steps += [("other", ("eve", True)), ("other", ("eve", True))]
    play(steps)
    monkeypatch.setattr(Subscriptions, "start_of", wrong)
    with pytest.raises(AssertionError):
        play(steps)
