"""How connections begin: a socket that was accepted, TLS on it, and the first thing the hub hears.

In: `Adopt`, and readiness of the sockets. Out: channels; `Arrived`, when a handshake is done
(`tell`). Raised: `OSError` by `advance`, which ends the connection.

A handshake takes 0.3 ms of CPU, a message 0.02: so those that can be moved on queue up here, and
the loop takes few of them while others speak.
"""

from __future__ import annotations

import logging
import socket
import ssl
from collections import deque
from collections.abc import Callable
from typing import Final

from ..link_events import Arrived
from .channel import Channel, Phase
from .crowd import Crowds
from .gate import Fact
from .heap import Rush
from .loop_config import LoopConfig, Told
from .ops import Adopt
from .poller import READ, WRITE
from .tls import certified_name, describe_failure
from .watch import Clock, Watch

log = logging.getLogger(__name__)

#: The kernel keeps no more than this for a peer that does not read, bytes.
_SEND_BUFFER: Final = 128 * 1024


class Handshakes:
    """The handshakes of one io thread; `context` is for those that begin from now on."""

    def __init__(
        self,
        config: LoopConfig,
        watch: Watch,
        clock: Clock,
        rush: Rush,
        tell: Callable[[Told], None],
    ) -> None:
        self.context = config.context
        self._config = config
        self._watch = watch
        self._clock = clock
        self._rush = rush
        self._tell = tell
        #: Whose handshakes can be moved on; in turn, and a few at a time.
        self.ready: deque[Channel] = deque()
        #: Who will be told at `hello` that its address has too many connections.
        self._surplus: set[int] = set()
        shared = config.new_shared_bucket
        self._crowds = None if shared is None else Crowds(shared)

    def begin(self, op: Adopt) -> Channel | None:
        """A channel on the socket, to be watched; None when it has ended already."""
        try:
            op.sock.setblocking(False)
            op.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            op.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
            sock = self.context.wrap_socket(
                op.sock,
                server_side=True,
                do_handshake_on_connect=False,
                suppress_ragged_eofs=False,
            )
        except OSError as error:
            log.info("connection %d from %s: %s", op.number, op.peer, describe_failure(error))
            self.turn_away(op)
            return None
        self._rush.begin()
        channel = Channel(op.number, sock, op.peer, self._clock.now)
        if op.surplus:
            self._surplus.add(op.number)
        if op.crowd and self._crowds is not None:
            own = self._config.new_bucket and self._config.new_bucket(self._clock.now)
            channel.bucket = self._crowds.join(op.crowd, own, self._clock.now)
        return channel

    def turn_away(self, op: Adopt) -> None:
        """Close a socket that nothing was begun on."""
        op.sock.close()
        self._config.report(op.number, Fact.ENDED, self._clock.now)

    def forget(self, channel: Channel) -> None:
        """The connection has ended; `advance` passes it by."""
        self._surplus.discard(channel.number)

    def queue_up(self, channel: Channel) -> None:
        """Its socket is ready; until its turn comes it is not asked again."""
        self._watch.set_interest(channel, 0)
        self.ready.append(channel)

    def advance(self, channel: Channel) -> None:
        """Move its handshake on as far as what has come allows."""
        if channel.phase is not Phase.HANDSHAKE:
            return  # it has ended while it waited for its turn
        try:
            channel.sock.do_handshake()
        except ssl.SSLWantReadError:
            self._watch.set_interest(channel, READ)
            return
        except ssl.SSLWantWriteError:
            self._watch.set_interest(channel, WRITE)
            return
        self._rush.end()
        now = self._clock.now
        # Its deadline of 10 s stands, for `hello` now: it is looked at anew when it comes.
        channel.phase = Phase.TALKING
        channel.since = channel.heard = now
        if channel.bucket is None and self._config.new_bucket is not None:
            channel.bucket = self._config.new_bucket(now)
        surplus = channel.number in self._surplus
        name = certified_name(channel.sock)
        self._tell((channel.number, Arrived(channel.peer, surplus, name)))
        self._watch.select(channel)
        self._watch.schedule(channel)
