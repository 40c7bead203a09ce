"""Colours and sizes as values: a palette for each theme, and which tag looks how.

Pure. `text` on `background` has a contrast of 7 : 1 or more in each palette, everything else that
is to be read 4.5 : 1 or more (WCAG 2.2, 1.4.3 and 1.4.6); a test computes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from .pieces import NICK_TAGS

ThemeName: TypeAlias = Literal["light", "dark", "high-contrast"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """The colours of one theme, as Tk takes them. `nicks`: one for each of `NICK_TAGS`."""

    background: str
    panel: str
    field: str
    border: str
    text: str
    faint: str
    accent: str
    on_accent: str
    chosen: str
    on_chosen: str
    error: str
    mention: str
    badge: str
    code: str
    hit: str
    on_hit: str
    nicks: tuple[str, ...]


DARK: Final = Palette(
    background="#1c1c1c",
    panel="#242424",
    field="#2a2a2a",
    border="#3d3d3d",
    text="#f2f2f2",
    faint="#a3a3a3",
    accent="#57c8ff",
    on_accent="#10202a",
    chosen="#264b63",
    on_chosen="#ffffff",
    error="#ff9a8d",
    mention="#3b3216",
    badge="#ffd479",
    code="#303030",
    hit="#8a6d00",
    on_hit="#ffffff",
    nicks=(
        *("#ff9e64", "#e5b567", "#c3d36b", "#8fd68f", "#6fd6a8"),
        *("#62d3d0", "#6cc7f5", "#8ab4ff", "#a7a5ff", "#c39bff"),
        *("#dd96f0", "#f48fd0", "#ff93b0", "#d8b08c", "#a9c7b0"),
    ),
)
LIGHT: Final = Palette(
    background="#fafafa",
    panel="#f0f0f0",
    field="#ffffff",
    border="#cfcfcf",
    text="#1b1b1b",
    faint="#5c5f63",
    accent="#005fb8",
    on_accent="#ffffff",
    chosen="#cfe3f7",
    on_chosen="#10202a",
    error="#b3261e",
    mention="#fff1c2",
    badge="#7a4f00",
    code="#e9e9e9",
    hit="#ffe066",
    on_hit="#1b1b1b",
    nicks=(
        *("#a2480a", "#8a5a00", "#606000", "#2f6b1f", "#00694a"),
        *("#00666b", "#00619a", "#1f55c4", "#4a45c9", "#6b37bd"),
        *("#8a2aa8", "#a8237f", "#b3204f", "#7a4a2a", "#3f6050"),
    ),
)
CONTRAST: Final = Palette(
    background="#000000",
    panel="#000000",
    field="#000000",
    border="#ffffff",
    text="#ffffff",
    faint="#ffffff",
    accent="#ffff00",
    on_accent="#000000",
    chosen="#ffff00",
    on_chosen="#000000",
    error="#ffff00",
    mention="#000000",
    badge="#ffff00",
    code="#000000",
    hit="#00ffff",
    on_hit="#000000",
    nicks=("#ffffff",) * len(NICK_TAGS),
)
PALETTES: Final = MappingProxyType({"light": LIGHT, "dark": DARK, "high-contrast": CONTRAST})

#: The size of the text in points: 100 %, from 80 % to 300 % of it.
USUAL_SIZE, MIN_SIZE, MAX_SIZE = 10, 8, 30
#: Named fonts: their size relative to the text, whether they are bold, whether italic.
FONTS: Final = MappingProxyType(
    {
        "chat": (1.0, False, False),
        "chat-bold": (1.0, True, False),
        "chat-italic": (1.0, False, True),
        "chat-small": (0.86, False, False),
        "chat-badge": (0.8, True, False),
        "chat-title": (1.15, True, False),
        "chat-large": (1.6, True, False),
        "chat-mono": (0.95, False, False),
    }
)


def clamp(size: int) -> int:
    """The nearest size that there is."""
    return max(MIN_SIZE, min(MAX_SIZE, size))


def menu_of(palette: Palette) -> dict[str, str | int]:
    """The options of a menu; black on black wants an edge."""
    is_contrast = palette is CONTRAST
    return {
        "font": "chat",
        "background": palette.panel,
        "foreground": palette.text,
        "activeBackground": palette.accent,
        "activeForeground": palette.on_accent,
        "relief": "raised" if is_contrast else "flat",
        "borderWidth": 2 if is_contrast else 1,
        "activeBorderWidth": 0,
    }


def tags_of(palette: Palette, unit: int) -> dict[str, dict[str, str | int]]:
    """The options of each tag of the messages; `unit` is the height of the text in pixels."""
    gap, margin = max(1, unit // 7), unit
    margins: dict[str, str | int] = {"lmargin1": margin, "lmargin2": margin, "rmargin": margin}
    told: dict[str, str | int] = {
        **margins,
        "lmargin2": margin + 3 * unit,
        "spacing1": gap,
        "font": "chat-small",
        "foreground": palette.faint,
    }
    rule: dict[str, str | int] = {"justify": "center", "spacing1": unit, "spacing3": unit // 2}
    is_contrast = palette is CONTRAST
    return {
        "head": {**margins, "spacing1": round(unit * 0.8), "spacing3": gap},
        "body": {**margins, "spacing1": gap, "spacing3": gap},
        "action": {**margins, "spacing1": gap * 2, "spacing3": gap, "font": "chat-italic"},
        "notice": told,
        "state": {**told, "font": "chat-small"},
        "answer": {**told, "font": "chat-mono", "foreground": palette.text},
        "error": {**told, "foreground": palette.error, "font": "chat-small"},
        "mention": {"background": palette.mention, "lmargincolor": palette.mention},
        "day": {**rule, "font": "chat-badge", "foreground": palette.faint},
        "new": {**rule, "font": "chat-badge", "foreground": palette.accent},
        "faint": {"font": "chat-small", "foreground": palette.faint},
        "unsent": {"foreground": palette.faint},
        "nick": {"font": "chat-bold"},
        **{
            tag: {"foreground": colour}
            for tag, colour in zip(NICK_TAGS, palette.nicks, strict=True)
        },
        "bold": {"font": "chat-bold"},
        "italic": {"font": "chat-italic"},
        "code": {"font": "chat-mono", "background": palette.code, "underline": is_contrast},
        "badge": {
            "font": "chat-badge",
            "foreground": palette.badge,
        },
        "link": {"foreground": palette.accent, "underline": True},
        "chosen": {"background": palette.chosen, "foreground": palette.on_chosen},
        "hit": {"background": palette.hit, "foreground": palette.on_hit},
    }
