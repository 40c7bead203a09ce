"""Up and Down, and the draft that waits meanwhile."""

from __future__ import annotations

from securechat.client.typed import MAX_LINES, Typed


def test_the_walk_ends_where_it_began() -> None:
    typed = Typed()
    for line in ("one", "two", "two"):
        typed.enter(line)
    assert typed.newer() is None
    assert [typed.older("half a"), typed.older("two"), typed.older("one")] == ["two", "one", None]
    assert [typed.newer(), typed.newer(), typed.newer()] == ["two", "half a", None]


def test_entering_ends_the_walk() -> None:
    typed = Typed()
    typed.enter("one")
    assert typed.older("") == "one"
    typed.enter("one more")
    assert typed.newer() is None
    assert typed.older("draft") == "one more"


def test_it_is_bounded() -> None:
    typed = Typed()
    for number in range(MAX_LINES + 9):
        typed.enter(str(number))
    seen = 0
    while typed.older("") is not None:
        seen += 1
    assert seen == MAX_LINES
