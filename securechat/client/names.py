"""Who is who over time: the nicks that were ours, and what direct conversations were called.

Pure; a part of `talk`; times are seconds of one clock. An echo may bear a nick that we gave up, and
a message that was under way while somebody took another nick still bears the old one.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from ..chat.nicks import parse_nick
from ..errors import Rejected

FORMER_NICK: Final = 86_400.0
"""Seconds that a nick stays ours after we gave it up (docs/protocol.md, "Who is who")."""


class Names:
    """`nick` is ours; `all_ours` every nick that an echo of ours may bear."""

    def __init__(self, nick: str, earlier: Iterable[str] = ()) -> None:
        self.nick = nick
        self.all_ours = {nick, *earlier}
        self._former: dict[str, float] = {}  # nicks given up, until when they are ours
        self._called: dict[str, tuple[str, float]] = {}  # `@old`: what it is now, until when

    def become(self, now: float, nick: str) -> None:
        """From now on we go by `nick`."""
        if nick != self.nick:
            self._former[self.nick] = now + FORMER_NICK
            self.nick = nick
        self.all_ours.add(nick)

    def expect(self, nick: str) -> str | None:
        """We ask for `nick`, and may never hear that we have it; as it will be written, if it can.

        What we say from now on may be stored under it.
        """
        with suppress(Rejected):
            name = parse_nick(nick).text
            self.all_ours.add(name)
            return name
        return None

    def is_mine(self, sender: str, now: float) -> bool:
        """Whether we say what `sender` says."""
        return sender == self.nick or self._former.get(sender, now) > now

    def rename(self, now: float, old: str, new: str) -> None:
        """Direct conversation `old` is called `new` now."""
        called = {key: (new if it == old else it, till) for key, (it, till) in self._called.items()}
        called[old] = new, now + FORMER_NICK
        called.pop(new, None)
        self._called = called

    def now_called(self, conversation: str, now: float) -> str:
        """What a direct conversation that bears an old name is called."""
        if not self._called or conversation[0] != "@":
            return conversation
        name, till = self._called.get(conversation, (conversation, 0.0))
        return name if till > now else conversation

    def lose_link(self) -> None:
        """Over the next link all bear their new names."""
        self._called.clear()
