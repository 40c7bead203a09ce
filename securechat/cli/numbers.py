"""Options that are numbers, within the bounds that `securechat.config` has for them.

Out: `typer.Option`s, which refuse what is out of bounds with `typer.BadParameter`: what was wrong,
and what may be given. The same bounds hold for config.toml, by the same names.
"""

from __future__ import annotations

from typing import Any

import typer

from ..config import BOUNDS


def within(key: str, **more: Any) -> Any:
    """The option of the number `key`; `more` goes to `typer.Option`."""
    bounds = BOUNDS[key]

    def check(value: float | None) -> float | None:
        if value is not None and (refusal := bounds.refusal(value)):
            raise typer.BadParameter(f"give {refusal}")
        return value

    return typer.Option(min=bounds.least, max=bounds.most, callback=check, **more)
