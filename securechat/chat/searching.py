"""The language of `search`, and who may find what.

    words "a phrase" from:NICK in:#ROOM in:@NICK before:2026-02-01 after:7d

In: what was typed, and the time. Out: a `Query` for a store to answer. Raised: `Rejected`
(`bad_query`, one line with the cure), and what resolving an address raises.

All words and phrases must be there. Of several `from:` any will do, and of several `in:`. A bare
word of three letters or more finds what it begins, too; a phrase is found as it stands. `after:` is
from that moment on, `before:` is up to it; a day begins at 00:00 UTC, `7d` and `12h` are that long
ago.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from ..errors import Rejected
from ..phrases import OPEN_FROM, Author, Phrase, Query, fold_nick, words
from . import judge
from .clock import show_ts
from .nicks import parse_nick

if TYPE_CHECKING:
    from .hub import Hub
    from .identities import Identity

#: Words and phrases in one query; each is a walk through an index.
MAX_PARTS: Final = 32

_PART: Final = re.compile(
    r"""(?P<key>from|in|before|after):(?P<value>"[^"]*"|[^\s"]*)"""
    r"""|"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+)""",
    re.IGNORECASE,
)
_AGO: Final = re.compile(r"(\d{1,5})([DH])")
_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)?)?"
)
_PLACE: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z)\.([0-9a-f]{1,15})")

_NO_WORDS: Final = "There is nothing to look for in that query. Give a word, or `from:NICK`."
_OPEN_QUOTE: Final = 'A " is missing: a phrase stands between two of them. Add the other one.'
_BAD_TIME: Final = (
    "`before:` and `after:` take a day or a time in UTC, as in 2026-01-31 or 2026-01-31T12:00, "
    "or how long ago, as in 7d or 12h. Mend it."
)
_BAD_BEFORE: Final = "`before` must be the `next` of an earlier page. Leave it out to begin anew."


class Asked(NamedTuple):
    """A query as it was typed, taken apart; addresses and nicks are not looked up yet."""

    phrases: tuple[Phrase, ...] = ()
    nicks: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    since: str = ""
    until: str = ""


def parse_query(text: str, wall: float) -> Asked:
    """What `text` asks for; `wall` is now, Unix seconds. Raises `Rejected` (`bad_query`)."""
    if text.count('"') % 2:
        raise _bad(_OPEN_QUOTE)
    phrases: list[Phrase] = []
    keys: dict[str, list[str]] = {"from": [], "in": [], "before": [], "after": []}
    parts = list(_PART.finditer(text))
    if len(parts) > MAX_PARTS:
        raise _bad(f"A query has at most {MAX_PARTS} words and phrases. Leave some out.")
    for part in parts:
        if part["key"] is not None:
            keys[part["key"].lower()].append(_value(part["key"].lower(), part["value"]))
        else:
            phrases += _phrases(part["phrase"], part["word"])
    if not phrases and not any(keys.values()):
        raise _bad(_NO_WORDS)
    return Asked(
        tuple(phrases),
        tuple(_nick(one) for one in keys["from"]),
        tuple(_address(one) for one in keys["in"]),
        max((_moment(one, wall) for one in keys["after"]), default=""),
        min((_moment(one, wall) for one in keys["before"]), default=""),
    )


def parse_place(text: str) -> tuple[str, int]:
    """The `next` of an earlier page. Raises `Rejected` (`bad_query`)."""
    found = _PLACE.fullmatch(text)
    if found is None:
        raise _bad(_BAD_BEFORE)
    return found[1], int(found[2], 16)


def show_place(ts: str, place: int) -> str:
    """Where a page of what was found ends, as `next`."""
    return f"{ts}.{place:x}"


def resolve(
    hub: Hub,
    reader: Identity,
    asked: Asked,
    *,
    key_of: Callable[[str], str],
    within: Iterable[str] = (),
    before: tuple[str, int] | None = None,
) -> Query:
    """The query of `reader`. `key_of` gives the conversation of an address, or raises `Rejected`;
    `within` are further addresses to look into.
    """
    addresses = dict.fromkeys((*asked.addresses, *within))
    authors = []
    for nick in asked.nicks:
        holder = hub.identities.by_nick(nick)
        authors.append(Author(fold_nick(nick), holder.number if holder is not None else 0))
    return Query(
        reader.number,
        judge.unreadable(hub, reader),
        asked.phrases,
        tuple(authors),
        tuple(key_of(address) for address in addresses),
        asked.since,
        asked.until,
        before,
    )


# ------------------------------------------------------------------ the parts of a query


def _bad(message: str) -> Rejected:
    return Rejected("bad_query", message)


def _phrases(quoted: str | None, bare: str | None) -> list[Phrase]:
    """What was typed between quotes, or between spaces; signs alone are no words."""
    found = tuple(words(quoted if quoted is not None else bare or ""))
    if not found:
        return []
    return [Phrase(found, open=quoted is None and len(found[-1]) >= OPEN_FROM)]


def _value(key: str, typed: str) -> str:
    value = typed.strip('"').strip()
    if not value:
        example = {"from": "bob", "in": "#lobby"}.get(key, "2026-01-31")
        raise _bad(f"`{key}:` has nothing behind it. Write it without a space: {key}:{example}")
    return value


def _nick(typed: str) -> str:
    try:
        return parse_nick(typed.removeprefix("@")).text
    except Rejected as no:
        raise _bad(f"Behind `from:` stands no nick. {no.message}") from None


def _address(typed: str) -> str:
    return typed if typed[0] in "#@" else f"#{typed}"


def _moment(typed: str, wall: float) -> str:
    """A time that was typed, as a `ts`; those compare as the times do."""
    typed = typed.upper()
    try:
        ago = _AGO.fullmatch(typed)
        if ago is not None:
            hours = int(ago[1]) * (24 if ago[2] == "D" else 1)
            return show_ts(datetime.fromtimestamp(wall, UTC) - timedelta(hours=hours))
        if _TIME.fullmatch(typed) is None:
            raise _bad(_BAD_TIME)
        when = datetime.fromisoformat(typed)
        return show_ts(when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC))
    except (ValueError, OverflowError):
        raise _bad(_BAD_TIME) from None
