"""What follows a command, converted by the type hints of the function that handles it.

Pure. `parameters_of` reads a function once, when it is registered, and raises `TypeError` for a
hint that no text can become. `parse` turns a line into arguments and raises `BadArguments`, whose
text is the answer to who typed it. Words stand apart by white space, or in double quotes.

    def remind(context, minutes: int, loud: bool = False, *, what: str): ...
    #                   one word      may be left out       the rest of the line
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Sequence
from enum import Enum
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Final, Literal, NamedTuple, TypeAlias, Union, get_args, get_origin
from typing import get_type_hints as type_hints

Convert: TypeAlias = Callable[[str], object]
"""Text to value; raises `ValueError`."""

_WORD: Final = re.compile(r'\s*(?:"(?P<quoted>[^"]*)"|(?P<plain>\S+))')
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_TRUTHS: Final = MappingProxyType(
    {
        **dict.fromkeys(("yes", "on", "true", "1"), True),
        **dict.fromkeys(("no", "off", "false", "0"), False),
    }
)


class BadArguments(ValueError):
    """What was typed does not fit; the text says how it is used."""


class Takes(Enum):
    """How much of the line a parameter takes."""

    WORD = "word"
    WORDS = "all words that are left"
    REST = "the rest of the line as it is"


class Parameter(NamedTuple):
    """One parameter of a command; `what` describes it to a person ("a whole number")."""

    name: str
    what: str
    convert: Convert
    takes: Takes
    required: bool

    @property
    def shown(self) -> str:
        """As a usage line names it."""
        name = self.name + ("" if self.takes is Takes.WORD else "…")
        return name if self.required else f"[{name}]"


def parameters_of(function: Callable[..., object]) -> tuple[Parameter, ...]:
    """What `function` takes behind its first parameter, which is for the context."""
    where = getattr(function, "__qualname__", repr(function))
    try:
        hints = type_hints(function)
    except NameError as error:
        raise TypeError(f"{where}: {error}; its hints must be known where the module is") from error
    _context, *rest = inspect.signature(function).parameters.values() or (None,)
    if _context is None:
        raise TypeError(f"{where} takes nothing; its first parameter is the context")
    return tuple(_parameter(one, hints.get(one.name, str), where) for one in rest)


def _parameter(one: inspect.Parameter, hint: Any, where: str) -> Parameter:
    try:
        what, convert = _conversion(hint)
    except TypeError as error:
        raise TypeError(f"{where}: {one.name}: {error}") from None
    if one.kind is one.VAR_KEYWORD:
        raise TypeError(f"{where}: **{one.name} cannot be typed")
    if one.kind is one.VAR_POSITIONAL:
        return Parameter(one.name, what, convert, Takes.WORDS, False)
    takes = Takes.REST if one.kind is one.KEYWORD_ONLY else Takes.WORD
    return Parameter(one.name, what, convert, takes, one.default is one.empty)


def parse(
    parameters: Sequence[Parameter], text: str, command: str
) -> tuple[list[object], dict[str, object]]:
    """The arguments that `text` gives; `command` is how it was called, for the usage line."""
    args: list[object] = []
    keys: dict[str, object] = {}
    for one in parameters:
        if one.takes is Takes.REST:
            word, text = text.strip() or None, ""
            if word is not None:
                keys[one.name] = _convert(one, word, parameters, command)
        elif one.takes is Takes.WORDS:
            while (found := _WORD.match(text)) is not None:
                args.append(_convert(one, _word(found), parameters, command))
                text = text[found.end() :]
            continue
        else:
            found = _WORD.match(text)
            word = None if found is None else _word(found)
            if found is not None and word is not None:
                args.append(_convert(one, word, parameters, command))
                text = text[found.end() :]
        if word is None and one.required:
            raise BadArguments(f"{one.name} is missing. {usage(parameters, command)}")
    if text.strip():
        raise BadArguments(f"That is more than it takes. {usage(parameters, command)}")
    return args, keys


def usage(parameters: Sequence[Parameter], command: str) -> str:
    """`Usage: !roll [sides], where sides is a whole number.`"""
    line = " ".join([command, *(one.shown for one in parameters)])
    told = ", ".join(f"{one.name} is {one.what}" for one in parameters if one.what != _TEXT)
    return f"Usage: {line}{', where ' if told else ''}{told}."


def _word(found: re.Match[str]) -> str:
    quoted, plain = found["quoted"], found["plain"]
    return plain if quoted is None else quoted


def _convert(one: Parameter, word: str, all: Sequence[Parameter], command: str) -> object:
    try:
        return one.convert(word)
    except ValueError:
        raise BadArguments(f"{one.name} does not fit. {usage(all, command)}") from None


# ------------------------------------------------------------------ from hints to conversions

_TEXT: Final = "text"


def _conversion(hint: Any) -> tuple[str, Convert]:
    """What a hint wants, in words, and how to get it from text."""
    if get_origin(hint) in (Union, UnionType):
        [*hints] = (one for one in get_args(hint) if one is not NoneType)
        if len(hints) == 1:
            return _conversion(hints[0])
    if get_origin(hint) is Literal:
        return _choice({str(value): value for value in get_args(hint)})
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _choice({one.name.lower(): one for one in hint})
    try:
        return _CONVERSIONS[hint]
    except (KeyError, TypeError):
        raise TypeError(f"no text becomes {hint!r}; see docs/sdk.md for what can") from None


def _choice(values: dict[str, object]) -> tuple[str, Convert]:
    def convert(word: str) -> object:
        try:
            return values[word] if word in values else values[word.lower()]
        except KeyError:
            raise ValueError(word) from None

    return "one of " + ", ".join(values), convert


def _whole(word: str) -> int:
    if _WHOLE.fullmatch(word) is None:
        raise ValueError(word)
    return int(word)


def _number(word: str) -> float:
    number = float(word)
    if not math.isfinite(number):
        raise ValueError(word)
    return number


def _truth(word: str) -> bool:
    try:
        return _TRUTHS[word.lower()]
    except KeyError:
        raise ValueError(word) from None


_CONVERSIONS: Final[MappingProxyType[Any, tuple[str, Convert]]] = MappingProxyType(
    {
        str: (_TEXT, str),
        int: ("a whole number", _whole),
        float: ("a number", _number),
        bool: ("yes or no", _truth),
    }
)
