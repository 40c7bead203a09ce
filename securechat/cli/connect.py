"""`securechat connect`: what a client can be told, and which front end it gets.

On a terminal the line mode, otherwise the pipe mode; with `--json` the one for
programs. Before anything is sent, the server must show a certificate for its name that the CA in
`ca.pem` has signed.
"""

from __future__ import annotations

import os
import signal
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from . import trusting
from .options import (
    NickOption,
    check_room,
    check_target,
    client_config,
    end_on_sigterm,
)
from .report import Terminated, is_terminal, reported

if TYPE_CHECKING:
    from ..client.client import ChatClient, ClientConfig


def _check_rooms(rooms: list[str] | None) -> list[str]:
    return [check_room(room) for room in rooms or ["lobby"]]


def connect(
    server: Annotated[
        str, typer.Argument(metavar="HOST[:PORT]", callback=check_target)
    ] = "localhost",
    *,
    nick: NickOption,
    room: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Room to enter; may be repeated.  [default: lobby]",
            callback=_check_rooms,
        ),
    ] = None,
    certs: trusting.Certs = None,
    ca: trusting.CaFile = None,
    fingerprint: trusting.Fingerprint = None,
    accept_new: trusting.AcceptNew = False,
    no_reconnect: Annotated[
        bool, typer.Option("--no-reconnect", help="End when the connection is lost.")
    ] = False,
    no_color: Annotated[
        bool, typer.Option("--no-color", help="No colours; NO_COLOR=1 says the same.")
    ] = False,
    plain: Annotated[
        bool, typer.Option("--plain", help="No colours and no cursor moves: for screen readers.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object per line, both ways: for programs.")
    ] = False,
) -> None:
    """Connect to a server and chat: typing on a terminal, or line by line through a pipe.

    \b
    Examples:
      securechat connect --nick bob
      securechat connect chat.example.org:7000 --nick bob --room garden
      securechat connect [::1]:55555 --nick bob --certs ~/chat-certs
      securechat connect chat.example.org --nick bot --fingerprint SHA256:…
      uptime | securechat connect --nick bot --room status
      echo '{"text": "hi"}' | securechat connect --nick bot --json
    """
    with reported():
        end_on_sigterm()
        wishes = trusting.wishes(certs, ca, fingerprint, accept_new=accept_new)
        on_terminal = is_terminal(sys.stdin) and is_terminal(sys.stdout) and _has_readline()
        config = client_config(
            server, nick, wishes, rooms=tuple(room or ()), reconnect=not no_reconnect
        )
        front = _Front(as_json, on_terminal, colour=not no_color, plain=plain)
        raise typer.Exit(_chat(config, front))


class _Front(NamedTuple):
    """Which front end, and how it looks."""

    as_json: bool
    on_terminal: bool
    colour: bool
    plain: bool


def _chat(config: ClientConfig, front: _Front) -> int:
    """Run the front end that fits; whatever happens, leave the server in order."""
    from ..client.client import ChatClient

    client = ChatClient(config)
    try:
        if front.as_json:
            from . import jsonpipe

            return jsonpipe.run(client, config.rooms[0])
        if front.on_terminal:
            return _on_terminal(client, config, colour=front.colour, plain=front.plain)
        from . import pipe

        return pipe.run(client, config.nick, config.rooms)
    except (KeyboardInterrupt, Terminated):
        for number in (signal.SIGINT, signal.SIGTERM):  # who says it twice does not wait
            signal.signal(number, signal.SIG_DFL)
        raise
    finally:
        client.close(timeout=1.0)


def _on_terminal(client: ChatClient, config: ClientConfig, *, colour: bool, plain: bool) -> int:
    from . import line
    from .render import Look, has_many_colours, wants_colour

    plain = plain or os.environ.get("TERM", "dumb") == "dumb"
    look = Look(
        colour=wants_colour(os.environ, is_terminal=True, refused=plain or not colour),
        many_colours=has_many_colours(os.environ),
        encoding=sys.stdout.encoding,
    )
    return line.run(client, config.nick, config.rooms, look, is_plain=plain)


def _has_readline() -> bool:
    return find_spec("readline") is not None
