"""A whole server for a test: real TLS on a free port of 127.0.0.1, and nobody keeps anything.

    with ChatServer(tmp_path) as server, server.connect("ann") as ann:
        ann.send("#lobby", "hello")

In comes an empty folder, for the certificates and what the clients keep. Raised is what a server
raises that cannot start.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final

from .. import certs
from ..config import ChatLimits, ServerConfig
from ..sdk.bot import Bot
from ..sdk.chat import Chat
from ..sdk.connect import connect
from ..sdk.values import ChatLike, Since
from ..server.app import Server

START_WITHIN: Final = 15.0
"""Seconds that a bot has to connect."""


class ChatServer:
    """A server that serves from construction to `stop`.

    `limits`: other than a server's own; see `securechat.config.ChatLimits`. `keep`: the messages
    go to disk, so that a `restart` forgets nothing.
    """

    host: Final = "127.0.0.1"

    def __init__(
        self, folder: Path, *, limits: ChatLimits | None = None, keep: bool = False
    ) -> None:
        self.certs: Final = folder / "certs"
        self._data = str(folder / "data") if keep else ":memory:"
        self._state = folder / "state"
        certs.ensure(self.certs, now=datetime.now(UTC))
        self._limits = ChatLimits() if limits is None else limits
        self._server = self._start(port=0)
        self.port: Final = self._server.addresses[0][1]

    def _start(self, port: int) -> Server:
        config = ServerConfig(port=port, certs=self.certs, data=self._data, limits=self._limits)
        server = Server(config)
        server.start()
        return server

    def restart(self) -> None:
        """Stop, and serve again on the same port; what was in memory is gone."""
        self.stop()
        self._server = self._start(self.port)

    def stop(self) -> None:
        """Stop serving; again does nothing."""
        if not self._server.stopped:
            self._server.stop()

    def __enter__(self) -> ChatServer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    # -------------------------------------------------------------- who comes

    def connect(
        self,
        nick: str,
        *,
        rooms: str | Sequence[str] = "#lobby",
        since: Since = "now",
        own: bool = False,
        bot: bool = False,
    ) -> Chat:
        """Somebody who is in `rooms`; close it, or use it as a context manager."""
        return connect(
            self.host,
            self.port,
            nick=nick,
            rooms=rooms,
            certs=self.certs,
            since=since,
            state_dir=self._state,
            own=own,
            bot=bot,
        )

    @contextmanager
    def running(self, bot: Bot) -> Iterator[Bot]:
        """Have `bot` in this server's rooms as long as the block lasts.

        What keeps it from coming up is raised at once; what ends it later, when the block is left.
        """
        up = threading.Event()
        ended: list[BaseException] = []

        def serve() -> None:
            try:
                bot.serve(self.host, self.port, certs=self.certs, state_dir=self._state)
            except BaseException as error:  # carried over to the thread of the test
                ended.append(error)
            finally:
                up.set()

        def tell(_chat: ChatLike) -> None:
            up.set()

        bot.handlers.on_start.append(tell)
        thread = threading.Thread(target=serve, name=f"bot {bot.nick}")
        thread.start()
        try:
            if not up.wait(START_WITHIN):
                raise TimeoutError(f"{bot.nick} did not connect within {START_WITHIN:g} s")
            if not ended:
                yield bot
        finally:
            bot.handlers.on_start.remove(tell)
            bot.stop()
            thread.join()
        if ended:
            raise ended[0]
