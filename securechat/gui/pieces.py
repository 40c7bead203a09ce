"""Items of a log, and drafts of ours, as rows of pieces of text, each with the tags of its look.

Pure. A row is one logical line of the text widget, which wraps it by itself. All that comes from
others is made harmless here. What a colour says, a word or a sign says too:

    carol  12:01                          what carol said, and goes on to say, stands below
    carol  12:02  for you                 she called us by name
    hello ✓                               our own, on the server
    hello  sending …                      our own, on its way or waiting
    hello                                 our own, not sent: the row below says why, and offers
    not sent: …   Send again   Drop       two words that can be clicked
"""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from types import MappingProxyType
from typing import Final, NamedTuple

from ..client.emphasis import Emphasis, emphasised
from ..client.entries import Entry, Kind
from ..client.events import Draft, DraftState
from ..client.harmless import harmless_line, harmless_text
from ..client.log import Item, Moves, head_of, moves_in_short
from ..client.nick_colours import nick_colour
from ..client.unsent import why_unsent
from ..settings.model import Joins
from .links import address_of

#: Who goes on speaking within this time needs no second heading.
PAUSE: Final = timedelta(minutes=5)
NICK_TAGS: Final = tuple(f"nick{number}" for number in range(15))
#: The tags of what can be clicked; behind them stands the id of the draft.
_RULE: Final = "─" * 8
AGAIN: Final = "again:"
DROP: Final = "drop:"
#: The tag of all that leads out of here, and what stands before where it leads in a click.
WEB: Final = "web"

_EMPHASES: Final = MappingProxyType(
    {
        Emphasis.PLAIN: (),
        Emphasis.BOLD: ("bold",),
        Emphasis.ITALIC: ("italic",),
        Emphasis.CODE: ("code",),
    }
)
_TOLD: Final = MappingProxyType(
    {
        Kind.NOTICE: "notice",
        Kind.ANSWER: "answer",
        Kind.STATE: "state",
        Kind.ERROR: "error",
    }
)


class Piece(NamedTuple):
    """A piece of text and the tags of its own."""

    text: str
    tags: tuple[str, ...] = ()


class Row(NamedTuple):
    """One logical line; `tags` are those of all of it, its end included."""

    pieces: tuple[Piece, ...]
    tags: tuple[str, ...]


def rows_of_item(
    item: Item, before: Item | None, zone: tzinfo | None, *, is_new: bool, joins: Joins
) -> list[Row]:
    """An item that stands behind `before`, with the day if that has changed.

    `is_new`: *new messages* begin with it. `zone`: of the times, None is local. `joins`: how
    it is told who came and went.
    """
    rows = []
    last = None if before is None else _last_of(before)
    if last is None or _day(last, zone) != _day(head_of(item), zone):
        rows.append(_row("day", _day_in_words(head_of(item).at, zone)))
    if is_new:
        rows.append(_row("new", f"{_RULE}  new messages  {_RULE}"))
    if isinstance(item, Moves):
        if joins == "hide":
            return rows
        if joins == "fold":
            told = harmless_line(moves_in_short(item.entries))
            return [*rows, _row("notice", f"{_time(item.entries[-1].at, zone)}  {told}")]
        return [*rows, *(row for entry in item.entries for row in _rows_of_told(entry, zone))]
    if item.kind not in (Kind.MESSAGE, Kind.ACTION):
        return [*rows, *_rows_of_told(item, zone)]
    goes_on = not rows and last is not None and _goes_on(last, item)
    return [*rows, *_rows_of_said(item, zone, goes_on=goes_on)]


def rows_of_draft(draft: Draft, nick: str, *, goes_on: bool) -> list[Row]:
    """A message of ours that is not, or will not be, stored; so it has no time."""
    is_refused = draft.state is DraftState.REFUSED
    faint = () if is_refused else ("unsent",)
    if draft.action:
        lead = (Piece("* "), *_author(nick), Piece(" "))
        rows = _rows_of_text(draft.text, "action", lead, faint)
    else:
        heading = [] if goes_on else [Row(_author(nick), ("head",))]
        rows = heading + _rows_of_text(draft.text, "body", (), faint)
    if not is_refused:
        return [*rows[:-1], _with_end(rows[-1], f"  {harmless_line(why_unsent(draft))} …")]
    offers = (
        Piece(f"not sent: {harmless_line(draft.reason)}   "),
        Piece("Send again", ("link", f"{AGAIN}{draft.id}")),
        Piece("   "),
        Piece("Drop", ("link", f"{DROP}{draft.id}")),
    )
    return [*rows, Row(offers, ("error",))]


def nick_tag(nick: str) -> str:
    """The tag of a nick's colour."""
    return NICK_TAGS[nick_colour(nick, range(len(NICK_TAGS)))]


def text_of(rows: list[Row]) -> str:
    """What the rows say, for a copy and for tests."""
    return "\n".join("".join(piece.text for piece in row.pieces) for row in rows)


def _rows_of_said(entry: Entry, zone: tzinfo | None, *, goes_on: bool) -> list[Row]:
    calls = entry.mention and not (entry.conversation or "").startswith("@")
    mark = ("mention",) if calls else ()
    when = Piece(f"  {_time(entry.at, zone)}", ("faint",))
    badge = (Piece("  "), Piece("for you", ("badge",))) if calls else ()
    if entry.kind is Kind.ACTION:
        lead = (Piece("* "), *_author(entry.nick), Piece(" "))
        rows = _rows_of_text(entry.text, "action", lead, ())
        rows[-1] = rows[-1]._replace(pieces=(*rows[-1].pieces, when, *badge))
    else:
        heading = [] if goes_on else [Row((*_author(entry.nick), when, *badge), ("head",))]
        answer = []
        if entry.reply_to:
            answer.append(_row("body", f"in answer to message {entry.reply_to}:", ("faint",)))
        rows = heading + answer + _rows_of_text(entry.text, "body", (), ())
    if entry.own:
        rows[-1] = _with_end(rows[-1], " ✓")
    return [row._replace(tags=(*row.tags, *mark)) for row in rows]


def _rows_of_told(entry: Entry, zone: tzinfo | None) -> list[Row]:
    """What nobody said: comings and goings, answers, errors."""
    tag = _TOLD[entry.kind]
    sign = "! " if entry.kind is Kind.ERROR else ""
    first, *others = harmless_text(entry.text)
    return [
        _row(tag, f"{_time(entry.at, zone)}  {sign}{first}"),
        *(_row(tag, f"       {other}") for other in others),
    ]


def _rows_of_text(text: str, tag: str, lead: tuple[Piece, ...], tags: tuple[str, ...]) -> list[Row]:
    rows: list[Row] = []
    for pieces in emphasised(harmless_text(text)):
        said = tuple(Piece(one, _tags_of(one, how) + tags) for one, how in pieces)
        rows.append(Row((*lead, *said) if not rows else said, (tag,)))
    return rows


def _tags_of(text: str, how: Emphasis) -> tuple[str, ...]:
    if how is Emphasis.LINK:
        return () if address_of(text) is None else ("link", WEB)
    return _EMPHASES[how]


def _author(nick: str) -> tuple[Piece, ...]:
    return (Piece(harmless_line(nick), ("nick", nick_tag(nick))),)


def _with_end(row: Row, text: str) -> Row:
    return row._replace(pieces=(*row.pieces, Piece(text, ("faint",))))


def _row(tag: str, text: str, tags: tuple[str, ...] = ()) -> Row:
    return Row((Piece(text, tags),), (tag,))


def _goes_on(before: Entry, entry: Entry) -> bool:
    """Whether it is the same person who goes on speaking."""
    return (
        before.kind is entry.kind is Kind.MESSAGE
        and before.nick == entry.nick
        and before.mention is entry.mention
        and timedelta(0) <= entry.at - before.at < PAUSE
    )


def _last_of(item: Item) -> Entry:
    return item.entries[-1] if isinstance(item, Moves) else item


def _time(at: datetime, zone: tzinfo | None) -> str:
    return at.astimezone(zone).strftime("%H:%M")


def _day(entry: Entry, zone: tzinfo | None) -> tuple[int, ...]:
    return entry.at.astimezone(zone).timetuple()[:3]


def _day_in_words(at: datetime, zone: tzinfo | None) -> str:
    here = at.astimezone(zone)
    return f"{here:%A}, {here.day} {here:%B %Y}"
