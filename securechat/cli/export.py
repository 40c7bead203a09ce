"""`securechat export`: a conversation as a file, whole or not at all."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO, TypeAlias

import typer

from . import trusting
from .configuring import ConfigOption, ProfileOption
from .options import (
    AddressArgument,
    HostOption,
    NickOption,
    client_config,
    end_on_sigterm,
)
from .passwords import PasswordFile
from .report import OutputFailed, complain, forget_stdout, reported

if TYPE_CHECKING:
    from ..client.client import ClientConfig
    from ..client.reading import Reading
    from ..client.span import Span
    from ..protocol.envelopes import Posted

#: Called with how many messages were read, and how many there are to be read.
Progress: TypeAlias = Callable[[int, int], None]


class Format(StrEnum):
    """What a conversation can be written as (see `formats`)."""

    JSONL = "jsonl"
    MD = "md"
    HTML = "html"


def _check_point(text: str | None) -> str | None:
    from ..client.span import parse_point

    try:
        if text is not None:
            parse_point(text)
    except ValueError as problem:
        raise typer.BadParameter(str(problem)) from None
    return text


def export(
    room: AddressArgument,
    *,
    nick: NickOption,
    host: HostOption = "localhost",
    certs: trusting.Certs = None,
    ca: trusting.CaFile = None,
    fingerprint: trusting.Fingerprint = None,
    accept_new: trusting.AcceptNew = False,
    password_file: PasswordFile = None,
    client_cert: trusting.ClientCert = None,
    _config: ConfigOption = None,
    _profile: ProfileOption = None,
    format: Annotated[Format, typer.Option(help="What to write.")] = Format.JSONL,
    after: Annotated[
        str | None,
        typer.Option(
            metavar="SEQ|DATE",
            help="Messages behind this number, or from this time on.",
            callback=_check_point,
        ),
    ] = None,
    before: Annotated[
        str | None,
        typer.Option(
            metavar="SEQ|DATE",
            help="Messages before this number, or before this time.",
            callback=_check_point,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Where to write it.  [default: stdout]"
        ),
    ] = None,
) -> None:
    """Write the messages of a room as JSON lines, Markdown or one self-contained HTML page.

    Dates are UTC unless they name their zone. A file is written whole or not at all.

    \b
    Examples:
      securechat export lobby --nick bob --format html --output lobby.html
      securechat export ops --nick bob --after 2026-11-01 --before 2026-12-01 --format md
      securechat export lobby --nick bob --after 1200 | jq -r .text
    """
    with reported():
        end_on_sigterm()
        from ..client.entries import counted
        from ..client.span import Span, parse_point

        config = client_config(
            host,
            nick,
            trusting.wishes(certs, ca, fingerprint, accept_new=accept_new, certificate=client_cert),
            password_file=password_file,
            rooms=(),
            backlog=0,
            reads=False,
            reconnect=True,
        )
        span = Span(
            None if after is None else parse_point(after),
            None if before is None else parse_point(before),
        )
        with _progress() as show, _writer(output) as stream:
            number = _export(config, room, span, format, stream, show)
        if output is not None:
            complain(f"{counted(number, 'message', 'messages')} in {output}")


def _export(
    config: ClientConfig, room: str, span: Span, format: Format, stream: TextIO, show: Progress
) -> int:
    """Write what is in `span`; returns how many messages that are."""
    from ..client.client import ChatClient
    from ..client.reading import Reading
    from .formats import FORMATS, About

    written = 0

    def tallied(messages: Iterator[Posted]) -> Iterator[Posted]:
        nonlocal written
        for posted in messages:
            written += 1
            yield posted

    with Reading(ChatClient(config), room, complain) as reading:
        reading.connect()
        reading.begin(after=span.start)
        about = About(reading.conversation, f"{config.host}:{config.port}", datetime.now(UTC))
        for piece in FORMATS[format.value](about, tallied(_within(reading, span, show))):
            stream.write(piece)
    return written


def _within(reading: Reading, span: Span, show: Progress) -> Iterator[Posted]:
    """The messages of `span`, as far as they were there when we began."""
    first, end = reading.seen, span.end(reading.head)
    if end <= first:
        return
    for messages in reading.batches(follow=False):
        for posted in messages:
            if posted.seq <= end and span.holds(posted):
                yield posted
        show(min(reading.seen, end) - first, end - first)
        if reading.seen >= end:
            return


# ------------------------------------------------------------------ where it goes


@contextmanager
def _writer(output: Path | None) -> Iterator[TextIO]:
    """Where to write; raises `OutputFailed`. A file gets its name when it is whole."""
    try:
        if output is None:
            sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
            yield sys.stdout
            sys.stdout.flush()
        elif output.exists() and not output.is_file():  # a device, a named pipe
            with output.open("w", encoding="utf-8") as stream:
                yield stream
        else:
            with _replacing(output) as stream:
                yield stream
    except BrokenPipeError:
        raise
    except OSError as error:
        if output is None:
            forget_stdout()
        why = (error.strerror or str(error)).lower()
        raise OutputFailed(f"{output or 'The output'} cannot be written: {why}.") from error


@contextmanager
def _replacing(path: Path) -> Iterator[TextIO]:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with temporary.open("x", encoding="utf-8") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar on stderr, if that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn("{task.percentage:>3.0f}%"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,  # else rich takes what we print to stdout for its own
    )
    with bar:
        task = bar.add_task("export", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
