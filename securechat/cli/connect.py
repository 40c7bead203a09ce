"""`securechat connect`: what a client can be told, and which front end it gets.

On a terminal the line mode, otherwise the pipe mode. Before anything is sent, the server must show
a certificate for its name that the CA in `ca.pem` has signed.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import sys
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple, TextIO

import typer

from ..errors import NotTrusted
from .report import Terminated, reported

if TYPE_CHECKING:
    from ..client.client import ChatClient, ClientConfig

DEFAULT_PORT: Final = 55555

_TARGET: Final = re.compile(
    r"(?: \[ (?P<v6>[^\[\]]+) \] | (?P<name>[^:\[\]\s/@]+) ) (?: : (?P<port>[0-9]{1,5}) )?",
    re.VERBOSE,
)
_BARE_V6: Final = re.compile(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.%\w]*")


class Target(NamedTuple):
    """Where the server is."""

    host: str
    port: int


def parse_target(text: str) -> Target:
    """HOST, HOST:PORT, [IPV6]:PORT or IPV6; raises ValueError with a sentence for the user."""
    if _BARE_V6.fullmatch(text):
        return Target(text, DEFAULT_PORT)
    found = _TARGET.fullmatch(text)
    if found is None:
        raise ValueError("expected HOST, HOST:PORT or [IPV6]:PORT, for example localhost:55555")
    port = int(found["port"]) if found["port"] else DEFAULT_PORT
    if not 1 <= port <= 65535:
        raise ValueError("a port is a number from 1 to 65535")
    return Target(found["v6"] or found["name"], port)


def _check_target(text: str) -> str:
    try:
        parse_target(text)
    except ValueError as problem:
        raise typer.BadParameter(str(problem)) from None
    return text


def _check_nick(nick: str) -> str:
    if not 1 <= len(nick) <= 32:
        raise typer.BadParameter("a nick has 1 to 32 characters, for example bob")
    return nick


def _check_rooms(rooms: list[str] | None) -> list[str]:
    from ..client.slash import BadInput, room_name

    try:
        return [room_name(room) for room in rooms or ["lobby"]]
    except BadInput as problem:
        raise typer.BadParameter(str(problem)) from None


def connect(
    server: Annotated[
        str, typer.Argument(metavar="HOST[:PORT]", callback=_check_target)
    ] = "localhost",
    *,
    nick: Annotated[
        str, typer.Option(metavar="NICK", help="What others call you.", callback=_check_nick)
    ],
    room: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Room to enter; may be repeated.  [default: lobby]",
            callback=_check_rooms,
        ),
    ] = None,
    certs: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder with ca.pem, which says whom to trust.")
    ] = Path("certs"),
    no_reconnect: Annotated[
        bool, typer.Option("--no-reconnect", help="End when the connection is lost.")
    ] = False,
    no_color: Annotated[
        bool, typer.Option("--no-color", help="No colours; NO_COLOR=1 says the same.")
    ] = False,
    plain: Annotated[
        bool, typer.Option("--plain", help="No colours and no cursor moves: for screen readers.")
    ] = False,
) -> None:
    """Connect to a server and chat: typing on a terminal, or line by line through a pipe.

    \b
    Examples:
      securechat connect --nick bob
      securechat connect chat.example.org:7000 --nick bob --room garden
      securechat connect [::1]:55555 --nick bob --certs ~/chat-certs
      uptime | securechat connect --nick bot --room status
    """
    with reported():
        host, port = parse_target(server)
        ca_file = _ca_file(certs)

        from ..client.client import ClientConfig
        from ..client.state import default_state_dir

        on_terminal = _is_terminal(sys.stdin) and _is_terminal(sys.stdout) and _has_readline()
        config = ClientConfig(
            host=host,
            port=port,
            nick=nick,
            rooms=tuple(room or ()),
            ca_file=ca_file,
            reconnect=not no_reconnect,
            state_dir=default_state_dir(),
        )
        raise typer.Exit(_chat(config, on_terminal=on_terminal, colour=not no_color, plain=plain))


def _chat(config: ClientConfig, *, on_terminal: bool, colour: bool, plain: bool) -> int:
    """Run the front end that fits; whatever happens, leave the server in order."""
    from ..client.client import ChatClient

    signal.signal(signal.SIGTERM, _terminate)
    client = ChatClient(config)
    try:
        if on_terminal:
            return _on_terminal(client, config, colour=colour, plain=plain)
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


def _ca_file(certs: Path) -> Path:
    path = certs / "ca.pem"
    if not path.is_file():
        raise NotTrusted(
            f"{path} is not there, so no server can be trusted. Copy ca.pem from the server's"
            f" folder into {certs}, or name its folder with --certs; for a server of your own,"
            f" `{shlex.join(['securechat', 'gen-certs', '--out', str(certs)])}` makes it."
        )
    return path


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


def _has_readline() -> bool:
    return find_spec("readline") is not None


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise Terminated
