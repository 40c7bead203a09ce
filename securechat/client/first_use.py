"""From what the user said to whom the client trusts, meeting the server first where that is needed.

`settle` goes by `trust_policy`. A meeting is a connection of its own on which nothing is sent: its
handshake shows the server's key, a person compares it (`ask`), and it is remembered. What follows
is a `Trust` that goes into `ClientConfig`, and holds for every reconnect. Raised: `NotTrusted`, and
`CannotConnect` where there is nobody to meet.
"""

from __future__ import annotations

import logging
import select
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, TypeAlias

from ..errors import CannotConnect, ClientError, NotTrusted, UnknownSigner
from .dial import Dial
from .known_file import KnownFile
from .known_servers import AUTHORITIES, Known, Server
from .trust import SYSTEM, ByAuthority, ByKey, Guard, Trust, guard_of, guard_of_nobody
from .trust_policy import Basis, Wishes, decide

log = logging.getLogger(__name__)

TIMEOUT: Final = 10.0
"""Seconds for each step of a meeting."""

Ask: TypeAlias = Callable[[Server, str], bool]
"""Show a person the server and the fingerprint of its key; True: it is the right one."""


def settle(
    host: str,
    port: int,
    wishes: Wishes,
    file: KnownFile,
    *,
    ask: Ask | None = None,
    warn: Callable[[str], None] = log.warning,
    timeout: float = TIMEOUT,
) -> Trust:
    """Whom to trust as `host`; without `ask` an unknown server is refused.

    `warn` is told when the server could not be written down.
    """
    return _Settlement(host, port, wishes, file, ask, warn, timeout).settle()


class _Settlement:
    def __init__(
        self,
        host: str,
        port: int,
        wishes: Wishes,
        file: KnownFile,
        ask: Ask | None,
        warn: Callable[[str], None],
        timeout: float,
    ) -> None:
        self._host = host
        self._server = Server.at(host, port)
        self._wishes = wishes
        self._file = file
        self._ask = ask
        self._warn = warn
        self._timeout = timeout

    def settle(self) -> Trust:
        known = self._file.load().find(self._server)
        match decide(self._server, self._wishes, known):
            case Basis.PIN:
                assert isinstance(known, Known)
                return ByKey(known.key)
            case Basis.FINGERPRINT:
                assert self._wishes.fingerprint is not None
                return self._try(ByKey(self._wishes.fingerprint))
            case Basis.CA_FILE:
                return ByAuthority(self._wishes.ca_file)
            case Basis.AUTHORITIES:
                return SYSTEM
            case Basis.PUBLIC_NAME:
                try:
                    return self._try(SYSTEM)
                except UnknownSigner:
                    return self._meet()
            case Basis.FIRST_USE:
                return self._meet()

    def _try(self, trust: Trust) -> Trust:
        """See whether the server passes, and remember it; one that is away has to pass later."""
        try:
            self._shake_hands(guard_of(trust))
        except CannotConnect:
            return trust
        self._remember(trust.fingerprint if isinstance(trust, ByKey) else AUTHORITIES)
        return trust

    def _meet(self) -> Trust:
        seen: list[str] = []
        self._shake_hands(guard_of_nobody(seen.append))
        [shown] = seen
        if not self._wishes.accept_new:
            self._ask_about(shown)
        self._remember(shown)
        return ByKey(shown)

    def _ask_about(self, shown: str) -> None:
        if self._ask is None:
            raise NotTrusted(
                f"{self._server} is not known yet; its key is {shown}. If `securechat serve` "
                f"printed the same, connect with --fingerprint {shown}; --accept-new takes any key "
                "unseen. Nothing was sent to it."
            )
        if not self._ask(self._server, shown):
            raise NotTrusted(
                f"{self._server} was not accepted. Ask who runs it for the fingerprint that "
                "`securechat serve` printed. Nothing was sent to it."
            )

    def _remember(self, key: str) -> None:
        today = datetime.now(UTC).date()
        try:
            self._file.change(lambda known: known.with_key(self._server, key, today))
        except ClientError as error:
            self._warn(str(error))

    def _shake_hands(self, guard: Guard) -> None:
        """Go as far as the end of a handshake, and hang up."""
        found = threading.Event()
        dial = Dial(
            guard,
            self._host,
            self._server.port,
            timeout=self._timeout,
            now=time.monotonic(),
            wake=found.set,
        )
        try:
            while (link := dial.advance(time.monotonic())) is None:
                left = max(0.0, dial.deadline - time.monotonic())
                if dial.fileno() < 0:
                    found.wait(left)
                    continue
                poll = select.poll()
                poll.register(dial, dial.interest)
                poll.poll(left * 1_000)
            link.close()
        finally:
            dial.close()
