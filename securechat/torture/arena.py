"""Where an ordeal takes place: one server of its own, its clients, and the books.

In: an empty folder. Out: members that come in, come level, and the books closed against what the
server has stored. Raised: `OrdealError` when the server does not start or stop as it must, or a
client was turned away for good.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from ..certs import ensure
from ..client.trust import ByAuthority, guard_of
from .ledger import Kind, Ledger
from .process import SERVE, OrdealError, ServerProcess, quick_check, read_stored
from .proxy import Fault, FaultProxy, Line
from .swarm import Member, Swarm
from .threaded import ThreadedMember

#: Seconds for everyone to come in.
_ARRIVAL: Final = 60.0
#: Seconds that a lost link is not yet a departure; what the others hear of it is not the point.
_GRACE: Final = 5


class Arena:
    """Enter it to have the server run; what is left at the end is killed.

    `command` starts the server. `patience`: seconds without any progress after which those who lag
    behind are not waited for. `ledger` and `swarm` are there to be used.
    """

    def __init__(
        self, folder: Path, *, command: Sequence[str] | None = None, patience: float = 60.0
    ) -> None:
        self._folder = folder
        self._patience = patience
        self._stack = ExitStack()
        options = ("--rate", "0", "--grace", str(_GRACE))
        self.server = ServerProcess(folder, options=options, command=command or SERVE)
        ensure(self.server.certs, now=datetime.now(UTC))
        self._trust = ByAuthority(self.server.certs / "ca.pem")
        self.guard = guard_of(self._trust)
        self.ledger = Ledger()
        self.swarm = Swarm()
        self._proxy: FaultProxy | None = None

    def __enter__(self) -> Arena:
        with ExitStack() as stack:  # whatever is there when the server does not start, is let go
            stack.callback(self.server.kill)
            stack.callback(self.swarm.close)
            if self._proxy is not None:
                stack.enter_context(self._proxy)
            self.server.start()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def proxied(self, choose: Callable[[Line], Fault]) -> int:
        """A port that leads through the fault proxy; to be asked for before the arena is entered.

        `choose` is asked, in the proxy's thread, what each connection meets.
        """
        if self._proxy is None:
            self._proxy = FaultProxy("127.0.0.1", self.server.port)
        return self._proxy.listen(choose)

    # -------------------------------------------------------------- the clients

    def admit(
        self,
        nick: str,
        *,
        rooms: Sequence[str],
        targets: Sequence[str] = (),
        port: int | None = None,
        seed: int,
    ) -> Member:
        """A new client that begins to come in. It says nothing by itself, until it is told to."""
        member = Member(
            nick,
            port or self.server.port,
            self._folder / "clients",
            rooms=rooms,
            targets=targets or rooms,
            guard=self.guard,
            ledger=self.ledger,
            seed=seed,
        )
        return self.swarm.add(member)

    def admit_threaded(
        self, nick: str, *, rooms: Sequence[str], targets: Sequence[str], seed: int
    ) -> ThreadedMember:
        """The same with the whole client of the product."""
        member = ThreadedMember(
            nick,
            self.server.port,
            self._folder / "clients",
            rooms=rooms,
            targets=targets,
            trust=self._trust,
            ledger=self.ledger,
            seed=seed,
        )
        return self.swarm.add(member)

    def check(self) -> None:
        """Raise `OrdealError` if the server ended by itself or has turned somebody away."""
        self.server.check()
        for member in self.swarm.members:
            if member.ended is not None:
                raise OrdealError(f"{member.nick} was turned away for good: {member.ended}")

    def wait(self, until: Callable[[], bool], within: float) -> bool:
        """Let the clients do what they do until `until()`; False if in vain, after `within` s."""

        def done() -> bool:
            self.check()
            return until()

        return self.swarm.run(done, within)

    def wait_for_arrival(self) -> None:
        """Until all are in all their rooms."""
        if not self.wait(self._all_are_in, _ARRIVAL):
            raise OrdealError(f"Not all clients were let in within {_ARRIVAL:g} s.")

    def _all_are_in(self) -> bool:
        return all(
            member.online
            and all(self.ledger.cursor(member.nick, room) is not None for room in member.rooms)
            for member in self.swarm.members
        )

    # -------------------------------------------------------------- the end

    def close_books(self) -> tuple[int, str]:
        """Let everyone catch up, stop the server, and hold the books against what it has stored.

        How many messages that are, and what SQLite says of the database: `ok`. Nobody may be made
        to speak any more.
        """
        self._let_catch_up()
        for member in self.swarm.members:
            if not member.level:
                what = f"{member.nick} has drafts that were never acknowledged"
                self.ledger.blame(Kind.LOST, what)
        self.swarm.close()
        self.server.stop()
        stored = read_stored(self.server.data)
        self.ledger.audit(stored)
        return sum(map(len, stored.values())), quick_check(self.server.data)

    def _let_catch_up(self) -> None:
        progress = -1
        while self.ledger.progress > progress:
            progress = self.ledger.progress
            if self.wait(self._all_are_level, self._patience):
                return

    def _all_are_level(self) -> bool:
        return all(member.level for member in self.swarm.members) and not self.ledger.behind()
