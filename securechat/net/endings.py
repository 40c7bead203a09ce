"""How connections end: with an error that the hub says, with a farewell, or because the link did.

In: a channel and why. Out: what the hub is told (`tell`), what the gate is (`report`), and at the
very end `forget(channel)`, with which the loop lets go of it. Nothing is raised by `guard` and
`blame`; the others raise `OSError`, where the socket is not even good for that.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from ..link_events import Lost
from ..protocol.codec import Refusal
from .channel import Channel, Phase
from .gate import Fact
from .heap import Rush
from .loop_config import Report, Told
from .poller import READ, WRITE
from .tls import describe_failure
from .watch import Clock, Watch

log = logging.getLogger(__name__)


class Endings:
    """The ways out, of the connections of one io thread."""

    def __init__(
        self,
        watch: Watch,
        clock: Clock,
        rush: Rush,
        *,
        tell: Callable[[Told], None],
        report: Report,
        forget: Callable[[Channel], None],
    ) -> None:
        self._watch = watch
        self._clock = clock
        self._rush = rush
        self._tell = tell
        self._report = report
        self._forget = forget

    # -------------------------------------------------------------- something failed

    def guard(self, channel: Channel, act: Callable[[Channel], None]) -> None:
        """Do something for one connection; whatever fails, fails for that connection alone."""
        try:
            act(channel)
        except Exception as error:
            self.blame(channel, error)

    def blame(self, channel: Channel, error: Exception) -> None:
        """End the one connection for which something failed."""
        if isinstance(error, OSError):
            self.break_off(channel, error)
            return
        log.error("connection %d from %s: failed", channel.number, channel.peer, exc_info=error)
        message = "The server failed on this; it is our fault and it was logged. Connect again."
        self.fail(channel, "internal", message)

    def break_off(self, channel: Channel, error: OSError) -> None:
        """The link is broken, or the handshake failed."""
        if channel.phase is Phase.HANDSHAKE:
            reason = describe_failure(error)
            log.info(
                "connection %d from %s: no handshake: %s", channel.number, channel.peer, reason
            )
            self.shut(channel)  # the alert that tells the peer why is on its way
        else:
            self._lose(channel, describe_failure(error))

    # -------------------------------------------------------------- we end it

    def fail(self, channel: Channel, code: str, message: str) -> None:
        """End a connection with an error; the hub says it, in its place behind other answers."""
        if channel.phase is not Phase.TALKING:
            self.close(channel)
            return
        log.info("connection %d from %s: ended: %s", channel.number, channel.peer, code)
        channel.connection.close()
        self._watch.select(channel)
        self._tell((channel.number, Refusal(code, message, fatal=True)))
        self.await_finish(channel)

    def await_finish(self, channel: Channel) -> None:
        """The hub answers with a Finish; should it fail to, the connection ends all the same."""
        channel.since = self._clock.now
        self._watch.schedule(channel)

    def finish(self, channel: Channel) -> None:
        """All is said: what still waits goes out, then our side is shut."""
        channel.phase = Phase.FINISHING
        channel.since = self._clock.now
        self._watch.schedule(channel)
        if channel.out is None:
            self.shut(channel)
        else:
            self._watch.set_interest(channel, WRITE)

    def shut(self, channel: Channel) -> None:
        """Everything is written: say so, and read away what is still coming.

        A bare close() with unread input would send RST, and the last answer would be lost.
        """
        if not channel.shut():
            self._watch.set_interest(channel, WRITE)
            return
        if channel.phase is Phase.HANDSHAKE:
            self._rush.end()
        channel.phase = Phase.LINGERING
        channel.since = self._clock.now
        self._watch.set_interest(channel, READ)
        self._watch.schedule(channel)

    # -------------------------------------------------------------- it ends

    def part(self, channel: Channel) -> None:
        """The peer has said close_notify: say ours, as RFC 8446, 6.1 wants it, and close."""
        if channel.out is None:
            channel.shut()
        self._lose(channel, "closed by the peer")

    def _lose(self, channel: Channel, reason: str) -> None:
        if channel.phase is Phase.TALKING:
            self._tell((channel.number, Lost(reason)))
        self.close(channel)

    def close(self, channel: Channel) -> None:
        """Close it, now and without a word; harmless when that was done before."""
        if channel.phase is Phase.DEAD:
            return
        if channel.phase is Phase.HANDSHAKE:
            self._rush.end()
        self._watch.set_interest(channel, 0)
        self._forget(channel)
        channel.close()
        self._report(channel.number, Fact.ENDED, self._clock.now)
