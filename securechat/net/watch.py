"""What an io thread waits for on behalf of its connections: their sockets, and the time.

In: channels whose state has changed. Out: what the poller and the deadlines wait for. Raised:
`OSError`, which ends the connection.
"""

from __future__ import annotations

from typing import Final

from ..protocol.framing import DEFAULT_MAX_FRAME, HEADER_SIZE
from .channel import Channel
from .deadlines import Deadlines, Verdict, judge
from .fanout import HIGH_WATER
from .poller import READ, WRITE, Poller

#: How much may wait unread in front of the parser while `hello` is being answered, bytes.
_MAX_UNPARSED: Final = DEFAULT_MAX_FRAME + HEADER_SIZE


class Clock:
    """When this turn of an io thread began (monotonic seconds): its loop sets it, others look."""

    __slots__ = ("now",)

    def __init__(self, now: float) -> None:
        self.now = now


class Watch:
    """What each channel is looked at for; `idle_timeout`: see `deadlines.judge`."""

    def __init__(
        self, poller: Poller, deadlines: Deadlines, idle_timeout: float, clock: Clock
    ) -> None:
        self._poller = poller
        self._deadlines = deadlines
        self._idle_timeout = idle_timeout
        self._clock = clock

    # -------------------------------------------------------------- readiness

    def may_read(self, channel: Channel) -> bool:
        """Whether it can be read from: it has tokens, reads what it gets, and has not ended."""
        return (
            not channel.starved
            and channel.out_bytes <= HIGH_WATER
            and channel.connection.pending <= _MAX_UNPARSED
            and not channel.connection.closed
        )

    def select(self, channel: Channel) -> None:
        """Select on what a talking channel can use now."""
        wanted = READ if self.may_read(channel) else 0
        if channel.out is not None:
            wanted |= WRITE
        self.set_interest(channel, wanted)

    def set_interest(self, channel: Channel, wanted: int) -> None:
        """Select on `wanted`, a mask, 0 for nothing."""
        if wanted == channel.interest:
            return
        fd = channel.sock.fileno()
        if not wanted:
            self._poller.unregister(fd)
        elif channel.interest:
            self._poller.modify(fd, wanted)
        else:
            self._poller.register(fd, wanted)
        channel.interest = wanted

    # -------------------------------------------------------------- deadlines

    def judge(self, channel: Channel) -> tuple[Verdict, float]:
        """What the time of this turn means for it, and when to judge it again."""
        return judge(channel, self._clock.now, self._idle_timeout)

    def schedule(self, channel: Channel) -> None:
        """Its state has changed: look at it when that may matter first."""
        self.schedule_at(channel, self.judge(channel)[1])

    def schedule_at(self, channel: Channel, when: float) -> None:
        """Look at it at `when` (monotonic seconds), unless that is done before anyway."""
        self._deadlines.schedule(channel, when)

    def stuck(self, channel: Channel) -> None:
        """Bytes began to wait: from now on the peer has to drain them."""
        channel.drained = self._clock.now
        self.select(channel)
        self.schedule(channel)
