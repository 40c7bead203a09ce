"""From a host's name to an open TLS link, one address after the other, without ever blocking.

In come the address, a guard and the time; `advance` is called whenever the selector says so,
when `deadline` has come, or when `wake` was called. Out comes a `Link`. Raised: `CannotConnect`, or
`NotTrusted` at once when the guard refuses the
server: a link that comes out has passed it.

A name is looked up in a thread of its own, because no system call does it without blocking; who
gives up meanwhile leaves that thread to finish alone.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Final, NoReturn, TypeAlias

from ..errors import CannotConnect, NotTrusted
from .known_servers import Server
from .link import Link
from .trust import Guard, explain_distrust

_Address: TypeAlias = tuple[socket.AddressFamily, Any]
_Found: TypeAlias = Sequence[_Address] | Exception

_IN_PROGRESS: Final = frozenset({errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EINTR})

#: What OpenSSL says when the other side does not speak TLS 1.3.
_NOT_TLS_13: Final = frozenset(
    {
        "WRONG_VERSION_NUMBER",
        "UNSUPPORTED_PROTOCOL",
        "TLSV1_ALERT_PROTOCOL_VERSION",
        "PACKET_LENGTH_TOO_LONG",
        "RECORD_LAYER_FAILURE",
    }
)


class _Step(Enum):
    LOOKING_UP = "looking up"
    CONNECTING = "connecting"
    SHAKING_HANDS = "shaking hands"


class Dial:
    """One try to reach `host`; `timeout` seconds for each of its steps.

    `wake` is called from another thread when the name was found.
    """

    def __init__(
        self,
        guard: Guard,
        host: str,
        port: int,
        *,
        timeout: float,
        now: float,
        wake: Callable[[], None],
    ) -> None:
        self._guard = guard
        self._host = host
        self._port = port
        self._timeout = timeout
        self._sock: socket.socket | None = None
        self._addresses: deque[_Address] = deque()
        self._found: _Found | None = None
        self._last_failure = "the name has no address"
        self._interest = 0
        self._step = _Step.LOOKING_UP
        self.deadline = now + timeout
        self._look_up(wake)

    def fileno(self) -> int:
        """What to select on; -1: nothing yet."""
        return -1 if self._sock is None else self._sock.fileno()

    @property
    def interest(self) -> int:
        """For what."""
        return self._interest

    def advance(self, now: float) -> Link | None:
        """Go as far as can be gone now; a link when there is one."""
        if self._step is _Step.LOOKING_UP:
            if self._found is None:
                if now >= self.deadline:
                    self._fail_to_find("no answer in time")
                return None
            if isinstance(self._found, Exception):
                self._fail_to_find(_reason(self._found))
            self._addresses.extend(self._found)
            self._try_next(now)
        while True:
            try:
                if now >= self.deadline:
                    raise TimeoutError(f"no answer within {self._timeout:g} s")
                link = self._advance_socket(now)
            except ssl.SSLCertVerificationError as error:
                self.close()
                raise explain_distrust(error, self._host, self._guard.ca_file) from error
            except NotTrusted:
                self.close()
                raise
            except OSError as error:
                self._last_failure = _reason(error)
                self._try_next(now)
                continue
            return link

    def close(self) -> None:
        """Give up."""
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    # -------------------------------------------------------------- the name

    def _look_up(self, wake: Callable[[], None]) -> None:
        def resolve(flags: int = 0) -> _Found:
            try:
                infos = socket.getaddrinfo(
                    self._host, self._port, type=socket.SOCK_STREAM, flags=flags
                )
            except (OSError, UnicodeError) as error:
                return error
            return [(family, address) for family, _, _, _, address in infos]

        def resolve_and_wake() -> None:
            self._found = resolve()
            wake()

        found = resolve(socket.AI_NUMERICHOST)
        if not isinstance(found, Exception):
            self._found = found
            return
        threading.Thread(target=resolve_and_wake, name="client-resolver", daemon=True).start()

    def _fail_to_find(self, reason: str) -> NoReturn:
        raise CannotConnect(
            f"The address of {self._host} could not be found ({reason}). Check the spelling and "
            "this machine's network."
        )

    # -------------------------------------------------------------- one address

    def _try_next(self, now: float) -> None:
        """Turn to the next address; raises `CannotConnect` when there is none."""
        self.close()
        while self._addresses:
            family, address = self._addresses.popleft()
            try:
                self._sock = socket.socket(family, socket.SOCK_STREAM)
                self._sock.setblocking(False)
                self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                code = self._sock.connect_ex(address)
            except OSError as error:
                self._last_failure = _reason(error)
                self.close()
                continue
            if code == 0 or code in _IN_PROGRESS:
                self._step, self._interest = _Step.CONNECTING, select.POLLOUT
                self.deadline = now + self._timeout
                return
            self._last_failure = os.strerror(code).lower()
            self.close()
        raise CannotConnect(
            f"No securechat server answers at {self._host}:{self._port} ({self._last_failure}). "
            "Check the address, and that `securechat serve` runs there."
        )

    def _advance_socket(self, now: float) -> Link | None:
        """Take the steps of the present address; raises `OSError` when it is no good."""
        sock = self._sock
        assert sock is not None
        if self._step is _Step.CONNECTING:
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                raise OSError(code, os.strerror(code))
            try:
                sock.getpeername()
            except OSError as error:
                if error.errno == errno.ENOTCONN:
                    return None  # not yet
                raise
            self._sock = sock = self._wrap(sock)
            self._step, self.deadline = _Step.SHAKING_HANDS, now + self._timeout
        assert isinstance(sock, ssl.SSLSocket)
        try:
            sock.do_handshake()
        except ssl.SSLWantReadError:
            self._interest = select.POLLIN
            return None
        except ssl.SSLWantWriteError:
            self._interest = select.POLLOUT
            return None
        certificate = sock.getpeercert(binary_form=True)
        assert certificate is not None  # there is no TLS 1.3 server without one
        self._guard.admit(certificate, Server.at(self._host, self._port))
        self._sock = None
        return Link(sock)

    def _wrap(self, sock: socket.socket) -> ssl.SSLSocket:
        try:
            return self._guard.context.wrap_socket(
                sock,
                server_hostname=self._host,
                do_handshake_on_connect=False,
                suppress_ragged_eofs=False,
            )
        except ValueError as error:  # no host name at all, by the rules of TLS
            raise OSError(str(error)) from error


def _reason(error: Exception) -> str:
    """What went wrong, in a few words."""
    if isinstance(error, ssl.SSLError):
        reason = getattr(error, "reason", None) or "unknown reason"  # Python's own have none
        if reason in _NOT_TLS_13:
            return "it does not speak TLS 1.3"
        if isinstance(error, ssl.SSLEOFError):
            return "it hung up during the TLS handshake"
        return f"TLS failed: {reason.lower().replace('_', ' ')}"
    if isinstance(error, UnicodeError):
        return "that is not a host name"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__
