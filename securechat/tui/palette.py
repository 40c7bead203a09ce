"""How each tint looks in each theme; rows become strips, which is what Textual draws.

Colours of nicks are those of the line mode, and can be read on black and on white. What a colour
says, the text or a mark says too; with `NO_COLOR` Textual takes all colours away.
"""

from __future__ import annotations

from functools import lru_cache
from types import MappingProxyType
from typing import Final

from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.theme import Theme

from ..client.nick_colours import nick_colour
from .drawing import Line, Tint

CONTRAST: Final = Theme(
    name="high-contrast",
    primary="#ffffff",
    secondary="#ffffff",
    accent="#ffff00",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#000000",
    error="#ffff00",
    dark=True,
)
_USUAL: Final = MappingProxyType(
    {
        Tint.PLAIN: Style(),
        Tint.FAINT: Style(dim=True),
        Tint.STRONG: Style(bold=True),
        Tint.NICK: Style(),
        Tint.MENTION: Style(bold=True, reverse=True),
        Tint.ERROR: Style(color="red", bold=True),
        Tint.BOLD: Style(bold=True),
        Tint.ITALIC: Style(italic=True),
        Tint.CODE: Style(color="cyan"),
        Tint.LINK: Style(underline=True),
        Tint.RULE: Style(dim=True),
    }
)
_CONTRAST: Final = MappingProxyType(
    {
        **_USUAL,
        Tint.FAINT: Style(),
        Tint.NICK: Style(bold=True),
        Tint.ERROR: Style(color="bright_yellow", bold=True),
        Tint.CODE: Style(underline=True),
        Tint.RULE: Style(),
    }
)


@lru_cache(maxsize=1_024)
def _leading_to(link: str, style: Style) -> Style:
    """With the terminal's own way of opening it (OSC 8).

    Each style with a link gets an id of its own from Rich; the cache makes it one for all rows.
    """
    return style + Style(link=link)


def strip_of(line: Line, width: int, base: Style, theme: str, *, is_hit: bool = False) -> Strip:
    """One row as a strip of exactly `width` cells on the style `base` of its widget."""
    looks = _CONTRAST if theme == CONTRAST.name else _USUAL
    hit = Style(reverse=True) if is_hit else None
    segments = []
    for text, tint, nick, link in line:
        style = base + looks[tint] + hit
        if tint is Tint.NICK and looks is _USUAL:
            style += Style.from_color(Color.from_ansi(nick_colour(nick)))
        segments.append(Segment(text, _leading_to(link, style) if link else style))
    length = sum(cell_len(span.text) for span in line)
    return Strip(segments, length).adjust_cell_length(width, base)
