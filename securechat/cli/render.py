"""Entries as lines of text: rows for a terminal, one record each for a pipe.

Pure. All that comes from others is made harmless here, and fit for the encoding of the output;
escape sequences are only those that this module adds, and each row ends the colours it begins.

Rows for a person (`rows`); the mark behind the time is `~` for what was said earlier and `!` for
what is said to us:

    12:01 <bob> hello                     in the conversation that is shown
    12:01!#garden <carol> bob: come       in another one
    12:01 * bob waves                     an action
    12:01 -- carol joined                 everything else
    12:01 !! not sent (reason): hello     refused

What a search found has its day, its conversation and its number; `>` marks what was looked for:

    2026-11-23 12:01>#garden [12] <bob> tulips

Records for a program (`record`), a contract: TIME CONVERSATION and what happened, separated by one
space. TIME is UTC to the second; CONVERSATION is `-` where there is none, `@nick` for a direct one.

    2026-11-23T12:01:00Z #lobby <bob> hello
    2026-11-23T12:01:00Z #lobby * bob waves
    2026-11-23T12:01:00Z #lobby -- carol joined
    2026-11-23T12:01:00Z #lobby [12] <bob> tulips, found
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, tzinfo
from types import MappingProxyType
from typing import Final, TypeAlias

from ..client.cells import cells, wrap
from ..client.entries import Entry, Found, Kind
from ..client.harmless import encodable, harmless_line, harmless_text
from ..client.links import WHOLE
from ..client.nick_colours import nick_colour

BASIC_COLOURS: Final = (32, 33, 34, 35, 36)

_DIM: Final = "2"
_BOLD: Final = "1"
_ERROR: Final = "31"
_MENTION: Final = "1;7"

_INDENT: Final = 6  # the width of "12:01 "
_SPOKEN: Final = frozenset({Kind.MESSAGE, Kind.ACTION, Kind.UNSENT})
_STYLES: Final[Mapping[Kind, str]] = MappingProxyType(
    {Kind.NOTICE: _DIM, Kind.STATE: _BOLD, Kind.ERROR: _ERROR, Kind.REFUSED: _ERROR}
)


#: A text and its style (SGR).
_Span: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Look:
    """How lines look: `width` in cells, 0: never broken; `zone` of the times, None: local.

    `whole`: up to so many cells a line is broken within none of its links, so that a terminal finds
    them, and a copy is whole; such a row may be wider.
    """

    colour: bool = False
    many_colours: bool = False
    encoding: str = "utf-8"
    width: int = 0
    whole: int = 0
    zone: tzinfo | None = None


def wants_colour(environ: Mapping[str, str], *, is_terminal: bool, refused: bool) -> bool:
    """Whether to colour: on a terminal that can, unless `NO_COLOR` (no-color.org) or an option."""
    return (
        is_terminal
        and not refused
        and not environ.get("NO_COLOR")
        and environ.get("TERM", "dumb") != "dumb"
    )


def has_many_colours(environ: Mapping[str, str]) -> bool:
    """Whether the terminal says that it knows 256 colours or more."""
    return "256" in environ.get("TERM", "") or bool(environ.get("COLORTERM"))


def rows(entry: Entry, look: Look, shown: str | None) -> list[str]:
    """The rows of `entry` for a terminal on which conversation `shown` is shown."""
    faint = entry.missed or entry.recalled or entry.kind is Kind.UNSENT
    mark = "!" if entry.mention else "~" if entry.missed or entry.recalled else " "
    head = [(entry.at.astimezone(look.zone).strftime("%H:%M"), _DIM), (mark, "")]
    if entry.found is not None:
        head, faint = _found_head(entry, look), False
    elif entry.conversation is not None and entry.conversation != shown and _is_tagged(entry):
        head.append((f"{harmless_line(entry.conversation)} ", _BOLD))
    style = _STYLES.get(entry.kind, "")
    first, *others = harmless_text(entry.text)
    lines = [[*head, *_author(entry, look), (first, style)], *([(one, style)] for one in others)]
    out: list[str] = []
    for line in lines:
        out += _broken(line, look, lead=len(out) > 0, style=_DIM if faint else None)
    return out


def day_row(day: date, look: Look) -> str:
    """What stands between the lines of two days."""
    return _paint(f"--- {day.isoformat()}", _DIM, look)


def day_of(entry: Entry, look: Look) -> date:
    """The day on which `entry` is shown."""
    return entry.at.astimezone(look.zone).date()


def record(entry: Entry, encoding: str) -> str:
    """`entry` as one line for a program."""
    time = entry.at.strftime("%Y-%m-%dT%H:%M:%SZ")
    place = harmless_line(entry.conversation or "-")
    author = "".join(text for text, _ in _author(entry, Look()))
    if entry.found is not None:
        author = f"[{entry.seq}] {author}"
    return encodable(f"{time} {place} {author}{harmless_line(entry.text)}", encoding)


def plain(text: str, encoding: str) -> str:
    """A text of ours, with parts that others chose, as one line."""
    return encodable(harmless_line(text), encoding)


def _found_head(entry: Entry, look: Look) -> list[_Span]:
    """What stands before a message that was found, or near one."""
    return [
        (entry.at.astimezone(look.zone).strftime("%Y-%m-%d %H:%M"), _DIM),
        (">" if entry.found is Found.HIT else " ", _BOLD),
        (f"{harmless_line(entry.conversation or '-')} ", _BOLD),
        (f"[{entry.seq}] ", _DIM),
    ]


def _is_tagged(entry: Entry) -> bool:
    return entry.kind in _SPOKEN or entry.kind in (Kind.NOTICE, Kind.REFUSED)


def _author(entry: Entry, look: Look) -> list[_Span]:
    """What stands before the text, as pieces with their styles."""
    nick = harmless_line(entry.nick)
    style = _MENTION if entry.mention else _nick_colour(entry.nick, look)
    answer = [(f"[re {entry.reply_to}] ", _DIM)] if entry.reply_to else []
    note = harmless_line(entry.note)
    if entry.kind is Kind.MESSAGE:
        return [("<", ""), (nick, style), ("> ", ""), *answer]
    if entry.kind is Kind.ACTION:
        return [("* ", ""), (nick, style), (" ", ""), *answer]
    if entry.kind is Kind.UNSENT:
        return [(f"({note}) ", ""), ("<", ""), (nick, style), ("> ", "")]
    if entry.kind is Kind.REFUSED:
        return [(f"!! not sent ({note}): ", _ERROR)]
    return [("!! ", _ERROR)] if entry.kind is Kind.ERROR else [("-- ", _DIM)]


def _nick_colour(nick: str, look: Look) -> str:
    """The colour of a nick, as SGR."""
    if look.many_colours:
        return f"38;5;{nick_colour(nick)}"
    return str(nick_colour(nick, BASIC_COLOURS))


def _broken(line: list[_Span], look: Look, *, lead: bool, style: str | None) -> list[str]:
    """One line as rows. `lead`: it is not the first of its text; `style`: instead of its own.

    All rows but the very first are indented, so that none can pass for the head of another entry.
    """
    spans = [(encodable(text, look.encoding), own) for text, own in line]
    text = "".join(text for text, _ in spans)
    indent = min(_INDENT, look.width // 2) if look.width else _INDENT
    if look.width:
        whole = WHOLE if cells(text) <= look.whole else None
        cuts = wrap(text, look.width, indent, indent if lead else 0, whole=whole)
    else:
        cuts = [slice(0, len(text))]
    out = []
    for number, cut in enumerate(cuts):
        if style is None:
            row = "".join(_paint(part, own, look) for part, own in _within(spans, cut))
        else:
            row = _paint(text[cut], style, look)
        out.append(" " * indent + row if lead or number else row)
    return out


def _within(spans: list[_Span], cut: slice) -> Iterator[_Span]:
    """What of `spans`, laid end to end, lies in `cut`."""
    at = 0
    for text, style in spans:
        yield text[max(0, cut.start - at) : max(0, cut.stop - at)], style
        at += len(text)


def _paint(text: str, style: str, look: Look) -> str:
    return f"\x1b[{style}m{text}\x1b[0m" if look.colour and style and text else text
