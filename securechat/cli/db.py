"""`securechat db`: look after the server's database.

A group of commands, `app`. Each prints what it found or did and exits with 0; with 1, and one line
on stderr, when it could not, or when the database is not sound.
"""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from .configuring import ConfigOption
from .quantities import count_of, size_of
from .report import complain, reported
from .serve import default_data

if TYPE_CHECKING:
    from ..store.maintenance import Stats

app = typer.Typer(
    name="db",
    help="Look after the server's database.",
    epilog="Examples: securechat db check · securechat db backup chat.db · securechat db stats",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

DataFolder: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="The server's data folder, as `serve` has it.",
        show_default="the user's data folder",
    ),
]

#: Rooms that `stats` shows; the others are one line.
_ROOMS_SHOWN: Final = 20


@app.command()
def check(data: DataFolder = None, _config: ConfigOption = None) -> None:
    """Look whether the database is sound.

    Reads all of it and changes nothing. A server may run meanwhile: the database is read as it
    was when the check began.

    \b
    Examples:
      securechat db check
      securechat db check --data /srv/chat
    """
    with reported():
        from ..client.harmless import harmless_line
        from ..store import maintenance

        found = maintenance.check(data_folder(data))
        for problem in found.problems:
            print(harmless_line(problem))
        if found.problems:
            complain(
                "the database is damaged. Stop the server, then restore a backup: "
                f"securechat db restore FILE{_option(data)}"
            )
            raise typer.Exit(1)
        print(
            f"sound: {count_of(found.messages, 'message')} in "
            f"{count_of(found.conversations, 'conversation')}{_beside(found.server)}"
        )


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="Where the copy goes; nothing may be there.")],
    data: DataFolder = None,
    _config: ConfigOption = None,
) -> None:
    """Copy the database to FILE and look whether the copy can be read.

    A server may run meanwhile and goes on. The copy holds all that was said, so only its owner can
    read it; keep it on another disk.

    \b
    Examples:
      securechat db backup /mnt/backup/chat-monday.db
      securechat db backup chat.db --data /srv/chat
    """
    with reported():
        from ..store import maintenance

        size = maintenance.backup(data_folder(data), file)
        print(f"{file}: {size_of(size)}, written and verified")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A copy made by `securechat db backup`.")],
    data: DataFolder = None,
    _config: ConfigOption = None,
) -> None:
    """Put a backup in the place of the database.

    Not while a server runs: stop it first. The backup is checked before anything is changed, and
    the database that was there is kept beside it. Clients are told that what they have seen may
    be missing.

    \b
    Examples:
      securechat db restore /mnt/backup/chat-monday.db
      securechat db restore chat.db --data /srv/chat
    """
    with reported():
        from ..store import maintenance

        folder = data_folder(data)
        done = maintenance.restore(folder, file, time.time())
        print(f"restored {file} into {folder}, with a new epoch")
        if done.replaced is not None:
            print(f"what was there before: {done.replaced}")


@app.command()
def stats(data: DataFolder = None, _config: ConfigOption = None) -> None:
    """Show how large the database is, room by room, and how it grows.

    A server may run meanwhile.

    \b
    Examples:
      securechat db stats
      securechat db stats --data /srv/chat
    """
    with reported():
        from ..store import maintenance

        print("\n".join(show_stats(maintenance.stats(data_folder(data), time.time()))))


# ------------------------------------------------------------------ what is shown


def show_stats(found: Stats) -> list[str]:
    """The lines of `securechat db stats`."""
    rows = [
        (room.name, f"{room.messages:,}", size_of(room.weight))
        for room in found.rooms[:_ROOMS_SHOWN]
    ]
    others = found.rooms[_ROOMS_SHOWN:]
    if others:
        messages = sum(room.messages for room in others)
        weight = sum(room.weight for room in others)
        rows.append((f"{len(others)} others", f"{messages:,}", size_of(weight)))
    rows.insert(0, ("room", "messages", "size"))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [f"{a:<{widths[0]}}  {b:>{widths[1]}}  {c:>{widths[2]}}" for a, b, c in rows]
    removed = f", {found.removed:,} removed" if found.removed else ""
    lines += [
        "",
        f"{found.path}: {size_of(found.file_bytes)} with its log, "
        f"{size_of(found.reusable_bytes)} of it free for new messages{_beside(found.server)}",
        f"{count_of(found.messages, 'message')}{removed}",
    ]
    if found.index_bytes:
        lines.insert(-1, f"index for searching: {size_of(found.index_bytes)}")
    if found.bytes_per_day > 0:
        lines.append(
            f"pace: {found.messages_per_day:,.0f} messages and {size_of(found.bytes_per_day)} "
            f"a day (over the last {_days(found.pace_days)})"
        )
    full = "at this pace it is never full"
    if found.full_on is not None:
        full = f"at this pace, and if nothing is removed, it is full on {found.full_on.isoformat()}"
    elif found.bytes_per_day > 0:
        full = "at this pace it is not full within ten years"
    lines.append(f"disk: {size_of(found.free_disk_bytes)} free; {full}")
    return lines


def _days(days: float) -> str:
    return count_of(round(days), "day") if days >= 2 else count_of(round(days * 24), "hour")


def _beside(server: int | None) -> str:
    if server is None:
        return ""
    return f" (a server is running: process {server})" if server else " (a server is running)"


def data_folder(data: Path | None) -> Path:
    """The server's data folder: the one that is named, or the user's."""
    return data or default_data()


def _option(data: Path | None) -> str:
    return "" if data is None else f" --data {shlex.quote(str(data))}"
