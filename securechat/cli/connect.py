"""`securechat connect`: what a client can be told, and which front end it gets.

On a terminal the full screen, if the extra `tui` is installed, or the line mode; otherwise the pipe
mode, or with `--json` the one for programs. Before either begins, `trusting` finds which server it
must be.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from enum import Enum
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from . import completing, joining, trusting
from .configuring import ConfigOption, ProfileOption, check_server, is_invite, settings_of
from .options import (
    check_nick,
    check_room,
    client_config,
    end_on_sigterm,
)
from .passwords import PasswordFile
from .report import Terminated, complain, is_terminal, reported

if TYPE_CHECKING:
    from ..client.client import ChatClient, ClientConfig
    from ..client.unfinished import Unfinished
    from ..settings import Settings


class Wanted(NamedTuple):
    """How one wants to chat."""

    front: Front
    settings: Settings
    colour: bool
    plain: bool


class Front(Enum):
    """What one chats with."""

    FULL_SCREEN = "full screen"
    LINE = "line mode"
    PIPE = "pipe mode"
    JSON = "JSON lines"


#: Seconds that the full screen waits to hear that a password is needed.
_FIRST_WORD: Final = 1.0


def _check_rooms(rooms: list[str] | None) -> list[str]:
    return [check_room(room) for room in rooms or ()]


def check_server_or_invite(context: typer.Context, server: str) -> str:
    """HOST[:PORT], that of a profile, or an invite."""
    if not is_invite(server):
        return check_server(context, server)
    from ..client.invite_link import InviteLink

    try:
        InviteLink.parse(server)
    except ValueError as problem:
        raise typer.BadParameter(str(problem)) from None
    return server


def connect(
    context: typer.Context,
    server: Annotated[
        str,
        typer.Argument(
            metavar="HOST[:PORT]|INVITE",
            help="Where the server is, the name of a profile, or an invite.",
            callback=check_server_or_invite,
            autocompletion=completing.servers,
        ),
    ] = "localhost",
    *,
    nick: Annotated[
        str | None,
        typer.Option(
            metavar="NICK",
            help="What others call you; an invite may name one.",
            callback=lambda nick: None if nick is None else check_nick(nick),
        ),
    ] = None,
    room: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROOM",
            help="Room to enter; may be repeated.  [default: where you were last, or lobby]",
            callback=_check_rooms,
            autocompletion=completing.rooms,
        ),
    ] = None,
    certs: trusting.Certs = None,
    ca: trusting.CaFile = None,
    fingerprint: trusting.Fingerprint = None,
    accept_new: trusting.AcceptNew = False,
    password_file: PasswordFile = None,
    client_cert: trusting.ClientCert = None,
    _config: ConfigOption = None,
    _profile: ProfileOption = None,
    no_reconnect: Annotated[
        bool,
        typer.Option(
            "--no-reconnect/--reconnect",
            help="End when the connection is lost.",
            show_default=False,
        ),
    ] = False,
    no_color: Annotated[
        bool,
        typer.Option(
            "--no-color/--color",
            help="No colours; NO_COLOR=1 says the same.",
            show_default=False,
        ),
    ] = False,
    by_line: Annotated[
        bool,
        typer.Option(
            "--line/--no-line",
            help="Line by line, instead of the full screen.",
            show_default=False,
        ),
    ] = False,
    plain: Annotated[
        bool,
        typer.Option(
            "--plain/--no-plain",
            help="As --line, without colours and cursor moves: for screen readers.",
            show_default=False,
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object per line, both ways: for programs.")
    ] = False,
) -> None:
    """Connect to a server and chat: typing on a terminal, or line by line through a pipe.

    \b
    Examples:
      securechat connect --nick bob
      securechat connect 'securechat://chat.example.org:55555/#…'
      securechat connect chat.example.org:7000 --nick bob --room garden
      securechat connect [::1]:55555 --nick bob --certs ~/chat-certs
      securechat connect chat.example.org --nick bot --fingerprint SHA256:…
      uptime | securechat connect --nick bot --room status
      echo '{"text": "hi"}' | securechat connect --nick bot --json
    """
    with reported():
        end_on_sigterm()
        front = _front_end(as_json=as_json, by_line=by_line or plain)
        invited = is_invite(server)
        if nick is None and not invited:
            raise typer.BadParameter("say what others call you: --nick NICK")
        if front is Front.FULL_SCREEN:  # the imports take a while
            print("accepting the invite …" if invited else f"connecting to {server} …", flush=True)
        wishes = trusting.wishes(
            certs, ca, fingerprint, accept_new=accept_new, certificate=client_cert
        )
        if invited:
            server, nick, leads_to = joining.accept(server, nick, wishes)
            room = room or ([leads_to] if leads_to else None)
        from ..chat.room import LOBBY

        config = client_config(
            server,
            nick or "",
            wishes,
            password_file=password_file,
            rooms=tuple(room or [LOBBY]),
            reconnect=not no_reconnect,
            keeps_rooms=front in (Front.FULL_SCREEN, Front.LINE),
        )
        if not room and config.keeps_rooms:
            config = _where_one_was(config)
        look = Wanted(front, settings_of(context), colour=not no_color, plain=plain)
        raise typer.Exit(joining.with_password(config, lambda known: _chat(known, look)))


def _where_one_was(config: ClientConfig) -> ClientConfig:
    """Begin in the rooms in which this person was last; scripts begin where they say."""
    from ..client.whereabouts import Whereabouts

    assert config.state_dir is not None
    rooms = Whereabouts(config.state_dir, config.host, config.port, config.nick).load()
    return replace(config, rooms=rooms) if rooms else config


def _front_end(*, as_json: bool, by_line: bool) -> Front:
    """The full screen on a terminal that can, if it is installed; else the line mode or a pipe."""
    if as_json:
        return Front.JSON
    if not (is_terminal(sys.stdin) and is_terminal(sys.stdout)):
        return Front.PIPE
    is_dumb = os.environ.get("TERM", "dumb") == "dumb"
    if not by_line and not is_dumb and find_spec("textual") is not None:
        return Front.FULL_SCREEN
    return Front.LINE if find_spec("readline") is not None else Front.PIPE


def _chat(config: ClientConfig, wanted: Wanted) -> int:
    """Run the front end that fits; whatever happens, leave the server in order."""
    from ..client.client import ChatClient
    from ..client.farewell import GOODBYE

    client = ChatClient(config)
    try:
        if wanted.front is Front.FULL_SCREEN:
            return _full_screen(client, config, wanted)
        if wanted.front is Front.LINE:
            return _line_mode(client, config, wanted)
        if wanted.front is Front.JSON:
            from . import jsonpipe

            return jsonpipe.run(client, config.rooms[0])
        from . import pipe

        return pipe.run(client, config.nick, config.rooms)
    except (KeyboardInterrupt, Terminated):
        for number in (signal.SIGINT, signal.SIGTERM):  # who says it twice does not wait
            signal.signal(number, signal.SIG_DFL)
        raise
    finally:
        client.close(timeout=GOODBYE)


def _line_mode(client: ChatClient, config: ClientConfig, wanted: Wanted) -> int:
    from ..client.bell import BellLevel
    from . import line
    from .render import Look, has_many_colours, wants_colour

    plain = wanted.plain or os.environ.get("TERM", "dumb") == "dumb"
    look = Look(
        colour=wants_colour(os.environ, is_terminal=True, refused=plain or not wanted.colour),
        many_colours=has_many_colours(os.environ),
        encoding=sys.stdout.encoding,
    )
    ui = wanted.settings.ui
    return line.run(
        *(client, config.nick, config.rooms, look),
        is_plain=plain,
        bell=BellLevel(ui.bell),
        words=ui.words,
    )


def _unfinished(config: ClientConfig) -> Unfinished | None:
    from ..client.unfinished import Unfinished

    if config.state_dir is None:
        return None
    return Unfinished(config.state_dir, config.host, config.port, config.nick)


def _full_screen(client: ChatClient, config: ClientConfig, wanted: Wanted) -> int:
    from .typeahead import keys_from_now_on

    if not wanted.colour:
        os.environ["NO_COLOR"] = "1"  # which Textual obeys
    client.start()  # it looks for the server while Textual, which takes a while, is loaded
    with keys_from_now_on() as typed:
        from ..tui.app import run
        from ..tui.setup import setup_of

        setup = setup_of(wanted.settings, config.trust, os.environ, _unfinished(config))
        error = client.wait_greeted(_FIRST_WORD)
        if joining.asks_for_password(error):
            raise error  # before there is a screen to be taken away again
        return run(client, config.nick, config.rooms, complain, setup, typed=typed)
