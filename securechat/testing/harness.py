"""A bot without a server: say something to it, and see what it would say.

    harness = Harness(bot)
    assert harness.hear("!roll 1") == ["1"]

Handlers are called in the same thread, in order; what they raise is logged as it would be in a
chat, unless `strict` (the default) raises it here, where a test can see it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from ..errors import Rejected
from ..protocol.envelopes import MAX_TEXT
from ..sdk.bot import Bot
from ..sdk.dispatch import Dispatcher
from ..sdk.values import BOT_MARK, Member, Message, Page, Receipt

_BEGAN: Final = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Said:
    """What a bot said."""

    to: str
    text: str
    action: bool = False
    reply_to: int | None = None


class Harness:
    """One bot in a chat that is made of what the test says; it has come up and is connected.

    `said`: all that the bot has said, in order. Each message is a second after the one before.
    """

    def __init__(self, bot: Bot, *, strict: bool = True) -> None:
        self.said: list[Said] = []
        self._room = bot.rooms[0] if bot.rooms else "#lobby"
        self._chat = _OfflineChat(bot.nick, self.said)
        self._dispatcher = Dispatcher(bot.handlers, self._chat, strict=strict)
        self._dispatcher.start()
        self._dispatcher.connect(False)

    def hear(
        self,
        text: str,
        *,
        sender: str = "ann",
        to: str | None = None,
        action: bool = False,
        by_bot: bool = False,
        missed: bool = False,
    ) -> list[str]:
        """Have `sender` say `text` in the bot's first room, or in `to` (`@` and the bot's nick:
        to it alone); the texts that the bot answers with."""
        conversation = f"@{sender}" if to is not None and to.startswith("@") else to or self._room
        before = len(self.said)
        message = self._chat.store(
            conversation, sender, text, action=action, by_bot=by_bot, missed=missed
        )
        self._dispatcher.hear(message)
        return [one.text for one in self.said[before:]]

    def reconnect(self, *, resumed: bool = True) -> None:
        """Have the link break and come back."""
        self._dispatcher.connect(resumed)

    @contextmanager
    def refusing(self, code: str, message: str = "No.") -> Iterator[None]:
        """Have the server refuse what the bot says."""
        self._chat.refusal = Rejected(code, message)
        try:
            yield
        finally:
            self._chat.refusal = None


class _OfflineChat:
    """A `ChatLike` that remembers."""

    def __init__(self, nick: str, said: list[Said]) -> None:
        self.nick = nick
        self.refusal: Rejected | None = None
        self._said = said
        self._messages: dict[str, list[Message]] = {}

    def store(
        self,
        conversation: str,
        sender: str,
        text: str,
        *,
        action: bool,
        by_bot: bool,
        missed: bool = False,
        reply_to: int | None = None,
    ) -> Message:
        """Number a message and keep it."""
        messages = self._messages.setdefault(conversation, [])
        number = sum(map(len, self._messages.values()))
        message = Message(
            conversation=conversation,
            sender=sender,
            text=text,
            seq=len(messages) + 1,
            time=_BEGAN + timedelta(seconds=number),
            id=f"{BOT_MARK if by_bot else ''}offline-{number}",
            action=action,
            reply_to=reply_to,
            own=sender == self.nick,
            missed=missed,
        )
        messages.append(message)
        return message

    def send(
        self, to: str, text: str, *, action: bool = False, reply_to: int | None = None
    ) -> Receipt:
        if self.refusal is not None:
            raise self.refusal
        if not text.strip():
            raise Rejected("bad_text", "A text is more than white space.")
        if len(text) > MAX_TEXT:
            raise Rejected("text_too_long", f"A text has at most {MAX_TEXT} characters.")
        self._said.append(Said(to, text, action, reply_to))
        stored = self.store(to, self.nick, text, action=action, by_bot=True, reply_to=reply_to)
        return Receipt(to, stored.seq, stored.id)

    def who(self, room: str | None = None) -> tuple[Member, ...]:
        rooms = self._messages if room is None else {room: self._messages.get(room, [])}
        nicks = {self.nick: None} | {one.sender: None for all in rooms.values() for one in all}
        return tuple(Member(nick, "guest", False) for nick in nicks)

    def history(self, conversation: str, *, limit: int = 50) -> Page:
        messages = self._messages.get(conversation, [])
        return Page(tuple(messages[-limit:]), len(messages) > limit)
