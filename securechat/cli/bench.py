"""`securechat bench`: how quickly the user's own server answers, as seen from here."""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ..target import parse_target
from . import completing, trusting
from .configuring import ConfigOption, ProfileOption, check_server
from .options import end_on_sigterm
from .report import reported

if TYPE_CHECKING:
    from ..client.measure import Progress, Report

#: Seconds between two drawings of the progress line.
_DRAW_EVERY: Final = 0.1


def bench(
    server: Annotated[
        str,
        typer.Argument(
            metavar="HOST[:PORT]", callback=check_server, autocompletion=completing.servers
        ),
    ] = "localhost",
    *,
    clients: Annotated[
        int, typer.Option(min=2, max=500, metavar="N", help="Connections in the room.")
    ] = 10,
    seconds: Annotated[
        float, typer.Option(min=0.1, max=3600, metavar="N", help="How long they talk.")
    ] = 5.0,
    certs: trusting.Certs = None,
    ca: trusting.CaFile = None,
    fingerprint: trusting.Fingerprint = None,
    accept_new: trusting.AcceptNew = False,
    _config: ConfigOption = None,
    _profile: ProfileOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object instead of a table, in seconds.")
    ] = False,
) -> None:
    """Measure how quickly your server answers: round trip and fan-out, as seen from here.

    Some guests meet in a room of their own and say one thing after the other, slowly enough for the
    server's limits. What they say stays in the history of that room. The round trip holds the
    network, the server and its disk: when the author hears its own message, it is stored.

    \b
    Examples:
      securechat bench
      securechat bench chat.example.org --clients 50 --seconds 20
      securechat bench --json
    """
    with reported():
        from ..client.measure import Trial, measure

        end_on_sigterm()
        host, port = parse_target(server)
        wishes = trusting.wishes(certs, ca, fingerprint, accept_new=accept_new)
        trust = trusting.settle(host, port, wishes)
        trial = Trial(host=host, port=port, trust=trust, clients=clients, seconds=seconds)
        on_terminal = sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        show = live_line(time.monotonic) if on_terminal else _show_nothing
        try:
            report = measure(trial, show)
        finally:
            if on_terminal:
                _draw("")
        for line in [json.dumps(as_object(report))] if as_json else lines_of(report):
            typer.echo(line)


# ------------------------------------------------------------------ what is shown


def lines_of(report: Report) -> Iterator[str]:
    """The table."""
    from ..client.harmless import harmless_line
    from ..client.measure import spread_of

    yield f"{harmless_line(report.server)}, {len(report.connecting)} connections in {report.room}"
    yield f"{len(report.everyone):,} messages, each stored and heard by everyone, once and in order"
    yield ""
    yield f"  {'milliseconds':<30}{'median':>10}{'p99':>10}{'most':>10}"
    for name, values in _rows(report):
        figures = "".join(f"{value * 1e3:>10.2f}" for value in spread_of(values))
        yield f"  {name:<30}{figures}"


def as_object(report: Report) -> dict[str, object]:
    """The same for programs, in seconds."""
    from ..client.measure import spread_of

    spreads = {name.replace(" ", "_"): spread_of(values) for name, values in _rows(report)}
    return {
        "server": report.server,
        "room": report.room,
        "connections": len(report.connecting),
        "messages": len(report.everyone),
        **{name: spread._asdict() for name, spread in spreads.items()},
    }


def _rows(report: Report) -> tuple[tuple[str, list[float]], ...]:
    return (
        ("connecting", report.connecting),
        ("round trip", report.echo),
        ("until another hears it", report.fan_out),
        ("until everyone has heard it", report.everyone),
    )


def live_line(clock: Callable[[], float]) -> Progress:
    """Draws one line on stderr, now and then by `clock`."""
    drawn = -math.inf

    def show(done: float, report: Report) -> None:
        nonlocal drawn
        if clock() - drawn < _DRAW_EVERY:
            return
        drawn = clock()
        if not report.echo:
            _draw(f"{len(report.connecting)} connected")
        else:
            last = report.echo[-1] * 1e3
            _draw(f"{done:4.0%}  {len(report.everyone):,} messages, round trip {last:.2f} ms")

    return show


def _draw(text: str) -> None:
    print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def _show_nothing(_done: float, _report: Report) -> None:
    """Nobody watches."""
