"""`Bot`: what it answers to, said with decorators, and the loop that keeps it in a chat.

    bot = Bot("joker", rooms="#lobby")

    @bot.command("joke")
    def joke(context: Context) -> str:
        \"\"\"Tell a joke.\"\"\"
        return "..."

    bot.run()

What a bot says bears an id that begins with `bot.`, so that bots know each other and none answers
another (docs/protocol.md, "Bots").
"""

from __future__ import annotations

import inspect
import logging
import re
import sys
import threading
from collections.abc import Callable, Sequence
from functools import partial
from os import PathLike
from typing import Final, NoReturn, TypeVar

from ..errors import TimedOut
from . import process
from .arguments import parameters_of, usage
from .chat import Chat
from .connect import connect
from .dispatch import (
    Command,
    CommandHandler,
    ConnectHandler,
    Context,
    Dispatcher,
    Handlers,
    MessageHandler,
    StartHandler,
)
from .lanes import Lanes
from .values import Connected, Disconnected, Message, Since

log = logging.getLogger(__name__)

LOOK_EVERY: Final = 0.2
"""Seconds within which a wish to stop is heeded."""

PATIENCE: Final = 5.0
"""Seconds that handlers have to come to an end when the bot stops."""

MOST_AT_WORK: Final = 100
"""Messages that are taken in before one of them must be done with."""

_NAME: Final = re.compile(r"[^\s\"]{1,32}")

_Command = TypeVar("_Command", bound=CommandHandler)
_OnMessage = TypeVar("_OnMessage", bound=MessageHandler)
_OnStart = TypeVar("_OnStart", bound=StartHandler)
_OnConnect = TypeVar("_OnConnect", bound=ConnectHandler)


class Bot:
    """A program that people talk to.

    `prefix` stands before a command. `since`: from where on messages come (see `Since`).
    `ignore_bots`: False hears other bots too; then see to it that no two talk for ever. `workers`:
    so many handlers run at once; those of one conversation run one after the other, in order.
    """

    def __init__(
        self,
        nick: str,
        *,
        rooms: str | Sequence[str] = "#lobby",
        prefix: str = "!",
        since: Since = "now",
        ignore_bots: bool = True,
        workers: int = 4,
    ) -> None:
        if not prefix or prefix.startswith("/") or prefix.strip() != prefix:
            raise ValueError(f"{prefix!r} is no prefix; take a sign, as in !help, and not /")
        self.nick = nick
        self.rooms = (rooms,) if isinstance(rooms, str) else tuple(rooms)
        self.handlers = Handlers(prefix, ignore_bots)
        self._since: Since = since
        self._workers = workers
        self._stopping = threading.Event()
        self.command("help")(self._help)

    # -------------------------------------------------------------- what it answers to

    def command(self, name: str) -> Callable[[_Command], _Command]:
        """Have the decorated function handle `!name`: what follows it comes as its arguments.

        They are converted by its type hints; who types something else is told how it is used. The
        first line of its docstring is what `!help` says. The text that it returns is its reply.
        """
        if _NAME.fullmatch(name) is None or name != name.lower():
            raise ValueError(f"{name!r} is no command; it is one word in small letters")
        known = self.handlers.commands.get(name)
        if known is not None and known.handler != self._help:
            raise ValueError(f"{name} is a command already")

        def register(handler: _Command) -> _Command:
            summary, *_ = (inspect.getdoc(handler) or "").splitlines() or [""]
            row = Command(name, handler, parameters_of(handler), summary)
            self.handlers.commands[name] = row
            return handler

        return register

    def on_message(self, handler: _OnMessage) -> _OnMessage:
        """Call the decorated function with every message that is no command of this bot."""
        self.handlers.on_message.append(handler)
        return handler

    def on_start(self, handler: _OnStart) -> _OnStart:
        """Call the decorated function once, when the bot is in its rooms."""
        self.handlers.on_start.append(handler)
        return handler

    def on_connect(self, handler: _OnConnect) -> _OnConnect:
        """Call the decorated function each time that the server let us in.

        `resumed`: an earlier link goes on where it broke, and what was missed follows.
        """
        self.handlers.on_connect.append(handler)
        return handler

    def _help(self, _context: Context, command: str = "") -> str:
        """What this bot can do, or what one of its commands takes."""
        handlers = self.handlers
        row = handlers.commands.get(command.removeprefix(handlers.prefix).lower())
        if row is not None:
            told = usage(row.parameters, handlers.prefix + row.name)
            return f"{row.summary} {told}".strip()
        rows = sorted(handlers.commands.values())
        return "\n".join(f"{handlers.prefix}{row.name}  {row.summary}".rstrip() for row in rows)

    # -------------------------------------------------------------- its life

    def serve(
        self,
        host: str = "localhost",
        port: int | None = None,
        *,
        password: str | None = None,
        certs: str | PathLike[str] | None = "certs",
        state_dir: str | PathLike[str] | None = None,
        keep: bool = True,
    ) -> None:
        """Chat until `stop` is called, or raise the `ClientError` that ended it (see `connect`)."""
        lanes = Lanes(self._workers, MOST_AT_WORK)
        try:
            with connect(
                host,
                port,
                nick=self.nick,
                password=password,
                rooms=self.rooms,
                certs=certs,
                since=self._since,
                state_dir=state_dir,
                keep=keep,
                bot=True,
            ) as chat:
                try:
                    self._chat(chat, lanes)
                finally:
                    if not lanes.close(PATIENCE):
                        log.error("handlers were still at work after %g s", PATIENCE)
        finally:
            lanes.close(0.0)
            self._stopping.clear()

    def run(
        self,
        host: str = "localhost",
        port: int | None = None,
        *,
        password: str | None = None,
        certs: str | PathLike[str] | None = "certs",
        state_dir: str | PathLike[str] | None = None,
        keep: bool = True,
    ) -> NoReturn:
        """`serve` as a process: until Ctrl-C or SIGTERM, and exit with the usual code."""
        keys = {"password": password, "certs": certs, "state_dir": state_dir, "keep": keep}
        serve = partial(self.serve, host, port, **keys)  # type: ignore[arg-type]
        sys.exit(process.run(serve, self.nick))

    def stop(self) -> None:
        """End `serve`, from any thread: handlers at work come to their end."""
        self._stopping.set()

    def _chat(self, chat: Chat, lanes: Lanes) -> None:
        dispatcher = Dispatcher(self.handlers, chat)
        dispatcher.start()
        linked = True
        while not self._stopping.is_set():
            try:
                event = chat.next_event(LOOK_EVERY)
            except TimedOut:
                continue
            match event:
                case Message():
                    self._hand_over(partial(_hear, dispatcher, chat, event), event, lanes)
                case Connected():
                    linked = True
                    log.info("connected as %s", chat.nick)
                    dispatcher.connect(event.resumed)
                case Disconnected():
                    level = logging.WARNING if linked else logging.DEBUG  # once for each loss
                    log.log(level, "the link is gone, trying again: %s", event.reason)
                    linked = False

    def _hand_over(self, work: Callable[[], None], message: Message, lanes: Lanes) -> None:
        while not lanes.put(message.conversation, work, LOOK_EVERY):
            if self._stopping.is_set():
                return


def _hear(dispatcher: Dispatcher, chat: Chat, message: Message) -> None:
    if not message.removed:
        dispatcher.hear(message)
    chat.acknowledge()
