"""Somebody in the simulated world: what they want, what they were shown, what was promised them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from securechat.client import events
from securechat.client.events import DraftState
from securechat.client.plan import Plan
from securechat.errors import ClientError, Refused
from securechat.protocol import envelopes as wire

from .simclient import Files, Program

if TYPE_CHECKING:
    from .simulation import World


ROOMS: Final = ("#lobby", "#dev")


class Fault(AssertionError):
    """A promise was broken."""


class _Said(NamedTuple):
    order: int
    to: str
    text: str


class Person:
    """Somebody with a machine, on which one program runs at a time."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.nick = name
        self.rooms = dict.fromkeys(world.dice.sample(ROOMS, world.dice.randint(1, 2)))
        self.program: Program | None = None
        self.said: dict[str, _Said] = {}
        self.sent: set[str] = set()
        self.refused: dict[str, str] = {}
        #: Drafts that no file has, because the program was killed before it wrote them.
        self.gone: set[str] = set()
        #: Messages up to these were shown by some program, by conversation as the server calls it.
        self.shown: dict[str, int] = {}
        self.files = Files()
        self._runs = 0

    @property
    def nick_now(self) -> str:
        """The nick that the program goes by, or will."""
        return self.program.session.nick if self.program is not None else self.nick

    # ---------------------------------------------------------- the program

    def start(self) -> None:
        """Start the program, unless it runs."""
        if self.program is not None:
            return
        world = self.world
        self._runs += 1
        run = f"{self.name}.{self._runs}"
        plan = Plan("h", self.nick, run, rooms=tuple(self.rooms))
        self.program = Program(world.clock, world.server, self.files, self, plan)
        self.program.start()

    def kill(self) -> None:
        """kill -9."""
        if self.program is not None:
            program = self.program
            program.kill()
            self.ended(program, None)

    def ended(self, program: Program, error: ClientError | None) -> None:
        """The program is gone; it is started again after a while."""
        self.nick = program.session.nick
        self.gone.update(program.unkept)
        self.program = None
        if isinstance(error, Refused):
            self.nick = f"{self.name}{self._runs}"  # it was taken: by ourselves, once
        self.world.clock.after(self.world.dice.choice((0.0, 0.5, 3.0, 20.0)), self.start)

    # ---------------------------------------------------------- what is done

    def say(self, to: str) -> None:
        """Say something to a room or a person."""
        program = self.program
        if program is None:
            return
        order = len(self.said)
        draft = wire.Draft(id=f"{program.run}-{order}", to=to, text=f"{self.name} {order}")
        self.said[draft.id] = _Said(order, to, draft.text)
        program.unkept.append(draft.id)
        program.request(lambda: program.session.say(draft))

    def ask(self, command: wire.Command) -> None:
        """Send a command."""
        program = self.program
        if program is not None:
            program.request(lambda: program.session.ask(command))

    def quit(self) -> None:
        """Leave for good, and come back some time."""
        program = self.program
        if program is not None:
            program.request(lambda: program.session.quit(self.world.clock.now, None))

    # ---------------------------------------------------------- what is seen

    def tell(self, program: Program, event: events.ClientEvent) -> None:
        """Hold what is shown against what is stored."""
        if type(event) is events.Message:
            self._see(program, event)
        elif type(event) is events.Draft:
            if event.state is DraftState.SENT:
                self._require(event.id in self.world.server.rows, f"{event.id}: echoed, not stored")
                self.sent.add(event.id)
            elif event.state is DraftState.REFUSED:
                self.refused[event.id] = event.reason
        elif type(event) is events.Heard:
            self._hear(program, event.system)
        elif type(event) is events.Offline:
            # Who is behind is not told that somebody goes by another nick, and stumbles over it.
            stumbles = self.world.narrow and self.world.renamed
            fine = stumbles or "missing" not in event.reason
            self._require(bool(fine), f"{program.run}: {event.reason}")

    def _hear(self, program: Program, system: wire.System) -> None:
        if type(system) is wire.Joined and system.re is not None and system.room[0] == "#":
            self._begin(program, system.room, system.after or 0)
        elif type(system) is wire.Renamed:
            begun = program.shown.pop(f"@{system.old}", None)
            program.shown.pop(f"@{system.nick}", None)
            if begun is not None:
                program.shown[f"@{system.nick}"] = begun

    def _begin(self, program: Program, room: str, after: int) -> None:
        """A stream begins behind `after`; who left a room may have missed what was said then."""
        known = self.shown.get(room) if room in program.known else None
        before = program.shown.get(room, known)
        what = f"{program.run} joins {room} behind {after}, having seen {before}"
        left = (self.name, room) in self.world.moves
        self._require(left or before is None or after <= before, what)
        program.shown[room] = max(after, program.shown.get(room, 0))
        self.shown[room] = max(after, self.shown.get(room, 0))

    def _see(self, program: Program, event: events.Message) -> None:
        posted = event.posted
        row = self.world.server.rows.get(posted.id)
        self._require(row is not None, f"{program.run} is shown {posted.id}, which is not stored")
        assert row is not None
        name, seq = row.conversation, posted.seq
        what = f"{program.run} is shown {posted.id} as {seq} of {event.conversation}"
        self._require((row.seq, row.text) == (seq, posted.text), f"{what}, but it is {row}")
        last = program.shown.get(event.conversation)
        if last is None:
            begins = self.shown.get(name, 0)
            self._require(seq <= begins + 1, f"{what}; another run ended at {begins}")
        else:
            self._require(seq == last + 1, f"{what}, behind {last}")
        program.shown[event.conversation] = seq
        self.shown[name] = max(seq, self.shown.get(name, 0))

    def _require(self, fine: bool, what: str) -> None:
        if not fine:
            raise Fault(f"{self.world.clock.now:.3f} {what}")
