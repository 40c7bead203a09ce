"""A whole chat in one thread and in made-up time: any luck, and each promise held against it.

Two to four people talk in rooms and with each other, come, go, rename themselves, are killed with
unsent lines; links break, loudly and silently; the disk fills up; the server is stopped, killed or
loses its disk at the worst moments. Then all is well for a while, and it must come true that

- what was acknowledged is stored, once, and what was refused is not, unless it had been sent over
  an earlier link too, which may still have been on its way;
- each draft that reached a file was either acknowledged or refused;
- each program showed each conversation in the order of `seq`, without a gap and without a repeat,
  and begins where an earlier one of the same person ended, or before;
- one person's messages stand in the order in which they were said;
- everyone is level, and rooms have the members that want to be there.

One thing is not promised: a direct conversation whose other side took another nick while we were
away is told from its beginning under the new one, for nothing tells a client that it is the same.

All that happens follows from one number: `play(seed)` is the same each time.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from random import Random
from typing import Final

from securechat.chat.identities import Identity
from securechat.config import ChatLimits
from securechat.protocol import envelopes as wire

from .simnet import Clock
from .simperson import ROOMS, Fault, Person
from .simserver import Memory, Server, made_up, narrow

NAMES: Final = ("ann", "bob", "cid", "dot")
#: How long peace may take to come, seconds of the world.
_PATIENCE: Final = 600.0
_EXPECTED: Final = ("the disk is full", "the disk is broken")


class World:
    """People, a server, a network and a clock."""

    def __init__(self, clock: Clock, *, narrow: bool) -> None:
        self.clock = clock
        self.dice = clock.dice
        #: Readers fall behind soon.
        self.narrow = narrow
        limits = ChatLimits(
            rate=self.dice.choice((5.0, 100.0)),
            burst=self.dice.choice((10, 100)),
            grace=self.dice.choice((0.0, 5.0, 30.0)),
        )
        self.store = Memory()
        self.server = Server(clock, self.store, limits)
        self.people = [Person(self, name) for name in NAMES[: self.dice.choice((2, 3, 3, 4))]]
        self._commands = 0
        #: Who entered or left which room, and who took another nick.
        self.moves: set[tuple[str, str]] = set()
        self.renamed: set[str] = set()

    def new_id(self) -> str:
        """An id for a command of a user."""
        self._commands += 1
        return f"u{self._commands}"

    # ---------------------------------------------------------- what happens

    def live(self) -> None:
        """Everyone comes, then this and that happens."""
        self.server.start()
        for person in self.people:
            person.start()
        # A guest whose first words were lost for a minute would be taken for a new one.
        while not all(person.program and person.program.session.online for person in self.people):
            self.clock.run(self.clock.now + 0.5)
        self.clock.run(self.clock.now + self.dice.choice((0.5, 2.0)))
        # A nick taken while the disk is full is not in the store, whose pages go by the old one.
        never = self.dice.choice(("rename", "fill"))
        for _ in range(self.dice.randint(8, 30)):
            kind = self.dice.choices(_KINDS, _WEIGHTS)[0]
            if kind == never:
                continue
            getattr(self, f"_{kind}")(self.dice.choice(self.people))
            self.clock.run(self.clock.now + self.dice.choice(_PAUSES))

    def _say(self, person: Person) -> None:
        for _ in range(self.dice.choice((1, 1, 4))):
            person.say(self.dice.choice(ROOMS))

    def _whisper(self, person: Person) -> None:
        other = self.dice.choice(self.people)
        person.say(f"@{other.nick_now}")

    def _move(self, person: Person) -> None:
        room = self.dice.choice(ROOMS)
        self.moves.add((person.name, room))
        if room in person.rooms:
            del person.rooms[room]
            person.ask(wire.Leave(id=self.new_id(), room=room))
        else:
            person.rooms[room] = None
            person.ask(wire.Join(id=self.new_id(), room=room))

    def _rename(self, person: Person) -> None:
        self.renamed.add(person.name)
        nick = f"{person.name}{self.dice.randint(1, 9)}"
        person.ask(wire.ChangeNick(id=self.new_id(), nick=nick))

    def _cut(self, person: Person) -> None:
        if person.program is not None and person.program.link is not None:
            person.program.link.cut(silent=self.dice.random() < 0.2)

    def _kill(self, person: Person) -> None:
        doom = self.dice.choice(("before flush", "behind flush", ""))
        if doom and person.program is not None:
            person.program.doom = doom
        else:
            person.kill()

    def _quit(self, person: Person) -> None:
        person.quit()

    def _pause(self, person: Person) -> None:
        if person.program is not None:
            person.program.busy_until = self.clock.now + self.dice.choice((0.5, 10.0))

    def _crash(self, _person: Person) -> None:
        how = self.dice.choice(("before commit", "behind commit", "between posts", "broken", ""))
        if self.server.process is None:
            return
        if how:
            self.server.doom = how
        else:
            self.server.crash()

    def _stop(self, _person: Person) -> None:
        self.server.stop()

    def _fill(self, _person: Person) -> None:
        # Before everyone has a session, a full disk makes guests that nobody can prove to be.
        if all(person.program and person.program.session.online for person in self.people):
            self.server.full = True
            self.clock.after(self.dice.choice((0.1, 2.0, 8.0)), self._empty)

    def _empty(self) -> None:
        self.server.full = False

    # ---------------------------------------------------------- the end

    def settle(self) -> None:
        """Nothing happens any more, until all is well; raises `Fault` if that never comes."""
        self._empty()
        self.server.doom = ""
        for person in self.people:
            if person.program is not None:
                person.program.doom = ""
        if self.dice.random() < 0.9:
            for link in self.server.links:
                if link.silent:
                    link.tell()
        began = self.clock.now
        while (missing := self._missing()) is not None:
            if self.clock.now - began > _PATIENCE:
                raise Fault(f"after {_PATIENCE:g} s still: {missing}")
            self.clock.run(self.clock.now + 1.0)

    def _missing(self) -> str | None:
        """What is not well yet."""
        process = self.server.process
        if process is None:
            return "the server is down"
        for person in self.people:
            program = person.program
            if program is None or not program.session.online:
                return f"{person.name} is not there"
            if program.session.pending:
                return f"{person.name} has {program.session.pending} drafts pending"
            for name in self._streams(person):
                seen = max(program.shown.get(name, 0), person.shown.get(name, 0))
                if seen < process.hub.heads.get(name, 0):
                    return f"{person.name} has {name} up to {seen} of {process.hub.heads[name]}"
        present = {
            (identity.number, room)
            for room, it in process.hub.rooms.items()
            for identity in it.members
        }
        if set(self.store.presence) != present:
            return f"stored is {set(self.store.presence)}, present are {present}"
        for room in ROOMS:
            wanted = {person.nick_now for person in self.people if room in person.rooms}
            drawn = {
                person.nick_now
                for person in self.people
                if person.program is not None and room in person.program.inherited
            }
            members = process.hub.rooms[room].members if room in process.hub.rooms else {}
            if not wanted <= {identity.nick.text for identity in members} <= wanted | drawn:
                return f"{room} has {list(members)}, not {wanted}"
        return None

    def _streams(self, person: Person) -> Iterator[str]:
        assert self.server.process is not None
        identity = self.identity_of(person)
        yield from person.rooms
        for name in self.server.process.hub.heads:
            mine = identity is not None and str(identity.number) in name[1:].split(":")
            if name[0] == "@" and mine:
                yield name

    def identity_of(self, person: Person) -> Identity | None:
        """Whom the server takes a person for."""
        assert self.server.process is not None
        return self.server.process.hub.identities.by_nick(person.nick_now)

    def check(self) -> None:
        """All that must be true in the end; raises `Fault`."""
        rows = self.server.rows
        for person in self.people:
            for id in person.said:
                if id in person.sent and id not in rows:
                    raise Fault(f"{id} was acknowledged and is not stored")
                # What an earlier link had still under way may be stored behind a refusal.
                if id in person.refused and id in rows and person.files.sent[id] == 1:
                    raise Fault(f"{id} was refused ({person.refused[id]}) and is stored")
                if not (id in person.sent or id in person.refused or id in person.gone):
                    raise Fault(f"{id} was said, and nobody knows what became of it")
        self._check_store()

    def _was_always_good(self, id: str, to: str) -> bool:
        """Whether an address is one that is never refused.

        Where nobody hears of a refusal, the draft is sent again and may be taken, out of order.
        """
        moved = (id.partition(".")[0], to) in self.moves
        return not moved and to[1:].rstrip("0123456789") not in self.renamed

    def _check_store(self) -> None:
        said = {id: it for person in self.people for id, it in person.said.items()}
        order: dict[tuple[str, str], int] = {}
        stored: dict[str, int] = Counter()
        for id, row in sorted(self.server.rows.items(), key=lambda it: it[1].seq):
            stored[row.conversation] += 1
            if row.seq != stored[row.conversation]:
                raise Fault(f"{id} is {row}, behind {stored[row.conversation] - 1} others")
            one = said[id]
            if one.text != row.text:
                raise Fault(f"{id} is stored as {row.text}")
            key = (row.conversation, id.partition(".")[0])
            if self._was_always_good(id, one.to):
                if one.order < order.get(key, -1):
                    raise Fault(f"{id} stands behind one that was said later: {row}")
                order[key] = one.order


_WEIGHTS_OF: Final = {
    "say": 40,
    "whisper": 18,
    "move": 5,
    "rename": 3,
    "cut": 12,
    "kill": 6,
    "quit": 3,
    "pause": 4,
    "crash": 6,
    "stop": 2,
    "fill": 3,
}
_KINDS: Final = tuple(_WEIGHTS_OF)
_WEIGHTS: Final = tuple(_WEIGHTS_OF.values())
_PAUSES: Final = (0.0, 0.0, 0.001, 0.02, 0.3, 1.5)


class _Attentive(logging.Handler):
    """Raises no voice, but keeps every error that the code has caught and logged."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.errors: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if not any(words in message for words in _EXPECTED):
            trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
            self.errors.append(f"{message}\n{trace}")


@contextmanager
def _listening() -> Iterator[_Attentive]:
    log, handler = logging.getLogger("securechat"), _Attentive()
    kept = (log.level, log.propagate)
    log.setLevel(logging.ERROR)
    log.propagate = False
    log.addHandler(handler)
    try:
        yield handler
    finally:
        log.removeHandler(handler)
        log.level, log.propagate = kept


def play(seed: int) -> Mapping[str, int]:
    """One world, from its beginning to its good end; raises `Fault`."""
    dice = Random(seed)
    clock = Clock(dice)
    with made_up(clock), narrow(dice) as small, _listening() as listener:
        world = World(clock, narrow=small)
        world.live()
        world.settle()
        world.check()
    if listener.errors:
        raise Fault(listener.errors[0])
    return {
        "drafts": sum(len(person.said) for person in world.people),
        "server lives": world.server.lives,
        "seconds of theirs": round(clock.now),
    }
