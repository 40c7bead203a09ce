"""`securechat invite`: one line that lets somebody in, with the server's key in it.

A group of commands, `app`; what is no command of it is a nick: `securechat invite bob` makes an
invite for bob. The line goes to stdout and nothing else, unless that is a terminal.
"""

from __future__ import annotations

import re
import shutil
import sys
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.core import TyperGroup

from ..config import MAX_INVITE_DAYS
from ..target import DEFAULT_PORT, Target, parse_target
from .configuring import ConfigOption
from .operator import AsJson, DataFolder, operate, show
from .options import check_nick, check_room, check_target
from .report import complain, is_terminal, put, reported

if TYPE_CHECKING:
    from ..server.operate import Answer

_MAKE: Final = "make"
_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400}
_TTL: Final = re.compile(r"([0-9]{1,6})([smhdw])")
_DEFAULT_CERTS: Final = Path("certs")


class _Group(TyperGroup):
    """What does not begin with a command's name is meant for `make`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or args[0] not in {*self.commands, *ctx.help_option_names}:
            args = [_MAKE, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    name="invite",
    cls=_Group,
    help="Let somebody in: `securechat invite [NICK]` prints one line that is all they need.",
    epilog="`securechat invite bob` is short for `securechat invite make bob`.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _check_nick(nick: str | None) -> str | None:
    return None if nick is None else check_nick(nick)


def _check_room(room: str | None) -> str | None:
    return None if room is None else check_room(room)


def _check_host(host: str | None) -> str | None:
    return None if host is None else check_target(host)


def parse_ttl(text: str) -> str:
    """How long, as in 2d, 12h, 30m or 1w; a usage error for anything else."""
    found = _TTL.fullmatch(text)
    if found is None or int(found[1]) == 0:
        raise typer.BadParameter("a time is a number and s, m, h, d or w, for example 2d")
    if _seconds(text) > MAX_INVITE_DAYS * _UNITS["d"]:
        raise typer.BadParameter(f"{MAX_INVITE_DAYS} days at most: longer is an account")
    return text


def _seconds(ttl: str) -> float:
    return float(int(ttl[:-1]) * _UNITS[ttl[-1]])


@app.command(_MAKE)
def make(
    nick: Annotated[
        str | None,
        typer.Argument(
            metavar="[NICK]", help="Whom it is for.", callback=_check_nick, show_default=False
        ),
    ] = None,
    room: Annotated[
        str | None,
        typer.Option(metavar="ROOM", help="Where they come in.", callback=_check_room),
    ] = None,
    uses: Annotated[
        int, typer.Option(min=1, max=10_000, metavar="N", help="How many may come by it.")
    ] = 1,
    ttl: Annotated[
        str, typer.Option(metavar="TIME", help="How long it is good for.", callback=parse_ttl)
    ] = "2d",
    host: Annotated[
        str | None,
        typer.Option(
            metavar="HOST[:PORT]",
            help="Where people reach this server.",
            show_default="where it listens",
            callback=_check_host,
        ),
    ] = None,
    certs: Annotated[
        Path, typer.Option(metavar="DIR", help="The server's certificate, when it is not running.")
    ] = _DEFAULT_CERTS,
    data: DataFolder = None,
    _config: ConfigOption = None,
    no_qr: Annotated[bool, typer.Option("--no-qr", help="No QR code on a terminal.")] = False,
) -> None:
    """Make an invite, and print the line that is to be passed on.

    Whoever has the line first comes in by it: pass it on in a way that others do not read.

    \b
    Examples:
      securechat invite bob
      securechat invite bob --room ops --host chat.example.org
      securechat invite --uses 20 --ttl 1w --room lobby
    """
    with reported():
        from ..chat.admin import ListInvites, MakeInvite
        from ..client.invite_link import InviteLink

        where, fingerprint = _whereabouts(operate(data, ListInvites()), host, certs)
        request = MakeInvite(nick=nick, room=room, uses=uses, ttl=_seconds(ttl))
        [row] = operate(data, request).rows
        link = InviteLink(where.host, where.port, row["token"], fingerprint).render()
        if not is_terminal(sys.stdout):
            put([link])
            return
        if not no_qr:
            _show_code(link)
        put([link])
        _explain(row, uses)


@app.command("list")
def list_(data: DataFolder = None, _config: ConfigOption = None, as_json: AsJson = False) -> None:
    """List the invites that may still be used; the lines themselves are kept nowhere.

    \b
    Examples:
      securechat invite list
    """
    with reported():
        from ..chat.admin import ListInvites

        rows = operate(data, ListInvites()).rows
        show(rows, ("invite", "nick", "room", "uses", "expires"), as_json=as_json)


@app.command()
def revoke(
    invite: Annotated[str, typer.Argument(metavar="ID", help="As `list` has it.")],
    data: DataFolder = None,
    _config: ConfigOption = None,
) -> None:
    """Let nobody in by an invite any more; who came by it stays.

    \b
    Examples:
      securechat invite revoke 6b3f09c2a1d4
    """
    with reported():
        from ..chat.admin import RevokeInvite

        operate(data, RevokeInvite(invite=invite))
        print(f"{invite} is revoked")


# ------------------------------------------------------------------ what the line says


def _whereabouts(answer: Answer, host: str | None, certs: Path) -> tuple[Target, str]:
    """Where the server is, and the fingerprint of its key; raises `OperatorError`."""
    from ..server.operate import OperatorError

    listens = Target("localhost", DEFAULT_PORT)
    if answer.facts:
        listens = Target(*answer.facts["addresses"][0])
        fingerprint = str(answer.facts["fingerprint"])
    else:
        fingerprint = _fingerprint_in(certs)
    if host is not None:
        named = parse_target(host)
        has_port = named.port != DEFAULT_PORT or host.endswith(f":{DEFAULT_PORT}")
        return named if has_port else Target(named.host, listens.port), fingerprint
    if _is_wildcard(listens.host):
        raise OperatorError(
            f"The server listens on every address ({listens.host}). Say by which one people reach "
            "it: --host chat.example.org"
        )
    if listens.host == "localhost" or ip_address(listens.host).is_loopback:
        complain("this invite is of use on this machine only; --host names another way to it")
    return listens, fingerprint


def _is_wildcard(host: str) -> bool:
    return host != "localhost" and ip_address(host).is_unspecified


def _fingerprint_in(certs: Path) -> str:
    from .. import certs as certificates

    return certificates.check_server_pair(certs, now=datetime.now(UTC)).key_fingerprint


def _show_code(link: str) -> None:
    """The line as a picture where it fits; first, or it would push the line off the screen."""
    from .qr import draw

    picture = draw(link)
    if len(picture[0]) <= shutil.get_terminal_size().columns:
        put([*picture, ""])


def _explain(row: dict[str, Any], uses: int) -> None:
    """What a person should know."""
    for_whom = row["nick"] or ("whoever has it" if uses == 1 else f"the first {uses} who have it")
    until = str(row["expires"])[:16].replace("T", " ")
    put(
        [
            "",
            f"For {for_whom}, until {until} UTC. They type, with the line between single quotes:",
            "  securechat connect 'securechat://…'",
            f"To take it back: securechat invite revoke {row['invite']}",
        ]
    )
