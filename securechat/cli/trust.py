"""`securechat trust`: the servers whose keys we remember; listed, forgotten, replaced."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from ..errors import ClientError
from ..target import parse_target
from . import completing
from .options import check_target
from .report import complain, reported
from .trusting import check_fingerprint

if TYPE_CHECKING:
    from ..client.known_file import KnownFile
    from ..client.known_servers import KnownServers, Server

app = typer.Typer(
    name="trust",
    help="The servers whose keys this user remembers.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

_Target: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="HOST[:PORT]",
        callback=check_target,
        autocompletion=completing.known_servers,
        show_default=False,
    ),
]


@app.command("list")
def list_() -> None:
    """List the servers we know.

    Each with the fingerprint of its key, and since when. `authorities` stands for one that this
    machine's certificate authorities vouch for.

    \b
    Examples:
      securechat trust list
    """
    with reported():
        file = _file()
        entries = file.load().entries
        for server, known in sorted(entries.items()):
            print(f"{server}  {known.key}  {known.since.isoformat()}")
        if not entries:
            complain(f"no server is known yet ({file.path})")


@app.command()
def forget(server: _Target) -> None:
    """Forget a server; the next `connect` asks.

    \b
    Examples:
      securechat trust forget chat.example.org
      securechat trust forget localhost:7000
    """
    with reported():
        where = _server(server)

        def edit(known: KnownServers) -> KnownServers:
            if known.find(where) is None:
                raise ClientError(
                    f"{where} is not known, so there is nothing to forget; "
                    "`securechat trust list` shows who is."
                )
            return known.without(where)

        _file().change(edit)
        print(f"{where} is forgotten")


@app.command()
def replace(
    server: _Target,
    fingerprint: Annotated[
        str,
        typer.Argument(metavar="SHA256:…", callback=check_fingerprint, show_default=False),
    ],
) -> None:
    """Trust a server by another key from now on.

    Ask whoever runs the server for the fingerprint, in another way than through this connection.

    \b
    Examples:
      securechat trust replace chat.example.org SHA256:…
    """
    with reported():
        where, before = _server(server), "unknown"

        def edit(known: KnownServers) -> KnownServers:
            nonlocal before
            old = known.find(where)
            before = before if old is None else old.key
            return known.with_key(where, fingerprint, datetime.now(UTC).date())

        _file().change(edit)
        print(f"{where} is trusted by {fingerprint} (before: {before})")


def _server(target: str) -> Server:
    from ..client.known_servers import Server

    return Server.at(*parse_target(target))


def _file() -> KnownFile:
    from ..client.known_file import KnownFile
    from ..client.state import default_state_dir

    return KnownFile(default_state_dir())
