"""The operator's door: a Unix socket beside the data, for who runs the server, on its machine.

In: one line of JSON per connection, a request of `chat.admin`. Out: one line, `{"rows": [..]}` or
`{"error": ".."}`. The thread `admin` serves it, one connection after the other; it decides nothing,
but has the hub do it. Only the server's own user, or root, is listened to: the socket is 0600, and
the kernel tells who connected (SO_PEERCRED). Raised, when the socket cannot be made: nothing; the
server then goes on without, and says so.
"""

from __future__ import annotations

import itertools
import json
import logging
import os
import queue
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from ..chat.admin import Asked, Request, password_of
from ..chat.effects import Reply
from . import auth

log = logging.getLogger(__name__)

SOCKET_NAME: Final = "admin.sock"
MAX_LINE: Final = 64 * 1_024
#: Seconds for somebody to say what they want, and for the hub to answer.
PATIENCE: Final = 5.0
_PEER: Final = struct.Struct("3i")  # pid, uid, gid: see unix(7)

_REQUESTS: Final[TypeAdapter[Any]] = TypeAdapter(Request)


class AdminSocket:
    """The socket in `folder`; `tell` reaches the hub, `facts` of a request go into its answer."""

    def __init__(
        self,
        folder: Path,
        tell: Callable[[Asked], None],
        facts: Callable[[object], Mapping[str, object]],
    ) -> None:
        self.path = folder / SOCKET_NAME
        self._tell = tell
        self._facts = facts
        self._tickets = itertools.count(1)
        self._replies: queue.SimpleQueue[Reply] = queue.SimpleQueue()
        self._closing = False
        self._sock: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, name="admin", daemon=True)

    def open(self) -> None:
        """Listen, and start the thread; the caller holds the folder's lock.

        So a socket that is there already is one that a killed server left.
        """
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.path.unlink(missing_ok=True)
            before = os.umask(0o177)
            try:
                sock.bind(str(self.path))
            finally:
                os.umask(before)
            sock.listen(4)
        except OSError as error:
            sock.close()
            why = error.strerror or str(error)  # a path that is too long has no strerror
            log.warning("%s: no `securechat admin` for this server: %s", self.path, why.lower())
            return
        self._sock = sock
        self._thread.start()

    def close(self) -> None:
        """Stop listening, and take the socket away."""
        if self._sock is None:
            return
        self._closing = True
        self._sock.shutdown(socket.SHUT_RDWR)  # which wakes who waits in `accept`
        self._thread.join(PATIENCE)
        self._sock.close()
        self.path.unlink(missing_ok=True)

    def take(self, reply: Reply) -> None:
        """An answer of the hub; from its thread."""
        self._replies.put(reply)

    # -------------------------------------------------------------- the thread

    def _run(self) -> None:
        assert self._sock is not None
        while True:
            try:
                connection, _ = self._sock.accept()
            except OSError as error:
                if not self._closing:
                    log.error("%s: no more `securechat admin`: %s", self.path, error)
                return
            with connection:
                connection.settimeout(PATIENCE)
                try:
                    self._serve(connection)
                except OSError as error:
                    log.info("admin: somebody went away: %s", error)

    def _serve(self, connection: socket.socket) -> None:
        peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
        process, user, _ = _PEER.unpack(peer)
        line = _read_line(connection)  # first, or closing would take the answer away with it
        answer: Mapping[str, object]
        if _trusted(user):
            answer = self._answer(line, process)
        else:
            log.warning("admin: process %d of user %d was sent away", process, user)
            answer = {"error": "Only the user that the server runs as may ask. Be that user."}
        connection.sendall(json.dumps(answer).encode() + b"\n")

    def _answer(self, line: bytes, process: int) -> Mapping[str, object]:
        try:
            request = _REQUESTS.validate_json(line)
        except ValidationError as error:
            return {"error": explain(error)}
        log.info("admin: process %d asks for `%s`", process, request.do)
        password = password_of(request)
        hashed = auth.derive(password.get_secret_value()) if password is not None else None
        ticket = next(self._tickets)
        self._tell(Asked(ticket, request, hashed))
        reply = self._wait(ticket)
        if reply is None:
            return {"error": "The server did not answer in time. Look at its log."}
        if reply.error is not None:
            return {"error": reply.error}
        return {"rows": [dict(row) for row in reply.rows], **self._facts(request)}

    def _wait(self, ticket: int) -> Reply | None:
        """The reply to that request; earlier ones came too late for those who asked."""
        try:
            while (reply := self._replies.get(timeout=PATIENCE)).ticket != ticket:
                pass
        except queue.Empty:
            return None
        return reply


def _trusted(user: int) -> bool:
    return user in (0, os.geteuid())


def explain(error: ValidationError) -> str:
    """What was wrong with a request, in one sentence that repeats nothing of it."""
    fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in fault["loc"][1:])
    return f"{where + ': ' if where else ''}{fault['msg']}"


def _read_line(connection: socket.socket) -> bytes:
    data = b""
    while b"\n" not in data and len(data) <= MAX_LINE:
        more = connection.recv(65_536)
        if not more:
            break
        data += more
    return data.partition(b"\n")[0]
