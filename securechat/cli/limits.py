"""`serve --limit NAME=VALUE` and `securechat limits`: every figure that a server holds people to.

In: the names and bounds of `securechat.config`. Out: the same figures with others in their places.
Raised: `typer.BadParameter` for a name that there is not, or a value that cannot be meant.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

import typer

from . import completing
from .report import put, reported

if TYPE_CHECKING:
    from ..config import Figure

_HINT: Final = "--limit"


def settle(parts: Mapping[str, Any], said: Iterable[str]) -> dict[str, Any]:
    """`parts` (`chat`, `gate`, `logins`) with what was said of single limits; the last one counts.

    Raises `typer.BadParameter`.
    """
    from ..config import name_figures

    figures = name_figures()
    settled = dict(parts)
    for one in said:
        name, equals, text = one.partition("=")
        name = name.strip().lower().replace("_", "-")
        if not equals:
            raise _wrong("give NAME=VALUE, as in gate.longest-wait=20")
        figure = figures.get(name)
        if figure is None:
            raise _wrong(f"there is no limit {name!r}{_nearest(name, figures)}")
        if figure.option:
            raise _wrong(f"{name} has an option of its own: {figure.option}")
        part, _, field = name.partition(".")
        value = parse_value(figure, text.strip())
        settled[part] = replace(settled[part], **{field.replace("-", "_"): value})
    return settled


def parse_value(figure: Figure, text: str) -> float:
    """A number of the kind that the limit is; raises `typer.BadParameter`."""
    kind: type[int | float] = type(figure.default)
    try:
        value = kind(text)
    except ValueError:
        value = math.nan
    if refusal := figure.bounds.refusal(value):
        what = "a whole number" if kind is int else "a number"
        raise _wrong(f"{figure.name} is {what} {refusal} ({figure.meaning})")
    return value


def _nearest(name: str, figures: Mapping[str, Figure]) -> str:
    if near := get_close_matches(name, figures, 1):
        return f"; did you mean {near[0]}?"
    return "; `securechat limits` lists them"


def _wrong(problem: str) -> typer.BadParameter:
    return typer.BadParameter(problem, param_hint=_HINT)


LimitOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--limit",
        metavar="NAME=VALUE",
        help="Any other limit, as `securechat limits` lists them; may be repeated.",
        autocompletion=completing.limits,
    ),
]


def limits() -> None:
    """List every limit of a server: its name, its value unless it is told another, what it means.

    \b
    Examples:
      securechat limits
      securechat limits | grep gate
      securechat serve --limit gate.longest-wait=20 --limit chat.rooms=500
    """
    with reported():
        from ..config import name_figures

        figures = name_figures().values()
        width = max(len(figure.name) for figure in figures)
        put(
            f"{figure.name:{width}}  {_shown(figure.default):>6}  {figure.meaning}"
            + (f" ({figure.option})" if figure.option else "")
            for figure in figures
        )


def _shown(value: float) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.0f}" if value == int(value) else f"{value}"
