"""Finding out whom to trust and as whom to go in, in a thread of its own.

A person is asked in the window: `Meeting.start` returns at once, and what becomes of it comes as
`Asked`, `Admitted` or `Failed` through a queue that the window looks at. Whoever is asked answers
with `answer`; `cancel` ends it.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import Final, NamedTuple, TypeAlias

from pydantic import SecretStr

from ..client import first_use
from ..client.accept import accept
from ..client.invite_link import SCHEME, InviteLink
from ..client.known_file import KnownFile
from ..client.known_servers import Server
from ..client.trust import Trust
from ..client.trust_policy import Wishes
from ..errors import SecureChatError
from ..target import Target, parse_target

#: What may stand behind an invite in a sentence, and an invite whose lines were joined again.
_AROUND: Final = ".,;:!?'\")>]"
_WHOLE: Final = re.compile(r"[^#]+#[^.]+\.[A-Za-z0-9_-]{43}")


class Knock(NamedTuple):
    """What the form says: where to go, or an invite; as whom ("": as the invite has it)."""

    where: Target | InviteLink
    nick: str
    password: SecretStr | None = None

    @property
    def host(self) -> str:
        """The server's name, for people."""
        return self.where.host


@dataclass(frozen=True, slots=True)
class Asked:
    """Is this the fingerprint of the server's key?"""

    server: Server
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Admitted:
    """Where to go, as whom, and whom to trust there; `room`: where an invite leads."""

    target: Target
    nick: str
    trust: Trust
    password: SecretStr | None = None
    room: str | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """It cannot be trusted, is not there, or does not let us in."""

    error: SecureChatError


MeetingEvent: TypeAlias = Asked | Admitted | Failed


def parse_where(text: str) -> Target | InviteLink:
    """A server, or the invite that stands in a text; `ValueError` with a sentence for the user.

    An invite is pasted with the words around it, and as mail has broken it.
    """
    begins = SCHEME[:-2]
    at = text.lower().find(begins)
    if at < 0:
        return parse_target(text.strip())
    words = (begins + text[at + len(begins) :]).split()
    try:
        return InviteLink.parse(words[0].rstrip(_AROUND))
    except ValueError:
        whole = _WHOLE.match("".join(words))
        return InviteLink.parse(whole[0] if whole else words[0])


class Meeting:
    """One look at a server before anything is said to it."""

    def __init__(self, knock: Knock, wishes: Wishes, file: KnownFile) -> None:
        self.events: SimpleQueue[MeetingEvent] = SimpleQueue()
        self.warnings: list[str] = []
        self._knock = knock
        self._wishes = wishes
        self._file = file
        self._answers: SimpleQueue[bool] = SimpleQueue()

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._work, name="gui-meeting", daemon=True).start()

    def answer(self, is_the_same: bool) -> None:
        """What the person says to `Asked`."""
        self._answers.put(is_the_same)

    def cancel(self) -> None:
        """Nobody waits for it any longer."""
        self._answers.put(False)

    def _work(self) -> None:
        try:
            self.events.put(self._meet())
        except SecureChatError as error:
            self.events.put(Failed(error))

    def _meet(self) -> Admitted:
        where, nick, password = self._knock
        target = Target(where.host, where.port)
        if not isinstance(where, InviteLink):
            return Admitted(target, nick, self._settle(target, self._wishes), password)
        pinned = replace(
            self._wishes, ca_file=None, fingerprint=where.fingerprint, accept_new=False
        )
        trust = self._settle(target, pinned)
        found = accept(where, nick or None, trust, self._file.path.parent, self.warnings.append)
        return Admitted(target, found.nick, trust, room=found.room)

    def _settle(self, target: Target, wishes: Wishes) -> Trust:
        return first_use.settle(
            *target, wishes, self._file, ask=self._ask, warn=self.warnings.append
        )

    def _ask(self, server: Server, fingerprint: str) -> bool:
        self.events.put(Asked(server, fingerprint))
        return self._answers.get()
