"""A conversation as a document: JSON lines, Markdown or HTML.

Pure. In goes what it is about and its messages in order, out come pieces of text, to be written in
UTF-8. What others wrote shows itself and does nothing else: it is made harmless as for a terminal,
and escaped for the format. Times are UTC.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Final, TypeAlias

from ..client.entries import moment, text_of
from ..client.harmless import harmless_line, harmless_text
from ..client.parts import fence_of
from ..protocol.envelopes import Posted
from . import jsonlines


@dataclass(frozen=True, slots=True)
class About:
    """What is exported: a conversation on a server, and when."""

    conversation: str
    server: str
    now: datetime


Format: TypeAlias = Callable[[About, Iterable[Posted]], Iterator[str]]

#: What means something within a line of Markdown; no text of others begins one (CommonMark, 6, and
#: GitHub's: tables, links without brackets, mathematics, people).
_MARKDOWN: Final = re.compile(r"([\\`*_\[\]<>&~$|@]|:(?=//)|(?<=www)\.)", re.IGNORECASE)

_PAGE: Final = """\
<!doctype html>
<html lang="und">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto }}
h2 {{ font-size: 1rem; border-bottom: 1px solid; margin-top: 2rem }}
p {{ margin: .3rem 0; white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate }}
time, footer, small {{ font-size: .8rem; opacity: .7 }}
:target {{ background: Mark; color: MarkText }}
</style>
</head>
<body>
<h1>{title}</h1>
"""


def json_lines(about: About, messages: Iterable[Posted]) -> Iterator[str]:
    """One object per message, the same as `tail --json` prints."""
    for posted in messages:
        yield jsonlines.line("message", jsonlines.message(posted, about.conversation)) + "\n"


def markdown(about: About, messages: Iterable[Posted]) -> Iterator[str]:
    """A heading per day, a paragraph per message; a text of several lines as a code block."""
    yield f"# {_for_markdown(about.conversation)}\n\n{_for_markdown(_origin(about))}\n"
    for posted, day in _with_days(messages):
        if day is not None:
            yield f"\n## {day}\n"
        nick, answer = _for_markdown(posted.sender), _answer(posted)
        lines = harmless_text(text_of(posted))
        author = f"\\* **{nick}**" if posted.action else f"**{nick}**:"
        head = f"\n{_clock(posted)} {author}{_for_markdown(answer)}"
        if len(lines) == 1:
            yield f"{head} {_for_markdown(lines[0])}\n"
        else:
            text = "\n".join(lines)
            yield f"{head}\n\n{fence_of(text)}\n{text}\n{fence_of(text)}\n"


def page(about: About, messages: Iterable[Posted]) -> Iterator[str]:
    """One file that needs no other, loads nothing and runs nothing."""
    yield _PAGE.format(title=_for_html(about.conversation))
    for posted, day in _with_days(messages):
        if day is not None:
            yield f"<h2>{day}</h2>\n"
        nick = f"<b>{_for_html(posted.sender)}</b>"
        author = f"* {nick}" if posted.action else f"{nick}:"
        text = "\n".join(map(html.escape, harmless_text(text_of(posted))))
        answer = f"<small>{_for_html(_answer(posted))}</small>" if posted.reply_to else ""
        yield f'<p id="m{posted.seq}"><time>{_clock(posted)}</time> {author}{answer} {text}</p>\n'
    yield f"<footer>{_for_html(_origin(about))}</footer>\n</body>\n</html>\n"


FORMATS: Final[Mapping[str, Format]] = MappingProxyType(
    {"jsonl": json_lines, "md": markdown, "html": page}
)


# ------------------------------------------------------------------ pieces


def _with_days(messages: Iterable[Posted]) -> Iterator[tuple[Posted, date | None]]:
    """Each message, with its day where that is another one than that of the message before."""
    before: date | None = None
    for posted in messages:
        time = moment(posted.ts)
        day = before if time is None else time.date()
        yield posted, day if day != before else None
        before = day


def _clock(posted: Posted) -> str:
    time = moment(posted.ts)
    return "--:--" if time is None else f"{time:%H:%M}"


def _answer(posted: Posted) -> str:
    return f" [re {posted.reply_to}]" if posted.reply_to else ""


def _origin(about: About) -> str:
    return f"From {about.server}, {about.now.astimezone(UTC):%Y-%m-%d %H:%M} UTC."


def _for_markdown(text: str) -> str:
    """A text as it is, in one line: nothing in it is a heading, a link or a tag."""
    return _MARKDOWN.sub(r"\\\1", harmless_line(text)).replace("  ", " &nbsp;")


def _for_html(text: str) -> str:
    return html.escape(harmless_line(text))
