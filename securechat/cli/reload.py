"""`securechat reload`: tell a running server to load its certificates again."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Annotated

import typer

from .configuring import ConfigOption
from .report import complain, reported
from .serve import default_data


def reload(
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The server's data folder, as `serve` has it.",
            show_default="your user data folder",
        ),
    ] = None,
    _config: ConfigOption = None,
) -> None:
    """Have a running server load its certificate again.

    New connections are shown what is in its folder then. Nobody is disconnected. A pair that cannot
    be used is refused and the old one stays; the server's log says which it was.

    \b
    Examples:
      securechat reload
      securechat reload --data /srv/chat
    """
    with reported():
        from ..store.lock import holder_of

        folder = data or default_data()
        process = holder_of(folder)
        if not process:
            complain(
                f"No server runs on {folder}. Name its data folder with --data; one that keeps "
                "nothing is told with `kill -HUP`."
            )
            raise typer.Exit(1)
        try:
            os.kill(process, signal.SIGHUP)
        except OSError as error:
            complain(
                f"Process {process} cannot be told ({error.strerror}). Be the user that it runs as."
            )
            raise typer.Exit(1) from None
        print(f"told process {process}; its log says whether the certificates could be used")
