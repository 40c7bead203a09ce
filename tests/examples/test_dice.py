"""The dice."""

from __future__ import annotations

import re
from collections.abc import Callable

from securechat import Bot
from securechat.testing import Harness


def test_one_die_shows_one_to_six(load: Callable[[str], Bot]) -> None:
    harness = Harness(load("dice"))
    rolls = {harness.hear("!roll", sender="ann")[0] for _ in range(200)}
    assert rolls == {f"ann rolls {number}" for number in range(1, 7)}


def test_the_result_is_the_sum_or_the_highest(load: Callable[[str], Bot]) -> None:
    harness = Harness(load("dice"))
    for line, result in (("!roll 3 20", sum), ("!roll 3 20 highest", max)):
        [told] = harness.hear(line)
        first, *thrown = map(int, re.findall(r"\d+", told))
        assert len(thrown) == 3
        assert first == result(thrown)


def test_it_has_no_more_dice_than_it_has(load: Callable[[str], Bot]) -> None:
    assert Harness(load("dice")).hear("!roll 101") == ["I have 100 dice, of 2 to 1000 sides."]


def test_what_it_cannot_keep_it_explains(load: Callable[[str], Bot]) -> None:
    [told] = Harness(load("dice")).hear("!roll 1 6 lowest")
    assert told.startswith("keep does not fit. Usage: !roll [dice] [sides] [keep]")
