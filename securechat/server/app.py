"""A whole server: `Server` builds, starts and stops its threads; `run` does it for a process.

The order of starting is the flow reversed, so that nothing is handed to a thread that is not
there; the order of stopping is the flow itself: no new connections, what was accepted is carried
out and stored, everyone gets `bye`, then the threads end.
"""

from __future__ import annotations

import gc
import logging
import resource
import secrets
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from .. import __version__
from ..certs import CertificateSet
from ..chat.admin import ShowStatus
from ..chat.effects import Outward, Reply
from ..chat.hub import Hub
from ..chat.limits import TokenBucket
from ..config import ChatLimits, ServerConfig
from ..errors import CertificateError, SecureChatError
from ..metrics import Histogram, merge
from ..net import wordless
from ..net.door import Door
from ..net.gate import Gate, fit
from ..net.heap import share_heaps
from ..net.listener import Listener
from ..net.loop import Loop, LoopConfig
from ..net.ops import Op, Stop, UseContext
from ..store.base import Store
from ..store.memory import MemoryStore
from . import certificates, status
from .admin import AdminSocket
from .auth import Authenticator
from .dispatcher import Dispatcher
from .indexer import IndexKeeper
from .logs import set_up
from .readers import Readers
from .renderer import Renderer
from .signals import Signals

__all__ = ["ChatLimits", "Server", "ServerConfig", "run"]

log = logging.getLogger(__name__)

#: All that stopping may take, seconds.
STOP_TIME: Final = 5.0
#: In place of a data folder: nothing is kept.
IN_MEMORY: Final = ":memory:"
#: How long a signal, or a peer that holds up an io thread, may go unnoticed, seconds.
_LOOK_EVERY: Final = 0.1
#: How often the days that the certificate has left are looked at, seconds.
_TEND_EVERY: Final = 86_400.0
#: Objects made and not freed before the collector looks at the young ones.
_GARBAGE: Final = 50_000
#: When those who were told bye may come back, seconds.
RETRY_AFTER: Final = 1.0


class Server:
    """`start`, then serve until `stop`; `failed` says why it could not go on."""

    def __init__(self, config: ServerConfig, on_failure: Callable[[], None] | None = None) -> None:
        self.config = config
        self.failed: str | None = None
        self.stopped = False
        self._started = time.monotonic()
        self._on_failure = on_failure
        self._served = certificates.prepare(config.certs, datetime.now(UTC), config.client_ca)
        self._store = _open_store(config)
        limits = config.limits
        fair_messages = config.gate.messages / limits.rate if limits.rate > 0 else 0.0
        descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._door = Door(Gate(fit(config.gate, descriptors), fair_messages), self._post)
        self._listener = Listener(config.host, config.port, self._door.adopt, self._door.tend)
        try:
            self._listener.open()
        except BaseException:
            self._store.close()
            raise
        hub = Hub(
            limits,
            self._store.load(),
            new_token=lambda: secrets.token_urlsafe(32),
            choose=secrets.choice,
            name=config.name,
            version=__version__,
            motd=config.motd,
            logins=config.logins,
        )
        self._readers = Readers(self._store, self._post, self._lose_store)
        self._indexer = IndexKeeper(self._store)
        renderer = Renderer(
            hub, config.io_threads, self._readers.ask, self._store.first_kept, self._do_outside
        )
        loop_config = LoopConfig(
            context=self._served.context,
            inbox=self._take,
            inbox_full=self._full,
            ask_page=self._readers.ask,
            new_bucket=_bucket_maker(limits.rate, limits.burst),
            new_shared_bucket=_bucket_maker(
                config.gate.messages, max(1, round(config.gate.messages))
            ),
            report=self._door.tell,
            idle_timeout=limits.idle_timeout,
        )
        self._loops = [Loop(index, loop_config) for index in range(config.io_threads)]
        self._dispatcher = Dispatcher(
            hub, self._store, renderer, [loop.post for loop in self._loops], self._break
        )
        self._auth = Authenticator(self._dispatcher.tell)
        self._admin: AdminSocket | None = None
        if config.data != IN_MEMORY:
            self._admin = AdminSocket(Path(config.data), self._dispatcher.tell, self._describe)

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Where it listens: (host, port)."""
        return self._listener.addresses

    @property
    def certificates(self) -> CertificateSet:
        """The pair that new connections are shown."""
        return self._served.pair

    def start(self) -> None:
        """Start all threads; when this returns, clients are served."""
        self._started = time.monotonic()
        self._readers.start()
        self._auth.start()
        self._indexer.start()
        self._dispatcher.start()
        for loop in self._loops:
            loop.start()
        self._listener.start()
        if self._admin is not None:
            self._admin.open()
        certificates.tell_days_left(self.certificates, datetime.now(UTC))
        certificates.tell_groups(self._served)

    def stop(self, reason: str = "shutdown") -> None:
        """Stop accepting, carry out what was accepted, say bye, end; within `STOP_TIME`."""
        self.stopped = True
        deadline = time.monotonic() + STOP_TIME - 1.0
        if self._admin is not None:
            self._admin.close()
        self._listener.close()
        self._door.close()
        if self.failed is None:
            self._dispatcher.say_farewell(reason, RETRY_AFTER)
        stored = self._dispatcher.join(deadline - time.monotonic())
        for loop in self._loops:
            loop.post((Stop(deadline),))
        for loop in self._loops:
            if not loop.join(max(0.0, deadline + 0.5 - time.monotonic())):
                log.error("an io thread did not end in time")
        self._readers.close()
        self._auth.close()
        self._indexer.close()
        if stored:
            self._store.close()
        else:
            log.error("the hub did not end in time")

    @property
    def latency(self) -> Histogram:
        """From when something was read to when all that follows from it was written, so far."""
        return merge(loop.latency for loop in self._loops)

    def reload_certificates(self, now: datetime) -> bool:
        """Show new connections what lies in the folder now; False: it was refused, the old stays.

        Nobody who is connected notices.
        """
        old = self.certificates
        try:
            self._served = certificates.load_again(self.config.certs, now, self.config.client_ca)
        except CertificateError as error:
            log.error("the certificate stays as it was, the new one is refused: %s", error)
            return False
        for loop in self._loops:
            loop.post((UseContext(self._served.context),))
        certificates.tell_change(old, self.certificates, now)
        return True

    def tend_certificates(self, now: datetime) -> None:
        """What is to be done once a day: renew the pair in time, or warn that nobody does."""
        if certificates.renew_in_time(self.config.certs, now):
            self.reload_certificates(now)
        else:
            certificates.tell_days_left(self._served.pair, now)

    def free_io_threads(self) -> None:
        """Cut those who keep an io thread from all others; to be called several times a second."""
        wordless.free(self._loops, self._door.tell)

    # -------------------------------------------------------------- between the threads

    def _post(self, number: int, ops: Sequence[Op]) -> None:
        self._loops[number % len(self._loops)].post(ops)

    def _take(self, batch: list) -> None:  # type: ignore[type-arg]
        self._dispatcher.take(batch)

    def _full(self) -> bool:
        return self._dispatcher.full()

    def _do_outside(self, effect: Outward) -> None:
        """What the hub wants of nobody who is connected."""
        if isinstance(effect, Reply):
            if self._admin is not None:
                self._admin.take(effect)
        else:
            self._auth.ask(effect)

    def _describe(self, request: object) -> dict[str, object]:
        """What an invite has to say of this server; for who asks for its status, that, too."""
        facts: dict[str, object] = {
            "addresses": self.addresses,
            "fingerprint": self.certificates.key_fingerprint,
        }
        if isinstance(request, ShowStatus):
            facts["status"] = {
                "open": sum(loop.connections for loop in self._loops) + self._door.waiting,
                **status.describe_process(time.monotonic() - self._started),
                **status.describe_latency(self.latency),
                **status.describe_certificate(self.certificates, datetime.now(UTC)),
                **status.describe_disk(Path(self.config.data)),
            }
        return facts

    def _lose_store(self, reason: str) -> None:
        self._dispatcher.report_broken(reason)

    def _break(self, reason: str) -> None:
        self.failed = reason
        if self._on_failure is not None:
            self._on_failure()


def _open_store(config: ServerConfig) -> Store:
    if config.data == IN_MEMORY:
        return MemoryStore()
    from ..store.retention import Keep, Retention
    from ..store.sqlite import open_store

    rooms = {room: Keep(days, mb) for room, days, mb in config.keep_rooms}
    retention = Retention(config.keep_days, config.keep_mb, rooms)
    return open_store(Path(config.data), retention=retention)


def _bucket_maker(rate: float, burst: int) -> Callable[[float], TokenBucket] | None:
    if rate <= 0:
        return None
    return lambda now: TokenBucket(rate, burst, now)


# ------------------------------------------------------------------ a process


def run(config: ServerConfig, *, json_log: bool = False) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit code. SIGHUP: load the certificates again."""
    share_heaps(config.io_threads)
    set_up(as_json=json_log)
    _raise_descriptor_limit()
    signals = Signals()
    signals.heed_hangup()
    try:
        server = Server(config, on_failure=signals.stop)
    except SecureChatError as error:
        print(f"securechat: {error}", file=sys.stderr)
        return error.exit_code if hasattr(error, "exit_code") else 1
    signals.heed_end()
    server.start()
    print(introduce(server), flush=True)
    _spare_the_collector()
    _serve(server, signals)
    if server.failed is None:
        log.info("stopping")
    server.stop()
    _tell_latency(server.latency)
    return 1 if server.failed is not None else 0


def _tell_latency(latency: Histogram) -> None:
    if latency.total:
        median, most = (latency.quantile(share) * 1e3 for share in (0.5, 0.99))
        log.info(
            "%d events, half of them answered within %.1f ms, 99 of 100 within %.1f ms",
            *(latency.total, median, most),
        )


def _serve(server: Server, signals: Signals) -> None:
    """Until it is time to stop, see to the certificates and that no peer holds up an io thread.

    A signal that the kernel gave to another thread is heeded when this one wakes.
    """
    tend_at = time.monotonic() + _TEND_EVERY
    while signals.wait(_LOOK_EVERY):
        if signals.take_reload():
            server.reload_certificates(datetime.now(UTC))
        server.free_io_threads()
        if time.monotonic() >= tend_at:
            tend_at += _TEND_EVERY
            server.tend_certificates(datetime.now(UTC))


def _spare_the_collector() -> None:
    """Look for cycles rarely: the way of a message makes none.

    Every batch makes thousands of objects that die with it, and each 700 of them would have the
    collector look at all the others (13 % of the CPU where rooms are small, and a third of p99).
    """
    gc.collect()
    gc.freeze()  # what lives now lives as long as the process
    gc.set_threshold(_GARBAGE, 20, 50)


def introduce(server: Server) -> str:
    """Where it listens, what proves it, and how to connect: what `serve` prints first."""
    config = server.config
    where = ", ".join(_show_address(host, port) for host, port in server.addresses)
    host, port = server.addresses[0]
    target = "" if (host, port) == ("127.0.0.1", 55555) else f" {_show_address(host, port)}"
    certs = "" if str(config.certs) == "certs" else f" --certs {config.certs}"
    return (
        f"securechat {__version__} listens on {where}\n"
        f"fingerprint {server.certificates.key_fingerprint}\n"
        f"connect with: securechat connect{target} --nick NICK{certs}"
    )


def _show_address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _raise_descriptor_limit() -> None:
    """As many connections as the system lets us have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
