"""What a bot does with what happens: one event in, the right handlers called, answers sent.

No thread and no socket: `Bot.serve` and `testing.Harness` both drive it. A handler that raises is
logged, and that is all: nothing but `BaseException` leaves here, unless a test asks for it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias

from ..errors import SecureChatError
from .arguments import BadArguments, Parameter, parse
from .values import ChatLike, Message, Receipt

log = logging.getLogger(__name__)

_WORD: Final = re.compile(r"(\s|$)")

FAILED: Final = "That went wrong, and it is this bot's fault; it was logged."


@dataclass(frozen=True, slots=True)
class Context:
    """What a handler is called with: the message, and the chat that it came from."""

    message: Message
    chat: ChatLike

    def reply(self, text: str, *, action: bool = False) -> Receipt:
        """Answer where it was said, and wait until that is stored."""
        to, seq = self.message.conversation, self.message.seq
        return self.chat.send(to, text, action=action, reply_to=seq)


CommandHandler: TypeAlias = Callable[..., str | None]
MessageHandler: TypeAlias = Callable[[Context], str | None]
StartHandler: TypeAlias = Callable[[ChatLike], None]
ConnectHandler: TypeAlias = Callable[[ChatLike, bool], None]


class Command(NamedTuple):
    """One command: what handles it, and what it takes."""

    name: str
    handler: CommandHandler
    parameters: tuple[Parameter, ...]
    summary: str


@dataclass(slots=True)
class Handlers:
    """All that a bot was taught."""

    prefix: str
    ignore_bots: bool
    commands: dict[str, Command] = field(default_factory=dict)
    on_message: list[MessageHandler] = field(default_factory=list)
    on_start: list[StartHandler] = field(default_factory=list)
    on_connect: list[ConnectHandler] = field(default_factory=list)


class Dispatcher:
    """Calls the handlers of one bot in one chat; `strict`: what they raise is not held back."""

    def __init__(self, handlers: Handlers, chat: ChatLike, *, strict: bool = False) -> None:
        self._handlers = handlers
        self._chat = chat
        self._strict = strict

    def start(self) -> None:
        """The bot has come up."""
        for handler in self._handlers.on_start:
            self._try(handler, self._chat)

    def connect(self, resumed: bool) -> None:
        """The server let us in, for the first time or again."""
        for handler in self._handlers.on_connect:
            self._try(handler, self._chat, resumed)

    def hear(self, message: Message) -> None:
        """Somebody said something."""
        if message.own or (message.by_bot and self._handlers.ignore_bots):
            return
        context = Context(message, self._chat)
        command, rest = self._command_in(message)
        if command is None:
            for handler in self._handlers.on_message:
                self._try(_answering, handler, context)
            return
        called = self._handlers.prefix + command.name
        try:
            args, keys = parse(command.parameters, rest, called)
        except BadArguments as problem:
            self._try(context.reply, str(problem))
            return
        if not self._try(_answering, command.handler, context, *args, **keys):
            self._try(context.reply, FAILED)

    def _command_in(self, message: Message) -> tuple[Command | None, str]:
        """The command that a message gives, and what follows it; alone with us it needs no sign."""
        text, prefix = message.text.lstrip(), self._handlers.prefix
        if message.action or not (text.startswith(prefix) or message.is_direct):
            return None, ""
        word, _, rest = _WORD.split(text.removeprefix(prefix), maxsplit=1)
        return self._handlers.commands.get(word.lower()), rest

    def _try(self, handler: Callable[..., object], *args: Any, **keys: Any) -> bool:
        """Call it; False if it failed for a reason that is not the network's or the server's."""
        try:
            handler(*args, **keys)
        except SecureChatError as error:
            log.warning("not done: %s", error)
        except Exception:
            if self._strict:
                raise
            log.exception("a handler failed")
            return False
        return True


def _answering(handler: CommandHandler, context: Context, *args: object, **keys: object) -> None:
    """Call a handler; the text that it returns is its reply."""
    answer = handler(context, *args, **keys)
    if answer:
        context.reply(answer)
