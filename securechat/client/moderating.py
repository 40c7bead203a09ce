"""Slash commands of those who keep order, and of those who would rather not hear somebody.

Pure. Each row makes an action of what stands behind its name: `Ask` asks the server, the others are
done by the controller. What does not fit is raised as `WrongArguments`, with a sentence or none, or
as `BadInput`.

Where an act is to hold is the room that one is in, another one that is named (`#garden`), or the
whole server (`server`); for how long is a time (`typed_duration`), or left out: for good, until it
is undone. What begins as a time and is none is refused: taken for a reason, a slip of the finger
(`10x`) would hold for good.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network
from types import MappingProxyType
from typing import Final

from ..protocol.envelopes import MAX_DURATION, MAX_INTEGER, MAX_REASON
from .actions import Action, Ignore, Remove, Row, ask
from .arguments import WrongArguments, nick_of, room_name
from .harmless import harmless_line
from .typed_duration import EXAMPLES, begins_as_duration, parse_duration

#: Letters of a word that is told back.
_SHOWN: Final = 20
_SETTINGS: Final = MappingProxyType(
    {"private": "private", "read-only": "read_only", "topic-locked": "topic_locked"}
)


# ------------------------------------------------------------------ what was typed


class _Words:
    """What stands behind the name, taken word by word."""

    def __init__(self, rest: str, here: str | None) -> None:
        self._rest = rest
        self._here = here

    def nick(self) -> str:
        """A nick; it must be there."""
        return nick_of(self._take())

    def place(self) -> dict[str, object]:
        """The room that is named, or the one that we are in; nothing for the whole server."""
        word = self._peek()
        if word == "server":
            self._take()
            return {}
        if word.startswith("#"):
            return {"room": room_name(self._take())}
        if self._here is None or self._here[0] != "#":
            raise WrongArguments("In which room? Name it, or say `server` for everywhere.")
        return {"room": self._here}

    def room(self) -> str:
        """The same where it must be a room."""
        place = self.place()
        if not place:
            raise WrongArguments("That is for a room.")
        return str(place["room"])

    def duration(self) -> dict[str, object]:
        """For how long, if that is said."""
        if not begins_as_duration(self._rest):
            return {}
        found = parse_duration(self._rest)
        if found is None:
            raise WrongArguments(
                f"{harmless_line(self._peek()[:_SHOWN])} is no time. A time is {EXAMPLES}; without "
                "one it is for good, and a reason alone begins with no digit."
            )
        if found.seconds > MAX_DURATION:
            raise WrongArguments("At most ten years. Leave the time out, and it is for good.")
        self._rest = found.rest
        return {"duration": found.seconds}

    def reason(self) -> dict[str, object]:
        """All that is left."""
        if len(self._rest) > MAX_REASON:
            raise WrongArguments(f"A reason has at most {MAX_REASON} characters.")
        return {"reason": self._rest} if self._rest else {}

    def end(self) -> None:
        """Nothing may be left."""
        if self._rest:
            raise WrongArguments

    def left(self) -> bool:
        """Whether something is left."""
        return bool(self._rest)

    def word(self) -> str:
        """A word; it must be there."""
        return self._take()

    def _peek(self) -> str:
        return self._rest.split(maxsplit=1)[0] if self._rest else ""

    def _take(self) -> str:
        if not self._rest:
            raise WrongArguments
        word, _, rest = self._rest.partition(" ")
        self._rest = rest.strip()
        return word


def _subject(word: str) -> dict[str, object]:
    """Who is to be kept out: an address or network, an account, or else a nick."""
    if word.startswith("account:"):
        return {"account": nick_of(word.removeprefix("account:"))}
    try:
        ip_network(word, strict=False)
    except ValueError:
        return {"nick": nick_of(word)}
    return {"address": word}


# ------------------------------------------------------------------ the commands


def _kick(rest: str, here: str | None) -> Action:
    words = _Words(rest, here)
    return ask("kick", nick=words.nick(), **words.place(), **words.reason())


def _mute(rest: str, here: str | None) -> Action:
    words = _Words(rest, here)
    nick = words.nick()
    return ask("mute", nick=nick, **words.place(), **words.duration(), **words.reason())


def _unmute(rest: str, here: str | None) -> Action:
    words = _Words(rest, here)
    return ask("unmute", nick=words.nick(), **words.place(), **words.reason())


def _ban(rest: str, here: str | None) -> Action:
    words = _Words(rest, here)
    subject = _subject(words.word())
    place = {} if "address" in subject else words.place()
    return ask("ban", **subject, **place, **words.duration(), **words.reason())


def _unban(rest: str, here: str | None) -> Action:
    words = _Words(rest, here)
    subject = _subject(words.word())
    place = {} if "address" in subject else words.place()
    return ask("unban", **subject, **place, **words.reason())


def _bans(rest: str, here: str | None) -> Action:
    words = _Words(rest, here)
    place = words.place()
    words.end()
    return ask("bans", **place)


def _rules(rest: str, here: str | None) -> Action:
    words = _Words(rest, here)
    keys: dict[str, object] = {"room": words.room()}
    while words.left():
        word = words.word()
        setting = _SETTINGS.get(word.removeprefix("no-"))
        if setting is None:
            raise WrongArguments
        keys[setting] = not word.startswith("no-")
    return ask("room", **keys)


def _for_person(name: str, **more: object) -> Callable[[str, str | None], Action]:
    def make(rest: str, here: str | None) -> Action:
        words = _Words(rest, here)
        nick = words.nick()
        room = words.room()
        words.end()
        return ask(name, nick=nick, room=room, **more)

    return make


def _remove(rest: str, here: str | None) -> Action:
    if here is None:
        raise WrongArguments("In which conversation? Enter it first.")
    words = _Words(rest, here)
    if not words.left():
        return Remove(here, None, None, None)
    word = words.word()
    reason = words.reason().get("reason")
    seq, nick = None, None
    if word.isascii() and word.isdigit():
        seq = int(word[:17])
        if not 1 <= seq <= MAX_INTEGER:
            raise WrongArguments("Messages are numbered from 1.")
    else:
        nick = nick_of(word)
    return Remove(here, seq, nick, None if reason is None else str(reason))


def _ignore(rest: str, here: str | None) -> Action:
    words = _Words(rest, here)
    nick = words.nick() if words.left() else None
    words.end()
    return Ignore(nick)


def _unignore(rest: str, here: str | None) -> Action:
    words = _Words(rest, here)
    nick = words.nick()
    words.end()
    return Ignore(nick, on=False)


ROWS: Final = (
    Row("ignore", "/ignore [NICK]", "hear somebody no more, or tell whom", "/ignore eve", _ignore),
    Row("unignore", "/unignore NICK", "hear somebody again", "/unignore eve", _unignore),
    Row(
        "remove",
        "/remove [NUMBER | NICK] [REASON]",
        "erase a message: yours, or the last one of NICK",
        "/remove eve a password",
        _remove,
    ),
    Row(
        "kick",
        "/kick NICK [ROOM | server] [REASON]",
        "put somebody out",
        "/kick eve enough",
        _kick,
    ),
    Row(
        "mute",
        "/mute NICK [ROOM | server] [TIME] [REASON]",
        "have somebody say nothing; no TIME: for good",
        "/mute eve 10m shouting",
        _mute,
    ),
    Row("unmute", "/unmute NICK [ROOM | server]", "undo /mute", "/unmute eve", _unmute),
    Row(
        "ban",
        "/ban NICK | account:NAME | ADDRESS [ROOM | server] [TIME] [REASON]",
        "keep somebody out; no TIME: for good",
        "/ban 192.0.2.0/24 7d flooding",
        _ban,
    ),
    Row(
        "unban",
        "/unban NICK | account:NAME | ADDRESS [ROOM | server]",
        "undo /ban",
        "/unban eve",
        _unban,
    ),
    Row("bans", "/bans [ROOM | server]", "list bans and mutes", "/bans", _bans),
    Row(
        "rules",
        "/rules [ROOM] [[no-]private] [[no-]read-only] [[no-]topic-locked]",
        "tell how a room is ruled, or change it",
        "/rules private no-read-only",
        _rules,
    ),
    Row(
        "admit",
        "/admit NICK [ROOM]",
        "let somebody into a private room",
        "/admit carol",
        _for_person("admit"),
    ),
    Row(
        "appoint",
        "/appoint NICK [ROOM]",
        "make somebody a moderator",
        "/appoint carol",
        _for_person("appoint"),
    ),
    Row(
        "dismiss",
        "/dismiss NICK [ROOM]",
        "take that back",
        "/dismiss carol",
        _for_person("dismiss"),
    ),
    Row(
        "handover",
        "/handover NICK [ROOM]",
        "give your room to somebody",
        "/handover carol",
        _for_person("appoint", owner=True),
    ),
)

#: Commands whose first argument is a nick; for completion.
TAKES_NICK: Final = frozenset(
    {"ignore", "unignore", "remove", "kick", "mute", "unmute", "ban", "unban"}
    | {"admit", "appoint", "dismiss", "handover"}
)
