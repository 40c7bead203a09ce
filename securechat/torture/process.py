"""A real server in a process of its own, that can be killed: `python -m securechat serve`.

In: the folder to work in. Out: where it listens, and when it is stopped, the messages that its
database holds. Raised: `OrdealError` when the server does not do what a server must.
"""

from __future__ import annotations

import json
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from ..errors import SecureChatError
from ..protocol.framing import DEFAULT_MAX_FRAME
from ..store.base import Store
from .ledger import Row, between

#: What starts a server, but for its options.
SERVE: Final = (sys.executable, "-m", "securechat", "serve")
#: How long a server may take to listen, and to stop, seconds.
_START_TIME: Final = 30.0
_STOP_TIME: Final = 10.0
#: Below what any system hands out by itself: nobody else takes the port while the server is down,
#: and who dials it then is not connected to itself.
_PORTS: Final = range(20_000, 32_000)
_PAGE: Final = 500


class OrdealError(SecureChatError):
    """The ordeal itself failed: the server did not start, or did not stop as it must."""


class ServerProcess:
    """A server on one port and one data folder, however often it is killed and started.

    `command` is what starts it; the options for port, certificates and data are added.
    """

    def __init__(
        self, folder: Path, *, options: Sequence[str] = (), command: Sequence[str] = SERVE
    ) -> None:
        self.data = folder / "data"
        self.certs = folder / "certs"
        self.port = free_port()
        self.log = folder / "server.log"
        self._command = (
            *command,
            *("--port", str(self.port), "--certs", str(self.certs), "--data", str(self.data)),
            *options,
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process that runs now."""
        assert self._process is not None
        return self._process.pid

    def launch(self) -> None:
        """Start it and go on; clients may knock until it listens."""
        assert self._process is None, "it runs already"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def check(self) -> None:
        """Raise `OrdealError` if it has ended by itself."""
        if self._process is not None and self._process.poll() is not None:
            raise OrdealError(
                f"The server ended by itself with {self._process.returncode}: {self._last_words()}"
            )

    def start(self) -> None:
        """Start it and wait until it listens; raises `OrdealError`."""
        self.launch()
        self._wait_until_it_listens()

    def _wait_until_it_listens(self) -> None:
        deadline = time.monotonic() + _START_TIME
        while True:
            self.check()
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1.0).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    self.kill()
                    raise OrdealError(
                        f"The server did not listen within {_START_TIME:g} s: {self._last_words()}"
                    ) from None
                time.sleep(0.02)

    def kill(self) -> None:
        """kill -9; does nothing when it does not run."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def stop(self) -> None:
        """SIGTERM as soon as it listens, and see that it ends well; raises `OrdealError`."""
        assert self._process is not None
        self._wait_until_it_listens()  # until then any signal ends it at once
        self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(_STOP_TIME)
        except subprocess.TimeoutExpired:
            self.kill()
            raise OrdealError(f"The server did not stop within {_STOP_TIME:g} s.") from None
        self._process = None
        if code != 0:
            raise OrdealError(f"The server stopped with {code}: {self._last_words()}")

    def _last_words(self) -> str:
        lines = self.log.read_text("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


def free_port() -> int:
    """A port that nobody listens on; raises `OrdealError`."""
    for port in random.sample(_PORTS, 100):
        with closing(socket.socket()) as sock:
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OrdealError("No free port was found; try again when fewer servers run here.")


# ------------------------------------------------------------------ what is stored


def read_stored(data: Path) -> dict[str, dict[int, Row]]:
    """Every message in the data folder of a stopped server, as `Ledger.audit` wants them.

    Raises `StoreRefused` or `StoreBroken` when the database cannot be read.
    """
    from ..store.sqlite import open_store

    with closing(open_store(data)) as store:
        heads = store.load().heads
        return dict(_read_conversation(store, name, head) for name, head in heads.items())


def _read_conversation(store: Store, conversation: str, head: int) -> tuple[str, dict[int, Row]]:
    rows: dict[int, Row] = {}
    name = conversation
    with closing(store.reader()) as reader:
        after = 0
        while after < head:
            page = reader.after(conversation, after, head, _PAGE, DEFAULT_MAX_FRAME)
            for payload in page.payloads:
                said = json.loads(payload)
                rows[said["seq"]] = Row(said["id"], said["sender"], said["text"])
                if conversation[0] == "@":
                    name = between(said["sender"], said["to"][1:])
            after = page.last
    return name, rows


def quick_check(data: Path) -> str:
    """What SQLite itself says of the database; `ok` when it is sound."""
    import apsw

    from ..store.connections import DATABASE_NAME

    path = str(data / DATABASE_NAME)
    with closing(apsw.Connection(path, flags=apsw.SQLITE_OPEN_READONLY)) as db:
        return "; ".join(str(row[0]) for row in db.execute("PRAGMA quick_check"))
