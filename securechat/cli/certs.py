"""`securechat gen-certs`: the certificates of a server, and the CA that its clients trust."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from . import completing
from .report import reported


def _check_client(nick: str | None) -> str | None:
    """A nick that a server will take; a usage error for what is none."""
    from ..chat.nicks import parse_nick
    from ..errors import Rejected

    if nick is None:
        return None
    try:
        return parse_nick(nick).text
    except Rejected as no:
        raise typer.BadParameter(no.message) from None


def gen_certs(
    out: Annotated[
        Path,
        typer.Option("--out", "--certs", metavar="DIR", help="Folder for the four files."),
    ] = Path("certs"),
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
    client: Annotated[
        str | None,
        typer.Option(
            metavar="NICK",
            help="Make a certificate for this nick instead; see `serve --client-ca`.",
            callback=_check_client,
            autocompletion=completing.nicks,
        ),
    ] = None,
) -> None:
    """Make a CA, and with it a certificate for this machine.

    \b
    Examples:
      securechat gen-certs
      securechat gen-certs --host chat.example.org --host 192.0.2.7
      securechat gen-certs --renew
      securechat gen-certs --client alice
    """
    if renew and (force or host):
        raise typer.BadParameter(
            "--renew keeps the names and the key; for other names leave it out and add --force."
        )
    if client is not None and (renew or host):
        raise typer.BadParameter("--client makes one file for one nick; it takes --out and --force")
    with reported():
        from .. import certs

        now = datetime.now(UTC)
        if client is not None:
            person = certs.make_client(out, client, force=force, now=now)
            print(certs.describe_client(person), flush=True)
            return
        made = (
            certs.renew(out, now=now)
            if renew
            else certs.make(out, host or (), force=force, now=now)
        )
        print(certs.describe(made), flush=True)
