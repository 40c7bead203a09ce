"""Colours that can be read by who does not see well, and sizes that stay in their bounds."""

from __future__ import annotations

import pytest

from securechat.gui.look import MAX_SIZE, MIN_SIZE, PALETTES, Palette, clamp, tags_of
from securechat.gui.pieces import NICK_TAGS


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_measure_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES)
def test_everything_can_be_read(palette: Palette) -> None:
    for ground in (palette.background, palette.panel, palette.field):
        assert contrast(palette.text, ground) >= 7
        assert contrast(palette.faint, ground) >= 4.5
    for ground in (palette.background, palette.mention):
        for colour in (*palette.nicks, palette.error, palette.accent, palette.badge):
            assert contrast(colour, ground) >= 4.5, (colour, ground)
    for text, ground in (
        (palette.on_accent, palette.accent),
        (palette.on_chosen, palette.chosen),
        (palette.on_hit, palette.hit),
        (palette.text, palette.mention),
        (palette.text, palette.code),
    ):
        assert contrast(text, ground) >= 4.5, (text, ground)


def test_each_nick_has_its_colour() -> None:
    for palette in PALETTES.values():
        assert len(palette.nicks) == len(NICK_TAGS)
        assert set(NICK_TAGS) <= tags_of(palette, 14).keys()


def test_sizes_stay_in_bounds() -> None:
    assert clamp(1) == MIN_SIZE
    assert clamp(99) == MAX_SIZE
    assert clamp(12) == 12
    assert (MIN_SIZE, MAX_SIZE) == (8, 30)
