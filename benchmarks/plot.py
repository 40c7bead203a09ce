"""The table as bars, in SVG of our own: lines in, one document out.

Each work is a group with a bar for each server. Its length says how much one gets for the same
cost, the best peer being 1 and marked with a line, so longer is better; beside it stands the
figure itself. Bars that would leave the picture end in a notch.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from .results import Column, Line, format_figure

_LEFT: Final = 210
_UNIT: Final = 260  # one best peer, pixels
_LONGEST: Final = 2.0
_RIGHT: Final = 90
_BAR: Final = 13
_STEP: Final = 16
_HEAD: Final = 30
_GAP: Final = 14

_STYLE: Final = """\
  text { font: 12px system-ui, sans-serif; fill: #24292f }
  .head { font-weight: 600 }
  .faint { fill: #6e7781 }
  .ours { fill: #1f6feb } .peer { fill: #afb8c1 } .floor { fill: #d4a72c }
  .one { stroke: #57606a; stroke-dasharray: 3 3 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .faint { fill: #8d96a0 } .peer { fill: #545d68 } .one { stroke: #8d96a0 }
  }"""


def draw(lines: Sequence[Line], columns: Sequence[Column], title: str) -> str:
    """An SVG document."""
    width = _LEFT + int(_UNIT * _LONGEST) + _RIGHT
    height, groups = _HEAD, []
    for line in lines:
        group, used = _group(line, columns, height)
        groups.append(group)
        height += used + _GAP
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {height}"'
            f' width="{width}" height="{height}">',
            f"<title>{escape(title)}</title>",
            f"<style>\n{_STYLE}\n</style>",
            f'<text class="head" x="8" y="18">{escape(title)}</text>',
            *groups,
            "</svg>",
            "",
        ]
    )


def _group(line: Line, columns: Sequence[Column], top: int) -> tuple[str, int]:
    """One work, and the height that it takes."""
    parts = [
        f'<text class="head" x="8" y="{top + 12}">{escape(line.row.label)}</text>',
        f'<text class="faint" x="8" y="{top + 28}">{escape(line.row.unit)}</text>',
    ]
    shown = [
        (column, value)
        for column, value in zip(columns, line.values, strict=True)
        if value is not None
    ]
    reference = line.best_peer or line.floor
    for index, (column, value) in enumerate(shown):
        parts += _bar(column, value, reference, top + index * _STEP)
    used = max(len(shown), 2) * _STEP
    if line.best_peer is not None:
        x = _LEFT + _UNIT
        parts.append(f'<line class="one" x1="{x}" x2="{x}" y1="{top - 2}" y2="{top + used}"/>')
    return "<g>" + "".join(parts) + "</g>", used


def _bar(column: Column, value: float, reference: float | None, top: int) -> list[str]:
    worth = reference / value if reference and value > 0 else 1.0
    length = round(min(worth, _LONGEST) * _UNIT, 1)
    end = _LEFT + length
    notch = f'<path class="{column.kind}" d="M{end} {top}l7 {_BAR / 2}l-7 {_BAR / 2}z"/>'
    return [
        f'<text x="{_LEFT - 6}" y="{top + 11}" text-anchor="end">{escape(column.name)}</text>',
        f'<rect class="{column.kind}" x="{_LEFT}" y="{top}" width="{length}" height="{_BAR}"/>',
        *([notch] if worth > _LONGEST else []),
        f'<text class="faint" x="{end + 10}" y="{top + 11}">{format_figure(value)}</text>',
    ]
