"""What Tab offers in a shell: servers, profiles, nicks, rooms and people of this machine. Offline.

`offers` goes by a table (`words`): a key is to be answered at once, and Typer loads pydantic to
look at what was typed. `complete` asks it for bash, which parts words at `:`, `@` and `=`, and gets
them whole here; `shells` does for others. The functions that take the beginning of a word are what
Typer calls, too, for shells that neither knows. Nothing is raised: whoever types would see it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from .words import WORDS

if TYPE_CHECKING:
    from ..client.remembered import Remembered
    from ..settings import Settings

#: Characters at which bash parts words (COMP_WORDBREAKS), and which belong to ours. What is put in
#: the place of a word begins behind the ones, and with the other.
_BEHIND: Final = "@"
_BETWEEN: Final = (":", "=", "::")


def servers(incomplete: str) -> list[str]:
    """Profiles, and servers that are known or set."""
    settings = _settings()
    set_ = [one.server for one in (settings.connect, *settings.profiles.values()) if one.server]
    return _fit([*settings.profiles, *set_, *_remembered().servers], incomplete)


def known_servers(incomplete: str) -> list[str]:
    """Servers whose keys are remembered."""
    return _fit(_remembered().servers, incomplete)


def profiles(incomplete: str) -> list[str]:
    """Names of profiles."""
    return _fit(_settings().profiles, incomplete)


def nicks(incomplete: str) -> list[str]:
    """Nicks that we went by, or have set."""
    settings = _settings()
    set_ = [one.nick for one in (settings.connect, *settings.profiles.values()) if one.nick]
    return _fit([*set_, *_remembered().nicks], incomplete)


def rooms(incomplete: str) -> list[str]:
    """Rooms that we were in, or have set; with their # only where that was typed."""
    settings = _settings()
    set_ = [
        room for one in (settings.connect, *settings.profiles.values()) for room in one.room or ()
    ]
    names = {room.removeprefix("#") for room in ("lobby", *set_, *_remembered().rooms)}
    mark = "#" if incomplete.startswith("#") else ""
    return _fit((mark + name for name in sorted(names)), incomplete)


def addresses(incomplete: str) -> list[str]:
    """Rooms, and people with whom we talked."""
    return [*rooms(incomplete), *_fit(_remembered().people, incomplete)]


def limits(incomplete: str) -> list[str]:
    """Limits of a server that have no option of their own, with the value that they have."""
    from ..config import name_figures

    figures = name_figures().values()
    return _fit((f"{it.name}={it.default:g}" for it in figures if not it.option), incomplete)


def _fit(names: Iterable[str], incomplete: str) -> list[str]:
    return [one for one in dict.fromkeys(names) if one.startswith(incomplete) and one.isprintable()]


def _settings() -> Settings:
    from ..errors import SettingsError
    from ..settings import Settings, chosen_path, load

    try:
        return load()
    except SettingsError:
        return Settings(chosen_path())


def _remembered() -> Remembered:
    from ..client.remembered import default_state_dir, remember

    return remember(default_state_dir())


# ------------------------------------------------------------------ bash


class Words(NamedTuple):
    """The words of a command line, which one is typed, and what bash takes off its beginning."""

    words: tuple[str, ...]
    at: int
    kept: str


def joined(words: Iterable[str], at: int) -> Words:
    """The words as they were typed, from the parts into which bash cuts them."""
    whole: list[str] = []
    where, kept, glue = at, "", False
    for number, part in enumerate(words):
        is_between = part in _BETWEEN and bool(whole)
        if glue or is_between:
            whole[-1] += part
        else:
            whole.append(part)
        if number == at:
            where = len(whole) - 1
            kept = whole[-1] if part in _BETWEEN else whole[-1].removesuffix(part)
            kept = kept.removesuffix(_BEHIND)
        glue = is_between or part == _BEHIND
    return Words(tuple(whole), where, kept)


def complete(environ: Mapping[str, str] = os.environ) -> Iterator[str]:
    """What bash is to offer; nothing: what it offers by itself, files."""
    at = int(environ.get("COMP_CWORD", "0"))
    words = joined(environ.get("COMP_WORDS", "").split("\n"), at)
    typed = words.words[words.at] if words.at < len(words.words) else ""
    quote = typed[:1] if typed[:1] in ("'", '"') else ""
    for one in offers(words.words[1 : words.at], typed.removeprefix(quote)):
        yield one.removeprefix(words.kept.removeprefix(quote))


def offers(before: Sequence[str], typed: str) -> list[str]:
    """What may stand where `typed` begins, behind the words `before`."""
    path, left, may_be_option, takes = "", 0, True, None
    for word in before:
        options, _, commands = WORDS[path]
        if takes is not None:
            takes = None
        elif may_be_option and word == "--":
            may_be_option = False
        elif may_be_option and word.startswith("-"):
            takes = options.get(word)
        elif word in commands:
            path = f"{path} {word}".strip()
        else:
            left += 1
    options, arguments, commands = WORDS[path]
    name, equals, value = typed.partition("=")
    if takes is not None:
        return _offered(takes, typed)
    if may_be_option and equals and name in options:
        return [f"{name}={one}" for one in _offered(options[name] or "files", value)]
    if may_be_option and typed.startswith("-"):
        return _fit(options, typed)
    if commands:
        return _fit(commands, typed)
    if not arguments:
        return []
    return _offered(arguments[min(left, len(arguments) - 1)], typed)


def _offered(source: str, typed: str) -> list[str]:
    """`=a|b`: these; else the name of a function above, or `files`."""
    if source.startswith("="):
        return _fit(source[1:].split("|"), typed)
    find = _SOURCES.get(source)
    return find(typed) if find is not None else []


_SOURCES: Final[Mapping[str, Callable[[str], list[str]]]] = MappingProxyType(
    {
        one.__name__: one
        for one in (servers, known_servers, profiles, nicks, rooms, addresses, limits)
    }
)
