"""`securechat torture`: see on this machine that nothing is lost, twice or out of order."""

from __future__ import annotations

import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Final

import typer

from .report import Terminated, reported

if TYPE_CHECKING:
    from ..torture.ordeal import Progress, Report

#: Seconds between two lines where there is no terminal to draw a bar on.
LINE_EVERY: Final = 10.0
#: Minutes, which is a week.
_LONGEST: Final = 7 * 24 * 60
#: A negative seed would be the same as its opposite (random.seed).
_LARGEST: Final = 2**63 - 1


def torture(
    minutes: Annotated[
        float,
        typer.Option(
            min=0.05,
            max=_LONGEST,
            metavar="N",
            help="How long, besides catching up at the end.",
        ),
    ] = 2.0,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0, max=_LARGEST, metavar="N", help="Meet the same kinds of trouble again."
        ),
    ] = None,
    clients: Annotated[
        int, typer.Option(min=2, max=1_000, metavar="N", help="How many speak at once.")
    ] = 50,
) -> None:
    """See that nothing acknowledged is ever lost: kill a server again and again, and check.

    A server of its own, in a temporary folder, serves clients that speak as fast as it takes them.
    It is killed (kill -9) again and again, links are cut in the middle of a byte stream, clients
    die with unsent lines. At the end everyone catches up, and what each of them saw is held against
    the database. Exit code 1 if anything was lost, came twice or out of order.

    \b
    Examples:
      securechat torture
      securechat torture --minutes 0.2 --seed 7
    """
    with reported():
        signal.signal(signal.SIGTERM, _terminate)
        seed = secrets.randbits(31) if seed is None else seed
        typer.echo(f"torture of a private server: {clients} clients, seed {seed}")
        with tempfile.TemporaryDirectory(prefix="securechat-torture-") as folder:
            report = _run(minutes * 60.0, seed, clients, Path(folder))
        for line in lines_of(report):
            typer.echo(line)
        raise typer.Exit(0 if report.clean else 1)


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise Terminated


def _run(seconds: float, seed: int, clients: int, folder: Path) -> Report:
    from ..torture.ordeal import Ordeal, endure

    with progress() as show:
        return endure(Ordeal(seed=seed, clients=clients, seconds=seconds, cuts=True), folder, show)


# ------------------------------------------------------------------ what is shown


def lines_of(report: Report) -> Iterator[str]:
    """What happened, as a table that ends in the verdict."""
    rows = {
        "server killed (-9)": f"{report.kills:,} times",
        "links cut or stalled": f"{report.cuts:,}",
        "clients killed": f"{report.client_kills:,}",
        "connections made": f"{report.connections:,}",
        "messages sent": f"{report.sent:,}",
        "acknowledged": f"{report.echoed:,}",
        "stored": f"{report.stored:,}",
        "delivered": f"{report.deliveries:,}",
        "server back after": f"{report.slowest_start:.1f} s at most",
    }
    yield ""
    for name, value in rows.items():
        yield f"  {name:<22}{value:>16}"
    yield ""
    for fault in report.faults:
        yield f"  {fault}"
    yield report.verdict


@contextmanager
def progress() -> Iterator[Progress]:
    """A bar on a terminal, a line now and then elsewhere; on stderr, so stdout has the table."""
    if not sys.stderr.isatty():
        yield line_now_and_then(time.monotonic)
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn("{task.percentage:>3.0f}%"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task("coming in", total=1.0)

        def show(done: float, report: Report) -> None:
            bar.update(task, completed=done, description=_say(done, report))

        yield show


def line_now_and_then(clock: Callable[[], float]) -> Progress:
    """Prints a line on stderr every `LINE_EVERY` seconds of `clock`."""
    last = clock()

    def show(done: float, report: Report) -> None:
        nonlocal last
        now = clock()
        if now - last >= LINE_EVERY:
            last = now
            print(f"{done:4.0%}  {_say(done, report)}", file=sys.stderr, flush=True)

    return show


def _say(done: float, report: Report) -> str:
    if done >= 1.0:
        return "everyone catches up, then the books are closed"
    return f"{report.kills:,} kills, {report.cuts:,} cuts, {report.echoed:,} messages acknowledged"
