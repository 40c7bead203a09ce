"""Colours of nicks: stable, and readable."""

from __future__ import annotations

import pytest

from securechat.client.nick_colours import NICK_COLOURS, nick_colour


def test_a_nick_has_its_colour_for_ever() -> None:
    assert nick_colour("carol") == nick_colour("CAROL") == 27
    assert {nick_colour(f"n{number}") for number in range(200)} == set(NICK_COLOURS)
    assert nick_colour("\ud800", (1, 2)) in (1, 2)


def _luminance(colour: int) -> float:
    """Of one of the 6 x 6 x 6 colours of a terminal (WCAG 2, relative luminance)."""
    steps = (0, 95, 135, 175, 215, 255)
    index = colour - 16
    shares = [steps[index // 36] / 255, steps[index // 6 % 6] / 255, steps[index % 6] / 255]
    red, green, blue = (
        share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4 for share in shares
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colour", NICK_COLOURS)
def test_nicks_can_be_read_on_black_and_on_white(colour: int) -> None:
    light = _luminance(colour)
    assert 1.05 / (light + 0.05) >= 3.5
    assert (light + 0.05) / 0.05 >= 3.5
