"""`securechat gen-certs`: the certificates of a server, and the CA that its clients trust."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from .report import reported


def gen_certs(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the four files.")] = Path(
        "certs"
    ),
    host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Name or address that clients will use, besides localhost; may be repeated.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace what is there; clients need the new ca.pem.")
    ] = False,
    renew: Annotated[
        bool, typer.Option("--renew", help="New certificate from the same CA and the same key.")
    ] = False,
) -> None:
    """Make a CA, and with it a certificate for this machine.

    \b
    Examples:
      securechat gen-certs
      securechat gen-certs --host chat.example.org --host 192.0.2.7
      securechat gen-certs --renew
    """
    if renew and (force or host):
        raise typer.BadParameter(
            "--renew keeps the names and the key; for other names leave it out and add --force."
        )
    with reported():
        from .. import certs

        now = datetime.now(UTC)
        made = (
            certs.renew(out, now=now)
            if renew
            else certs.make(out, host or (), force=force, now=now)
        )
        print(certs.describe(made), flush=True)
