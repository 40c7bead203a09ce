"""From what was typed to the arguments of a function."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, Literal

import pytest

from securechat.sdk.arguments import BadArguments, parameters_of, parse, usage


class Colour(Enum):
    RED = 1
    GREEN = 2


def call(function: Callable[..., Any], text: str) -> Any:
    args, keys = parse(parameters_of(function), text, "!f")
    return function(None, *args, **keys)


def one_int(_context: object, value: int) -> int:
    return value


def one_float(_context: object, value: float) -> float:
    return value


def one_str(_context: object, value: str) -> str:
    return value


def one_bool(_context: object, value: bool) -> bool:
    return value


def one_bare(_context, value):  # type: ignore[no-untyped-def]  # as people write it
    return value


def one_literal(_context: object, value: Literal["tea", 2]) -> object:
    return value


def one_enum(_context: object, value: Colour) -> Colour:
    return value


def one_or_none(_context: object, value: int | None = None) -> int | None:
    return value


def several(_context: object, number: int, loud: bool = False, *, what: str = "") -> object:
    return number, loud, what


def must_have_rest(_context: object, *, what: str) -> str:
    return what


def many(_context: object, *numbers: int) -> object:
    return numbers


@pytest.mark.parametrize(
    ("function", "text", "value"),
    [
        (one_int, "12", 12),
        (one_int, "  -3  ", -3),
        (one_float, "2.5", 2.5),
        (one_float, "1e3", 1000.0),
        (one_str, "tea", "tea"),
        (one_str, '"two words"', "two words"),
        (one_str, '""', ""),
        (one_str, "don't", "don't"),
        (one_bare, "12", "12"),
        (one_bool, "yes", True),
        (one_bool, "OFF", False),
        (one_literal, "tea", "tea"),
        (one_literal, "TEA", "tea"),
        (one_literal, "2", 2),
        (one_enum, "red", Colour.RED),
        (one_enum, "Green", Colour.GREEN),
        (one_or_none, "", None),
        (one_or_none, "7", 7),
        (several, "1", (1, False, "")),
        (several, "1 yes", (1, True, "")),
        (several, '1 no  the "rest"  of it ', (1, False, 'the "rest"  of it')),
        (must_have_rest, "all of it\nand more", "all of it\nand more"),
        (many, "", ()),
        (many, "1 2 3", (1, 2, 3)),
    ],
)
def test_what_fits(function: Callable[..., Any], text: str, value: object) -> None:
    assert call(function, text) == value


@pytest.mark.parametrize(
    ("function", "text", "why"),
    [
        (one_int, "", "value is missing."),
        (one_int, "x", "value does not fit."),
        (one_int, "1.5", "value does not fit."),
        (one_int, "1_000", "value does not fit."),
        (one_int, "٣", "value does not fit."),
        (one_int, "9" * 19, "value does not fit."),
        (one_int, "1 2", "That is more than it takes."),
        (one_float, "nan", "value does not fit."),
        (one_float, "inf", "value does not fit."),
        (one_float, "x", "value does not fit."),
        (one_bool, "perhaps", "value does not fit."),
        (one_literal, "coffee", "value does not fit."),
        (one_enum, "blue", "value does not fit."),
        (several, "x", "number does not fit."),
        (must_have_rest, "  ", "what is missing."),
        (many, "1 x", "numbers does not fit."),
    ],
)
def test_what_does_not_fit(function: Callable[..., Any], text: str, why: str) -> None:
    with pytest.raises(BadArguments) as raised:
        call(function, text)
    told = str(raised.value)
    assert told.startswith(f"{why} Usage: !f")


def test_the_usage_line_names_what_is_taken() -> None:
    assert usage(parameters_of(several), "!f") == (
        "Usage: !f number [loud] [what…], where number is a whole number, loud is yes or no."
    )
    assert usage(parameters_of(many), "!f") == (
        "Usage: !f [numbers…], where numbers is a whole number."
    )
    assert usage(parameters_of(one_str), "!f") == "Usage: !f value."


def nothing() -> None: ...
def a_list(_context: object, value: list[int]) -> None: ...
def a_dict(_context: object, **keys: int) -> None: ...
def a_choice(_context: object, value: int | str) -> None: ...
def unknown(_context: object, value: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (nothing, "takes nothing; its first parameter is the context"),
        (a_list, "value: no text becomes list"),
        (a_dict, "cannot be typed"),
        (a_choice, "value: no text becomes int | str"),
        (unknown, "must be known where the module is"),
    ],
)
def test_a_function_that_nobody_can_call_is_refused(function: Callable[..., Any], why: str) -> None:
    with pytest.raises(TypeError) as raised:
        parameters_of(function)
    assert why in str(raised.value)
    assert function.__name__ in str(raised.value)
