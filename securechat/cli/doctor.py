"""`securechat doctor`: what is between here and a server, or what a server stands on.

Each finding is one line: a mark (`ok`, `warn`, `fail`, `-` for what was not reached), of what, how
it is, and behind `->` a command that mends it. The exit code is 1 where something fails, else 0.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from . import completing, trusting
from .configuring import LenientConfigOption, ProfileOption, check_server, file_of, settings_of
from .options import end_on_sigterm
from .report import put, reported

if TYPE_CHECKING:
    from ..client.trust_policy import Wishes
    from ..findings import Finding

_WIDTH: Final = 12


def doctor(
    context: typer.Context,
    server: Annotated[
        str,
        typer.Argument(
            metavar="HOST[:PORT]",
            help="Where the server is, or the name of a profile.",
            callback=check_server,
            autocompletion=completing.servers,
        ),
    ] = "localhost",
    *,
    of_server: Annotated[
        bool, typer.Option("--server", help="Look at what a server here stands on.")
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="With --server: its data folder, as `serve` has it.",
            show_default="your user data folder",
        ),
    ] = None,
    certs: trusting.Certs = None,
    ca: trusting.CaFile = None,
    fingerprint: trusting.Fingerprint = None,
    client_cert: trusting.ClientCert = None,
    nick: Annotated[
        str | None,
        typer.Option(
            metavar="NICK",
            help="With --client-cert: the nick it is for.",
            autocompletion=completing.nicks,
        ),
    ] = None,
    _config: LenientConfigOption = None,
    _profile: ProfileOption = None,
    timeout: Annotated[
        float, typer.Option(min=0.1, max=60, metavar="SECONDS", help="How long each step may take.")
    ] = 5.0,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object for each finding.")
    ] = False,
) -> None:
    """Look for what is wrong: name, port, TLS, certificate, key, clock, files, terminal.

    With --server it looks at what a server stands on: disk, database, descriptors, certificates.
    Each finding is one line, with a command that mends it where there is one.

    \b
    Examples:
      securechat doctor
      securechat doctor chat.example.org:7000
      securechat doctor --server --data /srv/chat
      securechat doctor --json | jq -r 'select(.mark != "ok") | .cure'
    """
    with reported():
        from ..findings import Mark

        end_on_sigterm()
        if of_server:
            findings = _of_server(context, data, certs)
        else:
            wishes = partial(
                trusting.wishes, certs, ca, fingerprint, accept_new=False, certificate=client_cert
            )
            name = nick if client_cert is not None else None
            findings = _of_way(context, server, wishes, name, timeout)
        has_failed = False
        for one in findings:
            has_failed = has_failed or one.mark is Mark.FAIL
            put([_json(one) if as_json else _line(one)])
        raise typer.Exit(1 if has_failed else 0)


def _of_way(
    context: typer.Context,
    server: str,
    wishes: Callable[[], Wishes],
    nick: str | None,
    timeout: float,
) -> Iterator[Finding]:
    from ..client.examine import examine
    from ..client.known_file import KnownFile
    from ..client.state import default_state_dir
    from ..client.surroundings import examine_settings, examine_state
    from ..errors import NotTrusted
    from ..findings import fail
    from ..target import parse_target
    from . import surface

    yield examine_settings(file_of(context))
    folder = default_state_dir()
    yield from examine_state(folder)
    yield from surface.examine(surface.standard())
    try:
        said = wishes()
    except NotTrusted as error:
        yield fail("trust", str(error))
        return
    host, port = parse_target(server)
    yield from examine(host, port, said, KnownFile(folder), nick=nick, timeout=timeout)


def _of_server(context: typer.Context, data: Path | None, certs: Path | None) -> Iterator[Finding]:
    from ..client.surroundings import examine_settings
    from ..findings import fail
    from ..server.examine import examine
    from .serve import default_data

    yield examine_settings(file_of(context))
    settings = settings_of(context)
    try:
        connections = _most_connections(settings.serve.limit or ())
    except typer.BadParameter as problem:
        cure = f"${{EDITOR:-vi}} {shlex.quote(str(settings.path))}"
        yield fail("limits", problem.message, cure)
        connections = _most_connections(())
    yield from examine(data or default_data(), certs or trusting.DEFAULT_CERTS, connections)


def _most_connections(said: Iterable[str]) -> int:
    """How many a server takes that is told of these limits; raises `typer.BadParameter`."""
    from ..config import ChatLimits, GateLimits, LoginLimits
    from .limits import settle

    parts = {"chat": ChatLimits(), "gate": GateLimits(), "logins": LoginLimits()}
    chat: ChatLimits = settle(parts, said)["chat"]
    return chat.connections


def _line(one: Finding) -> str:
    from ..client.harmless import encodable, harmless_line

    cure = f" -> {one.cure}" if one.cure else ""
    text = f"{one.mark.value:<5}{one.topic:<{_WIDTH}} {one.text}{cure}"
    return encodable(harmless_line(text), sys.stdout.encoding)


def _json(one: Finding) -> str:
    from . import jsonlines

    keys = {"mark": one.mark.value, "topic": one.topic, "text": one.text, "cure": one.cure or None}
    return jsonlines.line("finding", keys)
