"""A client without a network: it echoes what is said, and does what some texts ask it to do.

Used in tests as it is, and by `python -m tests.cli.scripted connect …` in the place of the real
one, so that the whole command can be run on a pipe or a terminal without a server.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from securechat.client.events import (
    CaughtUp,
    ClientEvent,
    Connecting,
    Draft,
    DraftState,
    Ended,
    Heard,
    Message,
    Offline,
    Online,
)
from securechat.errors import CannotConnect, ClientError, GaveUp
from securechat.protocol import envelopes as wire

LIMITS = wire.Limits(
    max_frame=65_536, max_text=200, rate=20.0, burst=100, presence=500, idle_timeout=90.0
)
WELCOME = wire.Welcome(
    protocol=1, server="scripted", version="1", nick="bob", epoch="e1", limits=LIMITS
)
STAMP = "2026-11-23T12:00:00.000000Z"
PEOPLE = ("bob", "carol", "dave")


class ScriptedClient:
    """Has the face of `ChatClient`; `said` and `commands` are what a front end asked for.

    Texts that it obeys: `refuse …` is refused, `lag …` never echoed, `full …` not stored, `drop`
    loses the link, `back` wins it back, `end` gives up, `flood N` has others say N messages, `new`
    finds another history with two drafts held, `call` has somebody call us. So does who opens the
    FIFO that `BELL` names.
    """

    def __init__(self, config: Any = None) -> None:
        self.config = config
        self.events: SimpleQueue[ClientEvent] = SimpleQueue()
        self.said: list[tuple[str, str, bool]] = []
        self.commands: list[tuple[str, dict[str, Any]]] = []
        self.confirmed: list[bool] = []
        self.hurried = 0
        self.closed: list[str | None] = []
        self.unsettled: set[str] = set()
        self.is_over = False
        self.link = True
        self._numbers = 0
        self._seq = 0
        self._lock = threading.RLock()
        self._patience = threading.Event()

    # -------------------------------------------------------------- the face

    def start(self) -> None:
        host, port = ("localhost", 55555) if self.config is None else _address(self.config)
        self.events.put(Connecting(host, port, 1))
        if host == "unreachable":
            self._end(CannotConnect("No server answers there. Check the address."))
            return
        self.events.put(Online(WELCOME, False, False))
        self.hear(wire.Joined(room="#lobby", nick="bob", re="s1", seq=1, after=0, count=3))
        self.post("carol", "earlier", missed=True)

    def wait_greeted(self, _timeout: float) -> ClientError | None:
        return None

    def say(self, to: str, text: str, *, action: bool = False) -> str:
        with self._lock:
            self._check()
            draft_id = self._new_id("d")
            self.said.append((to, text, action))
            word, _, rest = text.partition(" ")
            state = DraftState.SENDING if self.link else DraftState.WAITING
            reason = "" if self.link else "there is no link"
            self.events.put(Draft(draft_id, to, text, state, action, reason))
            self.unsettled.add(draft_id)
            if word in _OBEYED:
                _OBEYED[word](self, rest)
            if word == "refuse":
                refused = Draft(draft_id, to, text, DraftState.REFUSED, action, "I refuse.")
                self.events.put(refused)
                self.unsettled.discard(draft_id)
            elif word == "full":
                waits = Draft(
                    *(draft_id, to, text, DraftState.WAITING, action, "There is no room."),
                    code="storage",
                )
                self.events.put(waits)
            elif word != "lag" and self.link:
                self.events.put(Draft(draft_id, to, text, DraftState.SENT, action))
                self.post("bob", text, to, own=True, id=draft_id, action=action)
                self.unsettled.discard(draft_id)
            return draft_id

    def command(self, name: str, **keys: Any) -> str:
        with self._lock:
            self._check()
            command_id = self._new_id("c")
            self.commands.append((name, keys))
            for answer in self._answers(name, keys, command_id):
                self.hear(answer)
            return command_id

    def confirm_drafts(self, send: bool) -> None:
        self.confirmed.append(send)

    def hurry(self) -> None:
        self.hurried += 1

    def settle(self, timeout: float | None, left: int = 0) -> bool:  # noqa: ARG002
        if self.unsettled and not self.is_over:
            self._patience.wait(0.1)  # in place of `timeout`, so that nobody waits for long
        return not self.unsettled or self.is_over

    def close(self, reason: str | None = None, timeout: float = 3.0) -> None:  # noqa: ARG002
        self.closed.append(reason)
        self._end(None)

    # -------------------------------------------------------------- the script

    def hear(self, system: wire.System) -> None:
        """The server says something."""
        self.events.put(Heard(system))

    def post(
        self,
        sender: str,
        text: str,
        to: str = "#lobby",
        *,
        own: bool = False,
        missed: bool = False,
        id: str = "x",
        action: bool = False,
    ) -> None:
        """Somebody says something."""
        self._seq += 1
        posted = wire.Posted(
            id=id, to=to, sender=sender, seq=self._seq, ts=STAMP, text=text, action=action
        )
        self.events.put(Message(to, posted, own, missed))

    def _answers(self, name: str, keys: dict[str, Any], re: str) -> list[wire.System]:
        room = keys.get("room")
        if name == "who":
            members = tuple(wire.Member(nick=nick) for nick in PEOPLE)
            return [
                wire.Members(room=room, members=members[:2], more=True, re=re),
                wire.Members(room=room, members=members[2:], re=re),
            ]
        if name == "join" and room == "#secret":
            return [wire.Error(code="forbidden", message="You may not.", re=re)]
        if name == "join":
            return [wire.Joined(room=str(room), nick="bob", re=re, seq=0, after=0, count=1)]
        if name == "leave":
            return [wire.Left(room=str(room), nick="bob", re=re)]
        if name == "help":
            rows = (
                wire.CommandHelp(name="ping", usage="ping", summary="x"),
                wire.CommandHelp(name="dance", usage="dance NICK", summary="tell more"),
            )
            return [wire.HelpIs(commands=rows, re=re)]
        if name == "history":
            return [wire.HistoryPage(to=str(keys["to"]), messages=(), more=True, re=re)]
        return [wire.JokeIs(text=f"the answer to {name}", re=re)]

    def drop(self, _rest: str = "") -> None:
        """Lose the link."""
        self.link = False
        self.events.put(Offline("connection reset", 2.0))

    def come_back(self, _rest: str = "") -> None:
        """Win it back."""
        self.link = True
        self.events.put(Online(WELCOME, True, True))
        self.hear(wire.Joined(room="#lobby", nick="bob", re="s2", seq=9, after=9, count=3))
        self.events.put(CaughtUp(3, 1))

    def give_up(self, _rest: str = "") -> None:
        """End by itself."""
        self._end(GaveUp("The link was lost. Connect again."))

    def flood(self, count: str) -> None:
        """Others talk."""
        for number in range(int(count)):
            self.post(("carol", "dave")[number % 2], f"message {number} of {count}")

    def call(self, _rest: str = "") -> None:
        """Somebody wants us."""
        self.post("carol", "bob: come here")

    def find_new_history(self, _rest: str = "") -> None:
        """The server has lost everything."""
        self.events.put(Online(WELCOME, False, True, new_epoch=True, held=2))

    def _new_id(self, kind: str) -> str:
        self._numbers += 1
        return f"{kind}{self._numbers}"

    def _check(self) -> None:
        if self.is_over:
            raise ClientError("This client has ended.")

    def _end(self, error: ClientError | None) -> None:
        if not self.is_over:
            self.is_over = True
            self.events.put(Ended(error))


_OBEYED: dict[str, Callable[[ScriptedClient, str], None]] = {
    "drop": ScriptedClient.drop,
    "back": ScriptedClient.come_back,
    "end": ScriptedClient.give_up,
    "flood": ScriptedClient.flood,
    "call": ScriptedClient.call,
    "new": ScriptedClient.find_new_history,
}


def _address(config: Any) -> tuple[str, int]:
    return config.host, config.port


class _Recorded(ScriptedClient):
    """Writes what it was asked for into the file that `RECORD` names, when it is closed."""

    def start(self) -> None:
        super().start()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        bell = os.environ.get("BELL")
        while bell is not None:
            Path(bell).read_text()  # a FIFO: returns when somebody has opened and closed it
            self.call()

    def close(self, reason: str | None = None, timeout: float = 3.0) -> None:
        super().close(reason, timeout)
        record = {"said": self.said, "commands": self.commands, "closed": self.closed}
        with self._lock:
            draft = Path(f"{os.environ['RECORD']}.new")
            draft.write_text(json.dumps(record), "utf-8")
            draft.replace(os.environ["RECORD"])


def main() -> None:
    """Run the command line with this client in the place of the real one."""
    from securechat.cli import main as run
    from securechat.client import client

    client.ChatClient = _Recorded  # type: ignore[misc, assignment]
    sys.argv[0] = "securechat"
    run()


if __name__ == "__main__":
    main()
