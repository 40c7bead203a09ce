"""The table of slash commands: how each is typed, what it is good for, and the action it makes.

Pure. A row's `make` gets what stands behind the name, stripped, and the conversation it was typed
in. It raises `WrongArguments`, or `BadInput` where the usage would not help.
"""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Callable
from types import MappingProxyType
from typing import Final

from ..protocol.envelopes import MAX_AWAY, MAX_HISTORY, MAX_QUERY, MAX_REASON, MAX_TOPIC
from . import moderating
from .actions import (
    Action,
    Around,
    Clear,
    Confirm,
    Enter,
    Explain,
    Leave,
    Question,
    Quit,
    Reconnect,
    Reply,
    Row,
    Say,
    Search,
    Secretly,
    SetBell,
    ask,
)
from .arguments import BadInput, WrongArguments, nick_of, room_name
from .bell import BellLevel
from .harmless import harmless_line

DEFAULT_PAGE: Final = 20


def find(word: str) -> Row:
    """The command of that name, in any case; raises BadInput that names the nearest."""
    row = _BY_NAME.get(word.lower())
    if row is not None:
        return row
    near = difflib.get_close_matches(word.lower(), _BY_NAME, 1)
    hint = f"Did you mean /{_BY_NAME[near[0]].name}?" if near else "/help lists them."
    shown = harmless_line(textwrap.shorten(word, 32, placeholder="…") or "…")
    raise BadInput(
        f"There is no command /{shown}; nothing was sent. {hint} To say it, begin with //."
    )


# ------------------------------------------------------------------ handlers


def here_of(here: str | None) -> str:
    """The conversation that one is in; raises BadInput when there is none."""
    if here is None:
        raise BadInput("You are in no room. Enter one: /join lobby")
    return here


def _one(rest: str) -> str:
    if not rest or len(rest.split()) != 1:
        raise WrongArguments
    return rest


def _none(rest: str) -> None:
    if rest:
        raise WrongArguments("It takes nothing behind it.")


def _bare(name: str) -> Callable[[str, str | None], Action]:
    def make(rest: str, _here: str | None) -> Action:
        _none(rest)
        return ask(name)

    return make


def _reconnect(rest: str, _here: str | None) -> Action:
    _none(rest)
    return Reconnect()


def _help(rest: str, _here: str | None) -> Action:
    return Explain(find(_one(rest).lstrip("/")) if rest else None)


def _who(rest: str, here: str | None) -> Action:
    if not rest:
        return ask("who", room=here) if here and here.startswith("#") else ask("who")
    word = _one(rest)
    return ask("who") if word in ("*", "all") else ask("who", room=room_name(word))


def _nick(rest: str, _here: str | None) -> Action:
    return ask("nick", nick=nick_of(_one(rest)))


def _join(rest: str, _here: str | None) -> Action:
    return Enter(room_name(_one(rest)))


def _query(rest: str, _here: str | None) -> Action:
    return Enter(f"@{nick_of(_one(rest))}")


def _leave(rest: str, here: str | None) -> Action:
    if not rest:
        return Leave(here_of(here))
    word = _one(rest)
    return Leave(f"@{nick_of(word)}" if word.startswith("@") else room_name(word))


def _topic(rest: str, here: str | None) -> Action:
    if here is None or not here.startswith("#"):
        raise BadInput("Only a room has a topic. Enter one: /join lobby")
    if len(rest) > MAX_TOPIC:
        raise WrongArguments(f"A topic has at most {MAX_TOPIC} characters.")
    if not rest:
        return ask("topic", room=here)
    return ask("topic", room=here, text="" if rest == "-" else rest)


def _msg(rest: str, _here: str | None) -> Action:
    nick, _, text = rest.partition(" ")
    if not text.strip():
        raise WrongArguments
    return Say(f"@{nick_of(nick)}", text.strip())


def _me(rest: str, here: str | None) -> Action:
    if not rest:
        raise WrongArguments
    return Say(here_of(here), rest, action=True)


def _history(rest: str, here: str | None) -> Action:
    word = _one(rest) if rest else str(DEFAULT_PAGE)
    if not (word.isascii() and word.isdigit() and 1 <= int(word[:9]) <= MAX_HISTORY):
        raise WrongArguments(f"How many messages, from 1 to {MAX_HISTORY}?")
    return ask("history", to=here_of(here), limit=int(word))


def _search(rest: str, _here: str | None) -> Action:
    if not rest:
        raise WrongArguments("What are you looking for?")
    if len(rest) > MAX_QUERY:
        raise WrongArguments(f"A search has at most {MAX_QUERY} characters.")
    return Search(rest)


def _more(rest: str, _here: str | None) -> Action:
    _none(rest)
    return Search(None)


def _context(rest: str, here: str | None) -> Action:
    *where, number = rest.split() or [""]
    number = number.strip("[]")
    if len(where) > 1 or not (number.isascii() and number.isdigit() and int(number[:16]) >= 1):
        raise WrongArguments("Which message? Its number stands in brackets in what was found.")
    word = where[0] if where else here_of(here)
    name = f"@{nick_of(word)}" if word.startswith("@") else room_name(word)
    return Around(name, int(number[:16]))


def _away(rest: str, _here: str | None) -> Action:
    if len(rest) > MAX_AWAY:
        raise WrongArguments(f"At most {MAX_AWAY} characters say why you are away.")
    return ask("away", text=rest or "away")


def _back(rest: str, _here: str | None) -> Action:
    _none(rest)
    return ask("away")


def _whois(rest: str, _here: str | None) -> Action:
    return ask("whois", nick=nick_of(_one(rest)))


def _quit(rest: str, _here: str | None) -> Action:
    if len(rest) > MAX_REASON:
        raise WrongArguments(f"A reason has at most {MAX_REASON} characters.")
    return Quit(rest or None)


_NEW: Final = (
    Question("password", "New password", is_new=True),
    Question("", "The same once more"),
)
_NOT_HERE: Final = "The password is asked for by itself; what you typed was not sent."


def _secretly(name: str, *questions: Question, **keys: object) -> Secretly:
    return Secretly(name, MappingProxyType(keys), questions)


def _register(rest: str, _here: str | None) -> Action:
    if rest:
        raise WrongArguments(_NOT_HERE)
    return _secretly("register", *_NEW)


def _login(rest: str, _here: str | None) -> Action:
    if len(rest.split()) > 1:
        raise WrongArguments(_NOT_HERE)
    return _secretly("login", Question("password", "Password"), nick=nick_of(_one(rest)))


def _passwd(rest: str, _here: str | None) -> Action:
    if rest:
        raise WrongArguments(_NOT_HERE)
    old = Question("old", "Present password (Enter: there is none)", optional=True)
    return _secretly("passwd", old, *_NEW)


def _logout(rest: str, _here: str | None) -> Action:
    if not rest:
        return ask("logout")
    word = _one(rest)
    return ask("logout", elsewhere=True) if word == "elsewhere" else ask("logout", session=word)


def _confirm(send: bool) -> Callable[[str, str | None], Action]:
    def make(rest: str, _here: str | None) -> Action:
        _none(rest)
        return Confirm(send)

    return make


def _reply(rest: str, _here: str | None) -> Action:
    if not rest:
        raise WrongArguments
    return Reply(rest)


def _bell(rest: str, _here: str | None) -> Action:
    levels = {level.value: level for level in BellLevel}
    if rest and rest.lower() not in levels:
        raise WrongArguments
    return SetBell(levels[rest.lower()] if rest else None)


def _clear(rest: str, _here: str | None) -> Action:
    _none(rest)
    return Clear()


ROWS: Final = (
    Row("help", "/help [COMMAND]", "list the commands, or explain one", "/help msg", _help),
    Row("time", "/time", "tell the server's time", "/time", _bare("time")),
    Row("joke", "/joke", "hear a joke", "/joke", _bare("joke")),
    Row(
        "who",
        "/who [ROOM]",
        "who is here, in a room, or (/who all) online",
        "/who garden",
        _who,
        ("names",),
    ),
    Row("nick", "/nick NEW", "go by another nick", "/nick robert", _nick),
    Row(
        "join",
        "/join ROOM",
        "enter a room, make it, or go on in it",
        "/join garden",
        _join,
        ("j", "room"),
    ),
    Row(
        "leave", "/leave [ROOM]", "leave this room, or another", "/leave garden", _leave, ("part",)
    ),
    Row("rooms", "/rooms", "list the rooms", "/rooms", _bare("rooms"), ("list",)),
    Row(
        "topic",
        "/topic [TEXT]",
        "read what the room is about, or set it (-: none)",
        "/topic roses and weeds",
        _topic,
    ),
    Row("msg", "/msg NICK TEXT", "say something to one person", "/msg carol psst", _msg, ("w",)),
    Row("query", "/query NICK", "talk with one person from now on", "/query carol", _query),
    Row("reply", "/reply TEXT", "answer who wrote to you alone last", "/reply coming", _reply),
    Row("me", "/me TEXT", "say what you do", "/me waters the roses", _me),
    Row(
        "conversations",
        "/conversations",
        "list whom you talk with directly",
        "/conversations",
        _bare("conversations"),
    ),
    Row("history", "/history [N]", "show the last messages again", "/history 50", _history),
    Row(
        "search",
        "/search WORDS",
        "find what was said; also from: in: before: after:",
        '/search "green tea" from:carol after:7d',
        _search,
        ("find", "grep"),
    ),
    Row("more", "/more", "older ones of what was found last", "/more", _more),
    Row(
        "context",
        "/context [ROOM] NUMBER",
        "what was said around a message that was found",
        "/context garden 123",
        _context,
    ),
    Row("away", "/away [TEXT]", "say that you are away, and why", "/away lunch", _away),
    Row("back", "/back", "say that you are back", "/back", _back),
    Row("whois", "/whois NICK", "who somebody is, and whether they are here", "/whois bob", _whois),
    Row("resend", "/resend", "send what the server may not have got", "/resend", _confirm(True)),
    Row("discard", "/discard", "drop it instead", "/discard", _confirm(False)),
    Row("register", "/register", "make an account of your nick", "/register", _register),
    Row("login", "/login NICK", "be that account", "/login carol", _login),
    Row("passwd", "/passwd", "set another password", "/passwd", _passwd),
    Row("sessions", "/sessions", "list where you are logged in", "/sessions", _bare("sessions")),
    Row(
        "logout",
        "/logout [elsewhere|ID]",
        "end this session, all others, or one of them",
        "/logout elsewhere",
        _logout,
    ),
    *moderating.ROWS,
    Row(
        "reconnect", "/reconnect", "try again now, when the link is lost", "/reconnect", _reconnect
    ),
    Row("bell", "/bell [WHAT]", "what rings: off, mentions, private, all", "/bell all", _bell),
    Row("clear", "/clear", "begin with an empty screen; scroll up for the rest", "/clear", _clear),
    Row("quit", "/quit [REASON]", "leave", "/quit good night", _quit, ("exit", "q")),
)

_BY_NAME: Final[MappingProxyType[str, Row]] = MappingProxyType(
    {name: row for row in ROWS for name in (row.name, *row.aliases)}
)

#: Commands whose first argument is one of these; for completion.
TAKES_ROOM: Final = frozenset({"join", "leave", "who", "context"})
TAKES_NICK: Final = frozenset({"msg", "query", "whois"}) | moderating.TAKES_NICK
#: Commands whose argument is one of a few words.
TAKES_WORD: Final = MappingProxyType({"bell": tuple(level.value for level in BellLevel)})
