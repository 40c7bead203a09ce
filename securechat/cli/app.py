"""The commands and what they have in common: help with examples, `--version`, exit codes."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from .. import __version__
from .admin import app as admin
from .audit import audit
from .bench import bench
from .certs import gen_certs
from .configuring import EarlyConfigOption
from .connect import connect
from .db import app as db
from .doctor import doctor
from .export import export
from .gui import gui
from .invite import app as invite
from .limits import limits
from .reload import reload
from .report import EXIT_CODES
from .run import run
from .schema import schema
from .search import search
from .send import send
from .serve import serve
from .tail import tail
from .torture import torture
from .trust import app as trust

_EPILOG: Final = "\b\nExit codes:\n" + "\n".join(
    f"  {code:>3}  {meaning}" for code, meaning in EXIT_CODES.items()
)

app = typer.Typer(
    name="securechat",
    epilog=_EPILOG,
    rich_markup_mode=None,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"securechat {__version__}")
        raise typer.Exit


@app.callback()
def root(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_show_version, help="Show the version and exit."
        ),
    ] = False,
    _config: EarlyConfigOption = None,
) -> None:
    """A chat over TLS: a server, and clients for terminals and pipes.

    \b
    For a start, in three terminals:
      securechat gen-certs
      securechat serve
      securechat connect --nick bob
    """


for _command in (
    *(gen_certs, serve, limits, reload, connect, send, run, tail, export),
    search,
    *(audit, doctor, bench, schema, torture),
    gui,
):
    app.command()(_command)
app.add_typer(admin, name="admin")
app.add_typer(db, name="db")
app.add_typer(invite, name="invite")
app.add_typer(trust, name="trust")
