"""Many clients in one thread: each is the product's own session, over a link of its own.

In: who they are, where they dial and how much they say. Out: every event goes into the ledger.
What a client of the product decides (what to send again, where to join, when to come back) is
decided here by the very same code, and what it keeps on disk is kept by the same code too; only
the thread of its own is missing. A member can be killed, and comes back with what its files hold.
"""

from __future__ import annotations

import random
import select
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Protocol, TypeVar, assert_never

from ..client import effects as do
from ..client.dial import Dial
from ..client.events import ClientEvent, DraftState, Heard, Message
from ..client.events import Draft as DraftEvent
from ..client.keeper import Keeper
from ..client.link import Link, describe_loss
from ..client.plan import Plan
from ..client.session import Session
from ..client.trust import Guard
from ..errors import CannotConnect, ClientError
from ..protocol.codec import encode
from ..protocol.connection import Connection, Role, signal_of
from ..protocol.envelopes import Command, Draft, Joined, Posted
from ..protocol.framing import encode_frame
from .ledger import Kind, Ledger, Row, between

#: Of the product's back-off as much as this: an ordeal has no time to be polite.
_HASTE: Final = 0.003
#: How long a member waits for each step of a connection, seconds.
_PATIENCE: Final = 20.0
#: How soon a user starts a program again, seconds.
_AGAIN: Final = 0.05
_WORDS: Final = (
    *("salt", "harbour", "lantern", "ninety", "ключ", "żółw", "猫", "🦉", "tide", "gravel"),
    *("a\nnew line", "\ttab", '"quoted"', "back\\slash", "{}", "ǅ", "e\u0301", "copper", "moss"),
)
#: What texts are cut out of: what JSON must escape, and characters of one to four bytes.
_BABBLE: Final = " ".join(random.Random(0).choices(_WORDS, k=4_000))


class Member:
    """One client. `targets` are the rooms and `@nick`s that it speaks to, `folder` has its files.

    `window`: so many drafts may be under way at once; 0: it is silent. `allowance`: so many it
    still says by itself; None: no end. `length`: characters of its texts, from and to.
    """

    def __init__(
        self,
        nick: str,
        port: int,
        folder: Path,
        *,
        rooms: Sequence[str],
        targets: Sequence[str],
        guard: Guard,
        ledger: Ledger,
        seed: int,
    ) -> None:
        self.nick = nick
        self.port = port
        self.rooms = tuple(rooms)
        self.window = 0
        self.allowance: int | None = None
        self.length = (1, 120)
        #: How often a link came about.
        self.connections = 0
        #: Why it ended for good.
        self.ended: ClientError | None = None
        #: What to select on: one of them, or neither.
        self.dial: Dial | None = None
        self.link: Link | None = None
        self._folder = folder
        self._targets = tuple(targets)
        self._guard = guard
        self._ledger = ledger
        self._random = random.Random(seed)
        self._runs = 0
        self._said = 0
        self._start_at: float | None = None
        self._connection = Connection(Role.CLIENT)
        self._keeper, self.session = self._new_run()

    def _new_run(self) -> tuple[Keeper, Session]:
        """The program is started: what earlier runs left is taken over."""
        self._runs += 1
        run = f"{self._random.getrandbits(96):024x}.{self._runs}"
        keeper = Keeper(self._folder, "127.0.0.1", self.port, self._warn)
        token = keeper.load_session(self.nick)
        plan = Plan(
            host="127.0.0.1",
            port=self.port,
            nick=self.nick,
            run=run,
            rooms=self.rooms,
            backlog=0,
            greet_within=_PATIENCE,
            session=token,
            saved=keeper.open_outbox(self.nick, run),
        )
        return keeper, Session(plan, random=lambda: self._random.random() * _HASTE)

    def _warn(self, message: str) -> None:
        self._ledger.blame(Kind.LOST, f"{self.nick} cannot trust its files: {message}")

    # -------------------------------------------------------------- what is done to it

    def start(self, now: float) -> None:
        """Begin to connect."""
        self._start_at = None
        self._carry_out(self.session.start(now))

    def kill(self, now: float) -> None:
        """The program dies, and is started again soon: what it knows is what its files hold."""
        self.close()
        self._keeper, self.session = self._new_run()
        self._start_at = now + _AGAIN

    def cut(self, now: float) -> None:
        """Lose the link without a word, and come back."""
        self._lose(now, CannotConnect("the link was cut"))

    def close(self) -> None:
        """Hang up, and let go of the files."""
        self._hang_up()
        self._keeper.close()

    # -------------------------------------------------------------- what it does

    def say(self, to: str, text: str) -> str:
        """A new draft; its id."""
        self._said += 1
        draft = Draft(id=f"{self.session.plan.run}-{self._said}", to=to, text=text)
        self._ledger.sent(self.nick, self._book(to), draft.id, text)
        self._carry_out(self.session.say(draft))
        return draft.id

    def _talk(self) -> None:
        """Say something, if there is room in the window."""
        while self.window > self.session.pending and self.allowance != 0:
            if self.allowance is not None:
                self.allowance -= 1
            self.say(self._random.choice(self._targets), self._invent())

    def _invent(self) -> str:
        length = self._random.randint(*self.length)
        start = self._random.randrange(len(_BABBLE) - length)
        return f"{self._said} {_BABBLE[start : start + length]}".strip()

    def _book(self, address: str) -> str:
        """The conversation as the ledger calls it."""
        return address if address[0] == "#" else between(self.nick, address[1:])

    @property
    def online(self) -> bool:
        """Whether it is welcome."""
        return self.session.online

    @property
    def level(self) -> bool:
        """Online, and nothing of its own is under way."""
        return self.session.online and not self.session.pending

    # -------------------------------------------------------------- its link

    def turn(self, now: float, ready: bool) -> None:
        """Read what has come, let time pass, speak, write: first to the files, then to the link."""
        if self._start_at is not None and now >= self._start_at:
            self.start(now)
        if self.dial is not None and (ready or now >= self.dial.deadline):
            self._go_on_dialing(self.dial, now)
        if self.link is not None and (ready or self.link.has_more):
            self._read(self.link, now)
        deadline = self.session.deadline
        if deadline is not None and now >= deadline:
            self._carry_out(self.session.tick(now))
        if self.session.online:
            self._talk()
        if self.session.cursors_moved:
            self._keeper.keep_cursors(self.session.take_cursors())
        self._keeper.flush(self.session.snapshot)
        if self.link is not None:
            try:
                self.link.flush()
            except OSError as error:
                self._lose(now, CannotConnect(describe_loss(error)))

    def _go_on_dialing(self, dial: Dial, now: float) -> None:
        try:
            link = dial.advance(now)
        except ClientError as error:
            self.dial = None
            self._lose(now, error)
            return
        if link is not None:
            self.dial, self.link = None, link
            self._connection = Connection(Role.CLIENT)
            self.connections += 1
            self._carry_out(self.session.dialed(now))

    def _read(self, link: Link, now: float) -> None:
        try:
            chunks = link.read()
        except OSError as error:
            self._lose(now, CannotConnect(describe_loss(error)))
            return
        for chunk in chunks:
            self.session.alive(now)
            self._connection.receive_data(chunk)
            while self.link is link and (said := self._connection.next_events()):
                for one in said:
                    if self.link is link:
                        self._hear(now, one)

    def _hear(self, now: float, said: object) -> None:
        effects = self.session.heard(now, said)  # type: ignore[arg-type]
        if isinstance(said, Posted):
            told = [effect.event for effect in effects if type(effect) is do.Tell]
            if any(type(event) is DraftEvent for event in told):
                self._ledger.echoed(self.nick, said.id, said.seq)
            elif said.to[0] == "#" and said.sender != self.nick and not told:
                what = f"{self.nick} was sent {said.seq} of {said.to} out of its place"
                self._ledger.blame(Kind.ORDER, what)
        self._carry_out(effects)

    def _lose(self, now: float, error: ClientError) -> None:
        self._hang_up()
        self._carry_out(self.session.lost(now, error))

    def _hang_up(self) -> None:
        if self.link is not None:
            self.link.close()
            self.link = None
        if self.dial is not None:
            self.dial.close()
            self.dial = None

    # -------------------------------------------------------------- effects

    def _carry_out(self, effects: list[do.Effect]) -> None:
        for effect in effects:
            match effect:
                case do.Tell(event):
                    self._note(event)
                case do.Send(envelope):
                    self._send(envelope)
                case do.Dial():
                    self._start_dial()
                case do.HangUp():
                    self._hang_up()
                case do.KeepDraft(draft):
                    self._keeper.keep_draft(draft)
                case do.ForgetDraft(id):
                    self._keeper.forget_draft(id)
                case do.KeepSession(nick, session):
                    self._keeper.keep_session(nick, session)
                case do.KeepAll():
                    self._keeper.rewrite(self.session.snapshot())
                case do.End(error):
                    self._end(error)
                case do.KeepNick() | do.KeepName() | do.MoveCursor() | do.ForgetSession():
                    raise AssertionError("nobody changes nicks, or logs out, in an ordeal")
                case _:
                    assert_never(effect)

    def _end(self, error: ClientError | None) -> None:
        """A program that finds no server ends, and its user starts it again."""
        if isinstance(error, CannotConnect):
            self.kill(time.monotonic())
        else:
            self.ended = error or ClientError(f"{self.nick} has left.")

    def _note(self, event: ClientEvent) -> None:
        """Enter what the user would see into the books."""
        if type(event) is Message:
            posted = event.posted
            row = Row(posted.id, posted.sender, posted.text)
            self._ledger.delivered(self.nick, self._book(event.conversation), posted.seq, row)
        elif type(event) is DraftEvent and event.state is DraftState.REFUSED:
            self._ledger.blame(Kind.LOST, f"{event.id} of {self.nick} was refused: {event.reason}")
        elif type(event) is Heard and type(event.system) is Joined and event.system.re is not None:
            joined = event.system
            start = joined.seq if joined.after is None else joined.after
            self._ledger.began(self.nick, self._book(joined.room), start or 0)

    def _send(self, envelope: Draft | Command) -> None:
        if self.link is not None and not self._connection.closed:
            self._connection.note_sent(signal_of(envelope))
            self.link.write(encode_frame(encode(envelope), self._connection.max_frame))

    def _start_dial(self) -> None:
        now = time.monotonic()
        self.dial = Dial(
            self._guard, "127.0.0.1", self.port, timeout=_PATIENCE, now=now, wake=_never_called
        )
        self._go_on_dialing(self.dial, now)


def _never_called() -> None:
    """A numeric address is looked up at once; nobody has to be woken."""


class Peer(Protocol):
    """Something of a client to select on."""

    @property
    def interest(self) -> int:
        """For what."""

    def fileno(self) -> int:
        """On what."""


class Client(Protocol):
    """What a swarm drives: a `Member`, or another that does the same."""

    nick: str
    rooms: tuple[str, ...]
    window: int
    connections: int
    ended: ClientError | None

    @property
    def link(self) -> Peer | None:
        """What to select on, if it is there."""

    @property
    def dial(self) -> Peer | None:
        """What to select on while there is no link."""

    @property
    def online(self) -> bool:
        """Whether it is welcome."""

    @property
    def level(self) -> bool:
        """Online, and nothing of its own is under way."""

    def start(self, now: float) -> None:
        """Begin to connect."""

    def turn(self, now: float, ready: bool) -> None:
        """Do what is to be done now; `ready`: what is selected on is."""

    def close(self) -> None:
        """End."""


_C = TypeVar("_C", bound=Client)


class Swarm:
    """Clients that share one thread and one selector; the caller's thread drives them."""

    def __init__(self) -> None:
        self.members: list[Client] = []

    def add(self, member: _C) -> _C:
        """Take `member` in; it begins to connect."""
        self.members.append(member)
        member.start(time.monotonic())
        return member

    def turn(self, timeout: float) -> None:
        """Wait for at most `timeout` seconds for something to happen, and let it happen."""
        poll = select.poll()
        watched: dict[int, Client] = {}
        for member in self.members:
            peer = member.link or member.dial
            if peer is not None and peer.interest:
                watched[peer.fileno()] = member
                poll.register(peer, peer.interest)
        ready = {watched[fd] for fd, _ in poll.poll(timeout * 1_000)}
        now = time.monotonic()
        for member in self.members:
            member.turn(now, member in ready)

    def run(self, until: Callable[[], bool], within: float) -> bool:
        """Take turns until `until()`; False when it did not come within so many seconds."""
        deadline = time.monotonic() + within
        while not until():
            if time.monotonic() > deadline:
                return False
            self.turn(0.01)
        return True

    def close(self) -> None:
        """Send everyone away without a word."""
        while self.members:
            self.members.pop().close()
