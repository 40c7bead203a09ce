"""A client without threads and files: session and connection as they are, the engine played.

A `Program` is one run: it does in each of its rounds what `client.engine` does, in the same order.
`Files` keep what its outbox would hold, so that a run that was killed, at any point of a round,
is followed by one that starts from there. `Person` is who starts it again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final, Protocol

from securechat.client import effects as do
from securechat.client import events
from securechat.client.plan import Plan
from securechat.client.session import Session
from securechat.client.snapshot import KeptDraft, Snapshot, Under
from securechat.errors import CannotConnect, ClientError
from securechat.protocol import envelopes as wire
from securechat.protocol.codec import encode
from securechat.protocol.connection import Connection, Role, signal_of
from securechat.protocol.framing import encode_frame

from .simnet import Clock, Link, Timer
from .simserver import Server


class _Journal:
    """One run's file, as `client.outbox` keeps it: lines, of which the last may not be written."""

    def __init__(self, nick: str) -> None:
        self._under: Under | None = None
        self._nicks = {nick: None}
        self._cursors: dict[str, int] = {}
        self._drafts: dict[str, KeptDraft] = {}
        self._lines: list[Callable[[], object]] = []

    def note(self, line: Callable[[], object]) -> None:
        """Something happened."""
        self._lines.append(line)

    def flush(self) -> None:
        """It is written."""
        for line in self._lines:
            line()
        self._lines.clear()

    def add(self, draft: wire.Draft) -> None:
        """A draft that is about to be sent."""
        kept = KeptDraft(draft, self._under)
        self.note(lambda: self._drafts.setdefault(draft.id, kept))

    def settle(self, id: str) -> None:
        """A draft that came back."""
        self.note(lambda: self._drafts.pop(id, None))

    def move(self, cursors: dict[str, int]) -> None:
        """Cursors that have moved."""

        def line() -> None:
            for key, seq in cursors.items():
                self._cursors[key] = max(seq, self._cursors.get(key, 0))

        self.note(line)

    def rename(self, old: str, new: str) -> None:
        """A conversation goes by another name."""

        def line() -> None:
            if old in self._cursors:
                self._cursors[new] = self._cursors.pop(old)

        self.note(line)

    def become(self, nick: str) -> None:
        """Another nick is ours too."""
        self.note(lambda: self._nicks.setdefault(nick))

    def rewrite(self, snapshot: Snapshot) -> None:
        """All that there is, at once."""
        self._lines.clear()
        self._under = snapshot.under
        self._nicks = dict.fromkeys(snapshot.nicks)
        self._cursors = dict(snapshot.cursors)
        self._drafts = {kept.draft.id: kept for kept in snapshot.drafts}

    def snapshot(self) -> Snapshot:
        """What the next run reads."""
        drafts = tuple(self._drafts.values())
        return Snapshot(self._under, tuple(self._nicks), dict(self._cursors), drafts)


class Files:
    """What one person's machine keeps."""

    def __init__(self) -> None:
        self.sessions: dict[str, str] = {}
        self.orphans: list[_Journal] = []
        self.own: _Journal | None = None
        #: How often each draft was sent: not a file, but known to whoever looks on.
        self.sent = Counter[str]()

    def begin(self, nick: str) -> tuple[Snapshot, ...]:
        """A run begins; what earlier ones left."""
        if self.own is not None:
            self.orphans.append(self.own)
        self.own = _Journal(nick)
        return tuple(journal.snapshot() for journal in self.orphans)

    def rewrite(self, snapshot: Snapshot) -> None:
        """The run's own file holds all that counts."""
        assert self.own is not None
        self.own.rewrite(snapshot)
        self.orphans.clear()


class Killed(Exception):
    """kill -9 in the middle of a round."""


class Owner(Protocol):
    """Who looks at the program."""

    def tell(self, program: Program, event: events.ClientEvent) -> None:
        """Something is shown."""
        ...

    def ended(self, program: Program, error: ClientError | None) -> None:
        """The program has ended by itself."""
        ...


class Program:
    """One run of a client, from start to end."""

    def __init__(
        self, clock: Clock, server: Server, files: Files, owner: Owner, plan: Plan
    ) -> None:
        self.clock = clock
        self.dead = False
        #: How it is killed in its next round: "before flush", "behind flush"; "" for not at all.
        self.doom = ""
        #: Until then nothing is read: the front end is busy.
        self.busy_until = 0.0
        #: Messages up to these were shown, by conversation as the client calls it.
        self.shown: dict[str, int] = {}
        #: Drafts that are in no file yet.
        self.unkept: list[str] = []
        self.run = plan.run
        self._server = server
        self._files = files
        self._owner = owner
        saved = files.begin(plan.nick)
        #: Where earlier runs had a place that was written down.
        self.known = {name for one in saved for name in one.cursors}
        #: Where drafts of earlier runs are for: it enters those rooms to send them.
        self.inherited = {kept.draft.to for one in saved for kept in one.drafts}
        assert files.own is not None
        self._journal = files.own
        self.session = Session(
            Plan(
                plan.host,
                plan.nick,
                plan.run,
                rooms=plan.rooms,
                backlog=0,
                session=files.sessions.get(plan.nick),
                saved=saved,
            ),
            random=clock.dice.random,
        )
        self.link: Link | None = None
        self._dialing = 0
        self._connection = Connection(Role.CLIENT)
        self._out: list[bytes] = []
        self._told: list[events.ClientEvent] = []
        self._requests: list[Callable[[], list[do.Effect]]] = []
        self._over: do.End | None = None
        self._timer = Timer(clock, self._round)

    # ---------------------------------------------------------- from outside

    def start(self) -> None:
        """Begin to connect."""
        self.request(lambda: self.session.start(self.clock.now))

    def request(self, act: Callable[[], list[do.Effect]]) -> None:
        """The user wants something."""
        self._requests.append(act)
        self.wake()

    def wake(self) -> None:
        """Have it take a round now."""
        if not self.dead:
            self._timer.set(self.clock.now)

    def kill(self) -> None:
        """kill -9."""
        self.dead = True
        if self.link is not None:
            self.link.hang_up()
            self.link = None

    # ---------------------------------------------------------- one round, as in the engine

    def _round(self) -> None:
        if self.dead:
            return
        try:
            self._go_round()
        except Killed:
            self.kill()
            self._owner.ended(self, CannotConnect("killed"))
            return
        if self._over is not None:
            self.kill()
            self._owner.ended(self, self._over.error)
            return
        deadline = self.session.deadline
        if deadline is not None:
            self._timer.set(max(deadline, self.clock.now + _ROUND_TAKES))

    def _go_round(self) -> None:
        session, now = self.session, self.clock.now
        if session.cursors_moved and self.clock.dice.random() < 0.7:
            self._journal.move(session.take_cursors())
        requests, self._requests = self._requests, []
        for act in requests:
            self._carry_out(act())
        if self.link is not None:
            self._read(self.link)
        self._carry_out(session.tick(now))
        doom, self.doom = self.doom, ""
        if doom == "before flush":
            raise Killed
        self._journal.flush()
        self.unkept.clear()
        told, self._told = self._told, []
        for event in told:
            self._owner.tell(self, event)
        if doom == "behind flush":
            raise Killed
        if self.link is not None and self._out:
            self.link.write(b"".join(self._out))
        self._out.clear()

    def _read(self, link: Link) -> None:
        now, session = self.clock.now, self.session
        if now < self.busy_until:
            session.alive(now)
            self._timer.set(self.busy_until)
            return
        try:
            data = link.read()
        except ConnectionResetError:
            self._carry_out(session.lost(now, CannotConnect("the link broke")))
            return
        if not data:
            return
        session.alive(now)
        self._connection.receive_data(data)
        while self.link is link and (said := self._connection.next_events()):
            for one in said:
                self._carry_out(session.heard(now, one))  # type: ignore[arg-type]

    # ---------------------------------------------------------- effects

    def _carry_out(self, effects: list[do.Effect]) -> None:
        for effect in effects:
            match effect:
                case do.Tell(event):
                    self._told.append(event)
                    if isinstance(event, events.Online) and event.held:
                        self.request(lambda: self.session.confirm_drafts(True))
                case do.Send(envelope):
                    self._send(envelope)
                case do.KeepDraft(draft):
                    self.unkept.append(draft.id)
                    self._journal.add(draft)
                case do.ForgetDraft(id):
                    self._journal.settle(id)
                case do.Dial():
                    self._dial()
                case do.HangUp():
                    self._hang_up()
                case do.KeepSession(nick, session):
                    self._files.sessions[nick] = session
                case do.KeepNick(nick) | do.KeepName(nick):
                    self._journal.become(nick)
                case do.MoveCursor(old, new):
                    self._journal.rename(old, new)
                case do.KeepAll():
                    self._files.rewrite(self.session.snapshot())
                case do.End():
                    self._over = effect

    def _send(self, envelope: wire.Draft | wire.Command) -> None:
        if self.link is not None and not self._connection.closed:
            if isinstance(envelope, wire.Draft):
                self._files.sent[envelope.id] += 1
            self._connection.note_sent(signal_of(envelope))
            self._out.append(encode_frame(encode(envelope), self._connection.max_frame))

    def _dial(self) -> None:
        self._dialing += 1
        self.clock.after(self.clock.dice.choice(_DIALING), self._dialed, self._dialing)

    def _dialed(self, dialing: int) -> None:
        if self.dead or dialing != self._dialing or self.link is not None:
            return
        link = self._server.accept(self)
        if link is None:
            error = CannotConnect("nobody listens")
            self.request(lambda: self.session.lost(self.clock.now, error))
            return
        self.link = link
        self._connection = Connection(Role.CLIENT)
        self.request(lambda: self.session.dialed(self.clock.now))

    def _hang_up(self) -> None:
        self._dialing += 1
        self._out.clear()
        if self.link is not None:
            self.link.hang_up()
            self.link = None


#: No program takes two rounds at one moment: without that, a rounded deadline would never pass.
_ROUND_TAKES: Final = 0.000_1
#: How long it takes to connect and shake hands, seconds.
_DIALING: Final = (0.001, 0.05, 0.4)
