"""`securechat serve`: what a server can be told; `server.app` does the work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .report import reported


def serve(
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="N", help="Port; 0: any free one.")
    ] = 55555,
    certs: Annotated[
        Path,
        typer.Option(metavar="DIR", help="Folder with cert.pem and key.pem; made if it is empty."),
    ] = Path("certs"),
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for history; without: in memory.")
    ] = None,
    io_threads: Annotated[
        int, typer.Option(min=1, max=64, metavar="N", help="Threads for connections.")
    ] = 1,
    rate: Annotated[
        float,
        typer.Option(min=0, metavar="PER_SECOND", help="Frames per connection; 0: no limit."),
    ] = 20.0,
    burst: Annotated[
        int, typer.Option(min=1, metavar="N", help="Frames that may come at once.")
    ] = 100,
    grace: Annotated[
        float,
        typer.Option(min=0, metavar="SECONDS", help="How long a lost link is not yet a departure."),
    ] = 30.0,
    json_log: Annotated[
        bool, typer.Option("--json-log", help="Log one JSON object a line.")
    ] = False,
) -> None:
    """Serve a chat until Ctrl-C or SIGTERM.

    \b
    Examples:
      securechat serve
      securechat serve --host 0.0.0.0 --port 55555 --certs /etc/securechat
      securechat serve --rate 0 --json-log
    """
    with reported():
        from ..config import ChatLimits, ServerConfig
        from ..server.app import run

        limits = ChatLimits(rate=rate, burst=burst, grace=grace)
        chosen = {} if data is None else {"data": str(data)}
        config = ServerConfig(
            host=host, port=port, certs=certs, io_threads=io_threads, limits=limits, **chosen
        )
        raise typer.Exit(run(config, json_log=json_log))
