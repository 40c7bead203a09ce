"""The accept thread: takes connections from the kernel and gives each to an io thread.

The listening sockets are never wrapped in TLS, and no handshake happens here: one silent peer must
not keep the next one waiting. When descriptors are used up, accepting pauses; those who wait stay
in the kernel's queue and those who are in talk on. Raised at `bind` and `open`: `ServerStartError`,
which says what to do; nothing is left open then.
"""

from __future__ import annotations

import errno
import logging
import selectors
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from ..errors import ServerStartError
from .address import show
from .ops import Adopt
from .waker import Waker
from .wordless import RECEIVE_BUFFER

log = logging.getLogger(__name__)

_BACKLOG: Final = 4096
#: Connections taken in one go; then those that wait have their turn.
_ACCEPTS_PER_TURN: Final = 64
_PAUSE: Final = 0.1
#: Between two log lines about the same shortage, seconds.
_COMPLAIN_EVERY: Final = 10.0
#: What ends one connection before it is accepted (accept(2)). Anything else is a shortage here, or
#: a fault that will be there again at once: then accepting pauses.
_PEER_GONE: Final = frozenset(
    getattr(errno, name)
    for name in (
        *("ECONNABORTED", "EPROTO", "ENOPROTOOPT", "EOPNOTSUPP", "EPERM", "ETIMEDOUT"),
        *("ENETDOWN", "ENETUNREACH", "EHOSTDOWN", "EHOSTUNREACH", "ENONET"),
    )
    if hasattr(errno, name)
)
_FILES_USED_UP: Final = frozenset({errno.EMFILE, errno.ENFILE})
#: A name may have addresses that this machine cannot listen on: `localhost` has ::1, without IPv6.
_NOT_HERE: Final = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


class Listener:
    """Listens on every address of `host`; `open`, then `start`, then `close`.

    `tend` is called in every turn and says after how many seconds it wants to be again; None: when
    somebody comes.
    """

    def __init__(
        self,
        host: str,
        port: int,
        adopt: Callable[[Adopt], None],
        tend: Callable[[], float | None] = lambda: None,
    ) -> None:
        self._host = host
        self._port = port
        self._adopt = adopt
        self._tend = tend
        self._sockets: list[socket.socket] = []
        self._waker = Waker()
        self._stopping = threading.Event()
        self._number = 0
        self._complained = -_COMPLAIN_EVERY
        self._thread = threading.Thread(target=self._run, name="accept", daemon=True)

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Where it listens."""
        return [sock.getsockname()[:2] for sock in self._sockets]

    def bind(self) -> None:
        """Take the addresses; whoever comes before `open` is refused.

        Port 0 takes a free one, the same for all addresses. Raises `ServerStartError`.
        """
        try:
            self._bind_all(self._resolve())
        except BaseException:
            self.close()
            raise

    def open(self) -> None:
        """Bind, unless that is done, and listen; connections wait in the kernel until `start`.

        Raises `ServerStartError`.
        """
        if not self._sockets:
            self.bind()
        try:
            for sock in self._sockets:
                self._listen(sock)
        except BaseException:
            self.close()
            raise

    def _resolve(self) -> list[tuple[socket.AddressFamily, tuple[Any, ...]]]:
        if not 0 <= self._port <= 65_535:
            raise ServerStartError(f"there is no port {self._port}: choose a --port up to 65535")
        try:
            found = socket.getaddrinfo(
                self._host or None, self._port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )
        except (OSError, UnicodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "no valid name"
            raise ServerStartError(
                f"{self._host!r} is no address of this machine ({why}): "
                "try --host 127.0.0.1, or 0.0.0.0 for all addresses"
            ) from error
        return list(dict.fromkeys((family, address) for family, _, _, _, address in found))

    def _bind_all(self, found: list[tuple[socket.AddressFamily, tuple[Any, ...]]]) -> None:
        port = self._port
        skipped: ServerStartError | None = None
        for family, address in found:
            try:
                sock = self._bind(family, (address[0], port, *address[2:]))
            except OSError as error:
                refusal = ServerStartError(self._explain(error, str(address[0]), port))
                if error.errno not in _NOT_HERE:
                    raise refusal from error
                skipped = skipped or refusal
                continue
            self._sockets.append(sock)
            port = sock.getsockname()[1]
        if skipped is not None and not self._sockets:
            raise skipped

    @staticmethod
    def _bind(family: int, address: tuple[object, ...]) -> socket.socket:
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)  # inherited
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.setblocking(False)
            sock.bind(address)
        except BaseException:
            sock.close()
            raise
        return sock

    def _listen(self, sock: socket.socket) -> None:
        try:
            sock.listen(_BACKLOG)
        except OSError as error:  # two that were bound at once: Linux lets one of them listen
            host, port = sock.getsockname()[:2]
            raise ServerStartError(self._explain(error, host, port)) from error

    @staticmethod
    def _explain(error: OSError, host: str, port: int) -> str:
        cures = {
            errno.EADDRINUSE: "another program listens there; stop it or choose another --port",
            errno.EACCES: "ports below 1024 need rights; choose another --port",
            errno.EADDRNOTAVAIL: "this machine does not have that address; choose another --host",
        }
        cure = cures.get(error.errno or 0, "choose another --host or --port")
        return f"cannot listen on {host} port {port} ({error.strerror}): {cure}"

    def start(self) -> None:
        """Start accepting."""
        self._thread.start()

    def close(self) -> None:
        """Stop accepting; whoever still waits in the kernel's queue is refused."""
        self._stopping.set()
        self._waker.wake()
        if self._thread.ident is not None:
            self._thread.join()
        while self._sockets:
            self._sockets.pop().close()
        self._waker.close()

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._waker, selectors.EVENT_READ)
            for sock in self._sockets:
                selector.register(sock, selectors.EVENT_READ)
            while not self._stopping.is_set():
                for key, _ in selector.select(self._tend()):
                    if isinstance(key.fileobj, socket.socket):
                        self._accept(key.fileobj)

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(_ACCEPTS_PER_TURN):
            if self._stopping.is_set():
                return
            try:
                sock, address = listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _PEER_GONE:
                    continue
                self._pause(error)
                return
            self._number += 1
            self._adopt(Adopt(self._number, sock, show(address[0], address[1])))

    def _pause(self, error: OSError) -> None:
        """Level-triggered, the selector would spin on a socket that cannot be accepted."""
        now = time.monotonic()
        if now - self._complained >= _COMPLAIN_EVERY:
            self._complained = now
            cure = "; raise the limit (ulimit -n)" if error.errno in _FILES_USED_UP else ""
            log.warning("accepting pauses: %s%s", error.strerror, cure)
        self._stopping.wait(_PAUSE)
