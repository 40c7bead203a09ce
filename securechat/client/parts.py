"""A long text as messages: cut at lines, in order, none longer than a message may be.

Pure. `split` raises `BadText` for what no message may hold, before any part of it is sent.
`last_lines` and `readable` make fit for a message what a command wrote for a terminal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from unicodedata import category

from ..errors import SecureChatError

#: What a code block of more than this many parts would be is not foreseen in its heading.
_MOST_PARTS: Final = 9_999
_SHORTEST_FENCE: Final = 3

#: What moves a cursor or chooses a colour: CSI, OSC and the like, and two-byte escapes (ECMA-48).
_ESCAPE: Final = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_].*?(?:\x07|\x1b\\|$)|[ -/]*[0-~])", re.DOTALL
)


class BadText(SecureChatError):
    """A text that no message may hold; the message says what is wrong with it, and the cure."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a text is shown: `code` as a Markdown block, under the heading `name` if there is one."""

    code: bool = False
    name: str = ""


def split(text: str, most: int, form: Form = Form()) -> list[str]:
    """The messages that `text` makes, of at most `most` characters each; raises `BadText`."""
    text = text.replace("\r\n", "\n")
    _check(text)
    if not text.strip():
        raise BadText("Not sent: there is nothing in it but white space.")
    if not form.code:
        parts = ("\n".join(lines) for lines in _packed(text.split("\n"), most))
        return [part for part in map(_without_blank_edges, parts) if part]
    fence = fence_of(text)
    room = most - len(_block("", fence, _heading(form.name, _MOST_PARTS, _MOST_PARTS)))
    if room < 1:
        raise BadText(f"Not sent: in {most:,} characters there is no room for such a block.")
    blocks = ["\n".join(lines) for lines in _packed(text.rstrip("\n").split("\n"), room)]
    return [
        _block(block, fence, _heading(form.name, number, len(blocks)))
        for number, block in enumerate(blocks, 1)
    ]


def fence_of(text: str) -> str:
    """A code fence that nothing in `text` can close (CommonMark, 4.5)."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    return "`" * max(_SHORTEST_FENCE, longest + 1)


def last_lines(lines: Iterable[str], most: int, head: str) -> str:
    """`head`, and below it a block of as many of the last lines as `most` characters can hold."""
    kept = list(lines)
    fence = fence_of("\n".join(kept))
    while kept and len(_block("\n".join(kept), fence, head)) > most:
        del kept[0]
    return _block("\n".join(kept), fence, head) if any(map(str.strip, kept)) else head


def readable(line: str) -> str:
    """A line that was written for a terminal, as it looked in the end, without what moves it."""
    line = _ESCAPE.sub("", line).rstrip("\r").rpartition("\r")[2]
    return "".join(one for one in line if one == "\t" or category(one) not in ("Cc", "Cs"))


def _check(text: str) -> None:
    for number, line in enumerate(text.split("\n"), 1):
        for char in "" if line.isprintable() else line:
            if category(char) == "Cs":
                raise BadText(f"Not sent: line {number} holds bytes that are no text.")
            if category(char) == "Cc" and char != "\t":
                raise BadText(
                    f"Not sent: line {number} holds the control character \\x{ord(char):02x}, which"
                    " no message may hold. Have the text written without colours."
                )


def _packed(lines: Iterable[str], most: int) -> Iterator[list[str]]:
    """As many lines at a time as fit into `most` characters; a longer line is cut."""
    packed: list[str] = []
    size = 0
    for line in lines:
        for start in range(0, max(1, len(line)), most):
            piece = line[start : start + most]
            if packed and (start or size + len(piece) + 1 > most):
                yield packed
                packed, size = [], 0
            size += len(piece) + bool(packed)
            packed.append(piece)
    yield packed


def _without_blank_edges(part: str) -> str:
    """The lines from the first to the last that is not blank: what is around them is not seen."""
    lines = part.split("\n")
    while lines and not lines[0].strip():
        del lines[0]
    while lines and not lines[-1].strip():
        del lines[-1]
    return "\n".join(lines)


def _heading(name: str, number: int, parts: int) -> str:
    if not name:
        return ""
    return name if parts == 1 else f"{name} ({number}/{parts})"


def _block(text: str, fence: str, heading: str) -> str:
    above = f"{heading}\n" if heading else ""
    return f"{above}{fence}\n{text}\n{fence}"
