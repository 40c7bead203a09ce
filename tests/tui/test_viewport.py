"""The window on a long list: what is in it, and that it stays where one looks."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from securechat.tui.viewport import Row, Viewport


class Sizes:
    """A list of items with these heights."""

    def __init__(self, sizes: Sequence[int], first: int = 0) -> None:
        self.sizes, self.first = list(sizes), first

    @property
    def end(self) -> int:
        return self.first + len(self.sizes)

    def height(self, number: int) -> int:
        return self.sizes[number - self.first]

    def rows(self) -> list[Row]:
        return [
            Row(number, part)
            for number in range(self.first, self.end)
            for part in range(self.height(number))
        ]


def test_at_the_end_it_stays_at_the_end() -> None:
    sizes = Sizes([1, 2, 1])
    view = Viewport(sizes)
    assert view.visible(3) == [(1, 0), (1, 1), (2, 0)]
    sizes.sizes.append(2)
    assert view.visible(3) == [(2, 0), (3, 0), (3, 1)]
    assert view.newer() == 0


def test_scrolled_up_nothing_moves_whatever_comes() -> None:
    sizes = Sizes([2] * 10)
    view = Viewport(sizes)
    view.scroll(-5, 4)
    seen = view.visible(4)
    assert seen == [(5, 1), (6, 0), (6, 1), (7, 0)]
    sizes.sizes += [1, 1]
    assert view.newer() == 4
    sizes.sizes[:0], sizes.first = [3, 3], -2
    assert view.visible(4) == seen
    view.scroll(100, 4)
    assert view.position is None


def test_another_width_keeps_the_item_at_the_lower_edge() -> None:
    sizes = Sizes([4] * 10)
    view = Viewport(sizes)
    view.scroll(-5, 6)
    assert view.visible(6)[-1] == (8, 2)
    sizes.sizes = [2] * 10
    assert view.visible(6)[-1] == (8, 0)


def test_items_that_go_take_the_window_along() -> None:
    sizes = Sizes([1] * 10)
    view = Viewport(sizes)
    view.to_top(3)
    assert view.visible(3) == [(0, 0), (1, 0), (2, 0)]
    sizes.sizes, sizes.first = [1] * 5, 5
    assert view.visible(3) == [(5, 0), (6, 0), (7, 0)]
    sizes.sizes = []
    assert view.visible(3) == []


def test_what_was_found_is_in_the_middle() -> None:
    view = Viewport(Sizes([1] * 100))
    view.show(50, 9)
    assert view.visible(9)[4] == (50, 0)
    view.show(99, 9)
    assert view.visible(9)[-1] == (99, 0)
    view.show(0, 9)
    assert view.visible(9)[0] == (0, 0)


def test_when_older_ones_are_to_be_fetched() -> None:
    view = Viewport(Sizes([1] * 30))
    assert not view.is_near_top(10)
    view.scroll(-15, 10)
    assert view.is_near_top(10)
    assert Viewport(Sizes([])).is_near_top(10)


@given(
    st.lists(st.integers(1, 5), max_size=20),
    st.integers(1, 12),
    st.lists(st.integers(-20, 20), max_size=10),
    st.integers(-10, 10),
)
def test_the_window_is_always_a_full_piece_of_the_list(
    sizes: list[int], height: int, steps: list[int], first: int
) -> None:
    rows = Sizes(sizes, first)
    everything = rows.rows()
    view = Viewport(rows)
    top = max(0, len(everything) - height)
    for step in steps:
        view.scroll(step, height)
        top = max(0, min(top + step, len(everything) - height))
        assert view.visible(height) == everything[top : top + height]
