"""Which conversation is meant by a few letters of its name. Pure."""

from __future__ import annotations

from collections.abc import Iterable


def meant(letters: str, names: Iterable[str]) -> list[str]:
    """Those of `names` that hold `letters` in this order, the likeliest first.

    That is where they stand together, early, in a short name; what is equal keeps its order.
    """
    wanted = letters.casefold().replace(" ", "")
    ranked = []
    for name in names:
        rank = _rank(wanted, name.casefold())
        if rank is not None:
            ranked.append((rank, name))
    return [name for _, name in sorted(ranked, key=lambda one: one[0])]


def _rank(wanted: str, name: str) -> tuple[int, int, int] | None:
    together = name.find(wanted)
    if together >= 0:
        return (0, together, len(name)) if wanted else (0, 0, 0)
    at = gaps = 0
    for letter in wanted:
        found = name.find(letter, at)
        if found < 0:
            return None
        gaps += found - at
        at = found + 1
    return (1, gaps, len(name))
