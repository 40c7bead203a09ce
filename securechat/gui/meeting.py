"""Finding out whom to trust, in a thread of its own, with a person who is asked in the window.

`Meeting.start` returns at once; what becomes of it comes as `Asked`, `Settled` or `Failed` through
a queue that the window looks at. Whoever is asked answers with `answer`; `cancel` ends it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TypeAlias

from ..client import first_use
from ..client.known_file import KnownFile
from ..client.known_servers import Server
from ..client.trust import Trust
from ..client.trust_policy import Wishes
from ..errors import ClientError, SecureChatError


@dataclass(frozen=True, slots=True)
class Asked:
    """Is this the fingerprint of the server's key?"""

    server: Server
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Settled:
    """Whom to trust."""

    trust: Trust


@dataclass(frozen=True, slots=True)
class Failed:
    """It cannot be trusted, or is not there."""

    error: SecureChatError


MeetingEvent: TypeAlias = Asked | Settled | Failed


class Meeting:
    """One look at a server before anything is sent to it."""

    def __init__(self, host: str, port: int, wishes: Wishes, file: KnownFile) -> None:
        self.events: SimpleQueue[MeetingEvent] = SimpleQueue()
        self.warnings: list[str] = []
        self._answers: SimpleQueue[bool] = SimpleQueue()
        self._settle: Callable[[], Trust] = lambda: first_use.settle(
            host, port, wishes, file, ask=self._ask, warn=self.warnings.append
        )

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._work, name="gui-meeting", daemon=True).start()

    def answer(self, is_the_same: bool) -> None:
        """What the person says to `Asked`."""
        self._answers.put(is_the_same)

    def cancel(self) -> None:
        """Nobody waits for it any longer."""
        self._answers.put(False)

    def _ask(self, server: Server, fingerprint: str) -> bool:
        self.events.put(Asked(server, fingerprint))
        return self._answers.get()

    def _work(self) -> None:
        try:
            trust = self._settle()
        except (SecureChatError, ClientError) as error:
            self.events.put(Failed(error))
        else:
            self.events.put(Settled(trust))
