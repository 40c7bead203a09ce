"""What all commands that reach a server have in common: where it is, whom to trust, as whom.

The types of their options, checked, and `client_config`, which makes of them what a client starts
from. Raised: `typer.BadParameter` for what cannot be meant, and what `trusting` raises.
"""

from __future__ import annotations

import signal
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..target import parse_target
from . import completing, trusting
from .configuring import check_server
from .passwords import NoPassword, read_password
from .report import Terminated

if TYPE_CHECKING:
    from ..client.client import ClientConfig
    from ..client.trust_policy import Wishes


def check_target(text: str) -> str:
    """HOST[:PORT], as it was."""
    try:
        parse_target(text)
    except ValueError as problem:
        raise typer.BadParameter(str(problem)) from None
    return text


def check_nick(nick: str) -> str:
    """A nick, as far as it can be judged here."""
    if not 1 <= len(nick) <= 32:
        raise typer.BadParameter("a nick has 1 to 32 characters, for example bob")
    return nick


def check_room(room: str) -> str:
    """The room that a person means, with or without its #."""
    from ..client.arguments import BadInput, room_name

    try:
        return room_name(room)
    except BadInput as problem:
        raise typer.BadParameter(str(problem)) from None


def check_address(address: str) -> str:
    """A room, or @NICK."""
    if not address.startswith("@"):
        return check_room(address)
    return "@" + check_nick(address[1:])


NickOption = Annotated[
    str,
    typer.Option(
        "--nick",
        metavar="NICK",
        help="What others call you.",
        callback=check_nick,
        autocompletion=completing.nicks,
    ),
]
HostOption = Annotated[
    str,
    typer.Option(
        "--host",
        metavar="HOST[:PORT]",
        help="Where the server is, or the name of a profile.",
        callback=check_server,
        autocompletion=completing.servers,
    ),
]
RoomArgument = Annotated[
    str,
    typer.Argument(
        metavar="ROOM",
        help="lobby or #lobby.",
        callback=check_room,
        autocompletion=completing.rooms,
    ),
]
AddressArgument = Annotated[
    str,
    typer.Argument(
        metavar="ROOM|@NICK",
        help="A room, or @ and the nick of one person.",
        callback=check_address,
        autocompletion=completing.addresses,
    ),
]


def client_config(
    server: str, nick: str, wishes: Wishes, *, password_file: str | None = None, **more: Any
) -> ClientConfig:
    """What a client of this user starts from; `more` goes to `ClientConfig`.

    A server that is not known yet is met here, and a person is asked about its key.
    """
    if password_file is not None:
        from pydantic import SecretStr

        more["password"] = SecretStr(check_password(read_password(password_file, "")))
    from ..client.client import ClientConfig
    from ..client.state import default_state_dir

    host, port = parse_target(server)
    return ClientConfig(
        host=host,
        port=port,
        nick=nick,
        trust=trusting.settle(host, port, wishes),
        certificate=wishes.certificate,
        state_dir=default_state_dir(),
        **more,
    )


def check_password(password: str) -> str:
    """A password that fits into its envelope; raises `NoPassword`."""
    from ..protocol.envelopes import MAX_PASSWORD

    if not 1 <= len(password) <= MAX_PASSWORD:
        raise NoPassword(f"A password has 1 to {MAX_PASSWORD} characters. This is another one.")
    return password


def end_on_sigterm() -> None:
    """Have SIGTERM raise `Terminated` from now on, so that all is left in order."""
    signal.signal(signal.SIGTERM, _terminate)


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise Terminated
