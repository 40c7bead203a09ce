"""`securechat serve`: what a server can be told; `server.app` does the work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from ..config import BOUNDS
from . import strangers
from .configuring import ConfigOption
from .limits import LimitOption, settle
from .numbers import within
from .report import reported

_KEEP_ROOM: Final = "give ROOM=DAYS, ROOM=DAYS,MB or ROOM=,MB, as in '#ops=365'"
#: Characters of what was typed that an error repeats.
_SHOWN: Final = 40


def serve(
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, within("port", metavar="N", help="Port; 0: any free one.")] = 55555,
    certs: Annotated[
        Path,
        typer.Option(metavar="DIR", help="Folder with cert.pem and key.pem; made if it is empty."),
    ] = Path("certs"),
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder for history; `:memory:` keeps nothing.",
            show_default="your user data folder",
        ),
    ] = None,
    keep_days: Annotated[
        float | None,
        within("keep_days", metavar="N", help="Remove messages older than N days."),
    ] = None,
    keep_mb: Annotated[
        float | None,
        within("keep_mb", metavar="N", help="Remove the oldest beyond N megabytes."),
    ] = None,
    keep_room: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROOM=DAYS[,MB]", help="What one room keeps instead; may be repeated."
        ),
    ] = None,
    guest_days: Annotated[
        float,
        within("guest_days", metavar="N", help="How long an unused guest keeps nick and messages."),
    ] = 7.0,
    guests: Annotated[
        strangers.YesNo, typer.Option(help="Whether somebody without an account may come in.")
    ] = strangers.YesNo.YES,
    io_threads: Annotated[
        int, within("io_threads", metavar="N", help="Threads for connections.")
    ] = 1,
    rate: Annotated[
        float,
        within("rate", metavar="PER_SECOND", help="Frames per connection; 0: no limit."),
    ] = 20.0,
    burst: Annotated[int, within("burst", metavar="N", help="Frames that may come at once.")] = 100,
    grace: Annotated[
        float,
        within("grace", metavar="SECONDS", help="How long a lost link is not yet a departure."),
    ] = 30.0,
    client_ca: strangers.ClientCa = None,
    trust_loopback: strangers.TrustLoopback = strangers.YesNo.YES,
    per_address: strangers.PerAddress = strangers.DEFAULTS.per_address,
    new_per_address: strangers.NewPerAddress = strangers.DEFAULTS.new_per_second,
    handshakes: strangers.Handshakes = strangers.DEFAULTS.handshakes,
    greeting: strangers.Greeting = strangers.DEFAULTS.greeting,
    messages_per_address: strangers.MessagesPerAddress = strangers.DEFAULTS.messages,
    limit: LimitOption = None,
    json_log: Annotated[
        bool,
        typer.Option(
            "--json-log/--no-json-log", help="Log one JSON object a line.", show_default=False
        ),
    ] = False,
    _config: ConfigOption = None,
) -> None:
    """Serve a chat until Ctrl-C or SIGTERM.

    \b
    Examples:
      securechat serve
      securechat serve --host 0.0.0.0 --port 55555 --certs /etc/securechat
      securechat serve --rate 0 --json-log
      securechat serve --guests no
      securechat serve --keep-days 90 --keep-room '#ops=365'
      securechat serve --client-ca certs/ca.pem
      securechat serve --limit gate.longest-wait=20
    """
    with reported():
        from ..config import ChatLimits, GateLimits, LoginLimits, ServerConfig
        from ..server.app import run

        parts = {
            "chat": ChatLimits(
                rate=rate,
                burst=burst,
                grace=grace,
                guest_days=guest_days,
                guests=guests is strangers.YesNo.YES,
            ),
            "gate": GateLimits(
                trust_loopback=trust_loopback is strangers.YesNo.YES,
                per_address=per_address,
                new_per_second=new_per_address,
                handshakes=handshakes,
                greeting=greeting,
                messages=messages_per_address,
            ),
            "logins": LoginLimits(),
        }
        held = settle(parts, limit or ())
        config = ServerConfig(
            host=host,
            port=port,
            certs=certs,
            data=str(data) if data is not None else str(default_data()),
            keep_days=keep_days,
            keep_mb=keep_mb,
            keep_rooms=tuple(_parse_room(one) for one in keep_room or ()),
            io_threads=io_threads,
            client_ca=client_ca,
            limits=held["chat"],
            gate=held["gate"],
            logins=held["logins"],
        )
        raise typer.Exit(run(config, json_log=json_log))


def default_data() -> Path:
    """Where a server keeps its history unless it is told."""
    from platformdirs import user_data_path

    return user_data_path("securechat", appauthor=False)


def _parse_room(text: str) -> tuple[str, float | None, float | None]:
    """`#ops=365`, `#ops=30,100` or `#ops=,100`: a room, its days and its megabytes."""
    room, equals, kept = text.partition("=")
    days, _, megabytes = kept.partition(",")
    if not equals or not room.strip("#"):
        raise _wrong_room(text, _KEEP_ROOM)
    return (
        "#" + room.removeprefix("#"),
        _parse_kept(text, "keep_days", days),
        _parse_kept(text, "keep_mb", megabytes),
    )


def _parse_kept(whole: str, key: str, text: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        raise _wrong_room(whole, _KEEP_ROOM) from None
    if refusal := BOUNDS[key].refusal(value):
        raise _wrong_room(whole, f"{key.removeprefix('keep_')} must be {refusal}")
    return value


def _wrong_room(whole: str, why: str) -> typer.BadParameter:
    shown = whole if len(whole) <= _SHOWN else f"{whole[:_SHOWN]}…"
    return typer.BadParameter(f"{shown!r}: {why}", param_hint="--keep-room")
