"""What a person types, made into what to do: the table of slash commands.

`parse` takes one typed line and the conversation it was typed in, and returns an action; it does
nothing itself. What is not right is raised as `BadInput`, one sentence with the cure, and never
sent. A line that does not begin with a slash is said; `//` at its beginning says a slash. Text of
several lines is always said: what was pasted is never carried out.
"""

from __future__ import annotations

import difflib
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

from ..errors import SecureChatError
from ..protocol.envelopes import MAX_AWAY, MAX_HISTORY, MAX_QUERY, MAX_TOPIC
from . import moderating
from .bell import BellLevel
from .harmless import harmless_line
from .moderating import Act, Ignore, Remove, WrongArguments

MAX_NICK: Final = 32
MAX_REASON: Final = 200
DEFAULT_PAGE: Final = 20

_ROOM: Final = re.compile(r"[a-z0-9_\-]{1,32}")


class BadInput(SecureChatError):
    """What was typed cannot be done; the message says why and what to type instead."""


# ------------------------------------------------------------------ actions


@dataclass(frozen=True, slots=True)
class Say:
    """Send `text` to a conversation."""

    to: str
    text: str
    action: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """Give the server the command `name`; its answer is shown."""

    name: str
    keys: MappingProxyType[str, object] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Enter:
    """Show conversation `name`, joining it first if it is a room that we are not in."""

    name: str


@dataclass(frozen=True, slots=True)
class Leave:
    """Leave a room, or put a direct conversation aside."""

    name: str


@dataclass(frozen=True, slots=True)
class Explain:
    """Show help: of all commands, or of one."""

    row: Row | None


@dataclass(frozen=True, slots=True)
class Confirm:
    """Decide about drafts that the server may have stored in its former history."""

    send: bool


@dataclass(frozen=True, slots=True)
class Quit:
    """Leave for good."""

    reason: str | None


class Question(NamedTuple):
    """A secret that is to be typed where nobody sees it; "" as `key`: the one before, once more."""

    key: str
    text: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Secretly:
    """Give the server the command `name` with secrets that are not part of the line."""

    name: str
    keys: MappingProxyType[str, object]
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """Send `text` to whoever said something to us alone last."""

    text: str


@dataclass(frozen=True, slots=True)
class SetBell:
    """Ring for this from now on; None: tell what rings."""

    level: BellLevel | None


@dataclass(frozen=True, slots=True)
class Clear:
    """Begin with an empty screen; nothing is lost by it."""


@dataclass(frozen=True, slots=True)
class Search:
    """Look for messages; without a `query`: for older ones than were found last."""

    query: str | None


@dataclass(frozen=True, slots=True)
class Around:
    """Show what was said around message `seq` of conversation `name`."""

    name: str
    seq: int


Action: TypeAlias = (
    Say
    | Ask
    | Enter
    | Leave
    | Explain
    | Confirm
    | Secretly
    | Quit
    | Search
    | Around
    | Act
    | Remove
    | Ignore
    | Reply
    | SetBell
    | Clear
)


class Row(NamedTuple):
    """One slash command. `make` gets what stands behind the name, stripped, and where we are."""

    name: str
    usage: str
    summary: str
    example: str
    make: Callable[[str, str | None], Action]
    aliases: tuple[str, ...] = ()


def parse(line: str, here: str | None) -> Action | None:
    """The action that `line`, typed in conversation `here`, asks for; None for an empty one.

    Raises BadInput.
    """
    text = line.rstrip()
    if not text:
        return None
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise BadInput("Not sent: it holds bytes that are no UTF-8. Set your locale to UTF-8.")
    if "\n" in text:
        return Say(_here(here), text)
    if not text.startswith("/"):
        if text.lstrip().startswith("/"):
            raise BadInput(
                "Not sent: it begins with a space and a slash. Remove the space to give the"
                " command, or begin with // to say it."
            )
        return Say(_here(here), text)
    if text.startswith("//"):
        return Say(_here(here), text[1:])
    word, _, rest = text[1:].partition(" ")
    row = find(word)
    try:
        return row.make(rest.strip(), here)
    except (_WrongArguments, WrongArguments) as problem:
        why = f"{problem} " if str(problem) else ""
        raise BadInput(f"{why}Usage: {row.usage}, for example: {row.example}") from None


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


def room_name(word: str) -> str:
    """The room that a person means, with or without its #; raises BadInput."""
    name = word.removeprefix("#").lower()
    if not _ROOM.fullmatch(name):
        raise BadInput("That is no room name: 1 to 32 of a-z, 0-9, _ and -, for example #garden.")
    return f"#{name}"


# ------------------------------------------------------------------ handlers


class _WrongArguments(Exception):
    """The arguments do not fit; the row knows what to say."""


def _here(here: str | None) -> str:
    if here is None:
        raise BadInput("You are in no room. Enter one: /join lobby")
    return here


def _one(rest: str) -> str:
    if not rest or len(rest.split()) != 1:
        raise _WrongArguments
    return rest


def _none(rest: str) -> None:
    if rest:
        raise _WrongArguments("It takes nothing behind it.")


def _nick_word(word: str) -> str:
    nick = word.removeprefix("@")
    if not 1 <= len(nick) <= MAX_NICK:
        raise _WrongArguments(f"A nick has 1 to {MAX_NICK} characters.")
    return nick


def _ask(name: str, **keys: object) -> Ask:
    return Ask(name, MappingProxyType(keys))


def _bare(name: str) -> Callable[[str, str | None], Action]:
    def make(rest: str, _here: str | None) -> Action:
        _none(rest)
        return _ask(name)

    return make


def _help(rest: str, _here: str | None) -> Action:
    return Explain(find(_one(rest).lstrip("/")) if rest else None)


def _who(rest: str, here: str | None) -> Action:
    if not rest:
        return _ask("who", room=here) if here and here.startswith("#") else _ask("who")
    word = _one(rest)
    return _ask("who") if word in ("*", "all") else _ask("who", room=room_name(word))


def _nick(rest: str, _here: str | None) -> Action:
    return _ask("nick", nick=_nick_word(_one(rest)))


def _join(rest: str, _here: str | None) -> Action:
    return Enter(room_name(_one(rest)))


def _query(rest: str, _here: str | None) -> Action:
    return Enter(f"@{_nick_word(_one(rest))}")


def _leave(rest: str, here: str | None) -> Action:
    if not rest:
        return Leave(_here(here))
    word = _one(rest)
    return Leave(f"@{_nick_word(word)}" if word.startswith("@") else room_name(word))


def _topic(rest: str, here: str | None) -> Action:
    if here is None or not here.startswith("#"):
        raise BadInput("Only a room has a topic. Enter one: /join lobby")
    if len(rest) > MAX_TOPIC:
        raise _WrongArguments(f"A topic has at most {MAX_TOPIC} characters.")
    if not rest:
        return _ask("topic", room=here)
    return _ask("topic", room=here, text="" if rest == "-" else rest)


def _msg(rest: str, _here: str | None) -> Action:
    nick, _, text = rest.partition(" ")
    if not text.strip():
        raise _WrongArguments
    return Say(f"@{_nick_word(nick)}", text.strip())


def _me(rest: str, here: str | None) -> Action:
    if not rest:
        raise _WrongArguments
    return Say(_here(here), rest, action=True)


def _history(rest: str, here: str | None) -> Action:
    word = _one(rest) if rest else str(DEFAULT_PAGE)
    if not (word.isascii() and word.isdigit() and 1 <= int(word[:9]) <= MAX_HISTORY):
        raise _WrongArguments(f"How many messages, from 1 to {MAX_HISTORY}?")
    return _ask("history", to=_here(here), limit=int(word))


def _search(rest: str, _here: str | None) -> Action:
    if not rest:
        raise _WrongArguments("What are you looking for?")
    if len(rest) > MAX_QUERY:
        raise _WrongArguments(f"A search has at most {MAX_QUERY} characters.")
    return Search(rest)


def _more(rest: str, _here: str | None) -> Action:
    _none(rest)
    return Search(None)


def _context(rest: str, here: str | None) -> Action:
    *where, number = rest.split() or [""]
    number = number.strip("[]")
    if len(where) > 1 or not (number.isascii() and number.isdigit() and int(number[:16]) >= 1):
        raise _WrongArguments("Which message? Its number stands in brackets in what was found.")
    word = where[0] if where else _here(here)
    name = f"@{_nick_word(word)}" if word.startswith("@") else room_name(word)
    return Around(name, int(number[:16]))


def _away(rest: str, _here: str | None) -> Action:
    if len(rest) > MAX_AWAY:
        raise _WrongArguments(f"At most {MAX_AWAY} characters say why you are away.")
    return _ask("away", text=rest or "away")


def _back(rest: str, _here: str | None) -> Action:
    _none(rest)
    return _ask("away")


def _whois(rest: str, _here: str | None) -> Action:
    return _ask("whois", nick=_nick_word(_one(rest)))


def _quit(rest: str, _here: str | None) -> Action:
    if len(rest) > MAX_REASON:
        raise _WrongArguments(f"A reason has at most {MAX_REASON} characters.")
    return Quit(rest or None)


_NEW: Final = (Question("password", "New password"), Question("", "The same once more"))
_NOT_HERE: Final = "The password is asked for by itself; what you typed was not sent."


def _secretly(name: str, *questions: Question, **keys: object) -> Secretly:
    return Secretly(name, MappingProxyType(keys), questions)


def _register(rest: str, _here: str | None) -> Action:
    if rest:
        raise _WrongArguments(_NOT_HERE)
    return _secretly("register", *_NEW)


def _login(rest: str, _here: str | None) -> Action:
    if len(rest.split()) > 1:
        raise _WrongArguments(_NOT_HERE)
    return _secretly("login", Question("password", "Password"), nick=_nick_word(_one(rest)))


def _passwd(rest: str, _here: str | None) -> Action:
    if rest:
        raise _WrongArguments(_NOT_HERE)
    old = Question("old", "Present password (Enter: there is none)", optional=True)
    return _secretly("passwd", old, *_NEW)


def _logout(rest: str, _here: str | None) -> Action:
    if not rest:
        return _ask("logout")
    word = _one(rest)
    return _ask("logout", elsewhere=True) if word == "elsewhere" else _ask("logout", session=word)


def has_secret(line: str) -> bool:
    """Whether somebody typed a password where it does not belong: such a line is not remembered."""
    word, _, rest = line.strip().partition(" ")
    allowed = {"/register": 0, "/login": 1, "/passwd": 0}.get(word.lower())
    return allowed is not None and len(rest.split()) > allowed


def _confirm(send: bool) -> Callable[[str, str | None], Action]:
    def make(rest: str, _here: str | None) -> Action:
        _none(rest)
        return Confirm(send)

    return make


def _reply(rest: str, _here: str | None) -> Action:
    if not rest:
        raise _WrongArguments
    return Reply(rest)


def _bell(rest: str, _here: str | None) -> Action:
    levels = {level.value: level for level in BellLevel}
    if rest and rest.lower() not in levels:
        raise _WrongArguments
    return SetBell(levels[rest.lower()] if rest else None)


def _clear(rest: str, _here: str | None) -> Action:
    _none(rest)
    return Clear()


#: The width of what is typed, in the help of all commands.
_USAGE: Final = 22

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
    *(Row(*spec) for spec in moderating.SPECS),
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


def overview() -> list[str]:
    """The help of all commands, as lines of text; what is long stands in a line of its own."""
    told = [(row.usage, row.summary) for row in ROWS]
    lines = []
    for usage, summary in (*told, ("//TEXT", "say a text that begins with a slash")):
        if len(usage) > _USAGE:
            lines.append(usage)
            usage = ""
        lines.append(f"{usage:<{_USAGE}}  {summary}")
    return lines


def explanation(row: Row) -> list[str]:
    """The help of one command, as lines of text."""
    also = f" (also {', '.join('/' + alias for alias in row.aliases)})" if row.aliases else ""
    return [f"{row.usage}: {row.summary}{also}", f"for example: {row.example}"]
