"""Items of a log as rows of pieces of text, each with its tint, as wide as the window.

Pure. All that comes from others is made harmless here. The mark behind the time says by itself what
colours say too:

    12:01 <bob> hello             12:01!<carol> bob: come      said to us
    12:01✓<bob> hello             our own, on the server
    12:01~<bob> hello             said before we came or while we were away
         …<bob> hello             our own, on its way or waiting
         ✗<bob> hello             our own, not sent; the row below says why, and the keys
    12:01 * bob waves             12:01 -- 3 joined, 1 left    12:01 !! an error
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, tzinfo
from enum import Enum
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

from rich.cells import cell_len

from ..client.cells import wrap
from ..client.emphasis import Emphasis, emphasised
from ..client.entries import Entry, Kind
from ..client.events import Draft, DraftState
from ..client.harmless import harmless_line, harmless_text
from ..client.links import target_of
from ..client.log import Item, Moves, moves_in_short
from ..client.unsent import why_unsent

#: The width of "12:01 "; rows below the first begin there, so that none can pass for an entry.
INDENT: Final = 6


class Tint(Enum):
    """What a piece of text is; a palette says how that looks."""

    PLAIN = "plain"
    FAINT = "faint"
    STRONG = "strong"
    NICK = "nick"
    MENTION = "mention"
    ERROR = "error"
    BOLD = "bold"
    ITALIC = "italic"
    CODE = "code"
    LINK = "link"
    RULE = "rule"


class Span(NamedTuple):
    """A piece of text. `nick` is whose it is, for the colour of nicks; `link`: where it leads."""

    text: str
    tint: Tint = Tint.PLAIN
    nick: str = ""
    link: str = ""


Line: TypeAlias = list[Span]
Lines: TypeAlias = list[Line]

_EMPHASES: Final = MappingProxyType(
    {
        Emphasis.PLAIN: Tint.PLAIN,
        Emphasis.BOLD: Tint.BOLD,
        Emphasis.ITALIC: Tint.ITALIC,
        Emphasis.CODE: Tint.CODE,
        Emphasis.LINK: Tint.LINK,
    }
)
_LEADS: Final = MappingProxyType(
    {
        Kind.NOTICE: (Span("-- ", Tint.FAINT), Tint.FAINT),
        Kind.ANSWER: (Span("-- ", Tint.FAINT), Tint.PLAIN),
        Kind.STATE: (Span("-- ", Tint.FAINT), Tint.STRONG),
        Kind.ERROR: (Span("!! ", Tint.ERROR), Tint.ERROR),
    }
)


def rows_of_item(item: Item, width: int, zone: tzinfo | None, *, folded: bool) -> list[Line]:
    """An item of a log. `zone`: of the times, None is local; `folded`: who came and went, short."""
    if not isinstance(item, Moves):
        return _rows_of_entry(item, width, zone)
    if folded and len(item.entries) > 1:
        last = item.entries[-1]
        lead, tint = _LEADS[Kind.NOTICE]
        told = Span(harmless_line(moves_in_short(item.entries)), tint)
        return _broken([[*_time(last.at, zone, " "), lead, told]], width)
    return [row for entry in item.entries for row in _rows_of_entry(entry, width, zone)]


def rows_of_draft(draft: Draft, nick: str, width: int, cure: str) -> Lines:
    """A message of ours that is not, or will not be, stored; so it has no time.

    `cure`: what can be done about one that will not be.
    """
    is_refused = draft.state is DraftState.REFUSED
    if draft.action:
        author = [Span("* "), Span(harmless_line(nick), Tint.NICK, nick), Span(" ")]
    else:
        author = [Span("<"), Span(harmless_line(nick), Tint.NICK, nick), Span("> ")]
    mark = Span("✗", Tint.ERROR) if is_refused else Span("…", Tint.FAINT)
    head = [Span(" " * (INDENT - 1)), mark, *author]
    lines = _said(head, draft.text, None if is_refused else Tint.FAINT)
    if is_refused:
        why = harmless_line(draft.reason)
        lines.append([Span(f"not sent ({why}) {cure}", Tint.ERROR)])
    else:
        lines[-1].append(Span(f" ({harmless_line(why_unsent(draft))})", Tint.FAINT))
    return _broken(lines, width)


def rule(text: str, width: int, tint: Tint = Tint.RULE) -> Line:
    """A row that parts others: of two days, or what was read from what was not."""
    label = f"── {text} "
    return [Span(label + "─" * (width - cell_len(label)), tint)]


def day_of(entry: Entry, zone: tzinfo | None) -> date:
    """The day on which an entry is shown."""
    return entry.at.astimezone(zone).date()


def fitted(text: str, width: int) -> str:
    """`text` cut to `width` cells, with … for what is cut off."""
    if cell_len(text) <= width:
        return text
    while text and cell_len(text) > width - 1:
        text = text[:-1]
    return f"{text}…"[: max(0, width)]


def _rows_of_entry(entry: Entry, width: int, zone: tzinfo | None) -> Lines:
    faint = entry.missed or entry.recalled
    mark = "!" if entry.mention else "~" if faint else "✓" if entry.own else " "
    if entry.kind in (Kind.MESSAGE, Kind.ACTION):
        head = [*_time(entry.at, zone, mark), *_author(entry)]
        return _broken(_said(head, entry.text, None), width)
    lead, tint = _LEADS[entry.kind]
    first, *others = harmless_text(entry.text)
    lines = [[*_time(entry.at, zone, mark), lead, Span(first, tint)]]
    return _broken([*lines, *([Span(one, tint)] for one in others)], width)


def _time(at: datetime, zone: tzinfo | None, mark: str) -> Line:
    loud = Tint.MENTION if mark == "!" else Tint.FAINT
    return [Span(at.astimezone(zone).strftime("%H:%M"), Tint.FAINT), Span(mark, loud)]


def _author(entry: Entry) -> Line:
    nick = harmless_line(entry.nick)
    whose = Span(nick, Tint.MENTION if entry.mention else Tint.NICK, entry.nick)
    answer = [Span(f"[re {entry.reply_to}] ", Tint.FAINT)] if entry.reply_to else []
    if entry.kind is Kind.ACTION:
        return [Span("* "), whose, Span(" "), *answer]
    return [Span("<"), whose, Span("> "), *answer]


def _said(head: Line, text: str, tint: Tint | None) -> Lines:
    """What was said, behind its head. `tint`: instead of emphasis."""
    lines = [
        [
            Span(one, tint or _EMPHASES[how], link=target_of(one) if how is Emphasis.LINK else "")
            for one, how in pieces
        ]
        for pieces in emphasised(harmless_text(text))
    ]
    return [head + lines[0], *lines[1:]]


def _broken(lines: Lines, width: int) -> Lines:
    """Lines as rows; all but the very first row are indented."""
    rows: Lines = []
    for line in lines:
        text = "".join(span.text for span in line)
        indent = min(INDENT, width // 2)
        for cut in wrap(text, max(2, width), indent, indent if rows else 0, cell_len):
            row = list(_within(line, cut))
            rows.append([Span(" " * indent), *row] if rows else row)
    return rows


def _within(line: Line, cut: slice) -> Iterator[Span]:
    at = 0
    for span in line:
        piece = span.text[max(0, cut.start - at) : max(0, cut.stop - at)]
        if piece:
            yield span._replace(text=piece)
        at += len(span.text)
