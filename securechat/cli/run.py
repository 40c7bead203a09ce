"""`securechat run`: a command whose beginning and end are told in a room.

The command comes first: it runs whether there is a chat or not, its output passes through as it is,
and its exit code is ours.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ClientError
from . import trusting
from .configuring import ConfigOption, ProfileOption
from .options import AddressArgument, HostOption, NickOption, client_config
from .passwords import PasswordFile
from .report import complain, reported
from .send import WaitOption

if TYPE_CHECKING:
    from ..client.courier import Courier
    from ..client.trust_policy import Wishes


def run(
    to: AddressArgument,
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND...", help="What to run.")],
    *,
    nick: NickOption,
    host: HostOption = "localhost",
    certs: trusting.Certs = None,
    ca: trusting.CaFile = None,
    fingerprint: trusting.Fingerprint = None,
    accept_new: trusting.AcceptNew = False,
    password_file: PasswordFile = None,
    client_cert: trusting.ClientCert = None,
    _config: ConfigOption = None,
    _profile: ProfileOption = None,
    lines: Annotated[
        int,
        typer.Option(
            min=0, max=500, metavar="N", help="So many last lines of its output are told."
        ),
    ] = 20,
    wait: WaitOption = 10.0,
) -> None:
    """Run a command, and tell a room how it went: what was run, its exit code, its last lines.

    What the command writes passes through unchanged, and its exit code is ours (128 + N where
    signal N ended it, 127 where it was not found, 126 where it could not be run). A chat that
    cannot be reached delays nothing: what could not be told is kept, as with `send`.

    \b
    Examples:
      securechat run ci --nick ci -- make test
      securechat run ops --nick cron --lines 5 -- rsync -a /srv backup:/srv
      securechat run @carol --nick bob -- sh -c "sleep 600; echo tea"
    """
    with reported():
        from .passing import pass_through

        courier = _courier(
            to,
            nick,
            host,
            lambda: trusting.wishes(
                certs, ca, fingerprint, accept_new=accept_new, certificate=client_cert
            ),
            password_file,
        )
        if courier is not None:
            courier.start()
            _post(courier, to, f"$ {_shown(command)}")
        began = time.monotonic()
        finished = pass_through(command, lines)
        if courier is not None:
            after = f" after {_duration(time.monotonic() - began)}" if finished.started else ""
            head = f"{finished.outcome}{after}: {_shown(command)}"
            _tell(courier, to, head, finished.lines, wait)
        raise typer.Exit(finished.code)


def _courier(
    to: str, nick: str, host: str, wishes: Callable[[], Wishes], password_file: str | None
) -> Courier | None:
    """What carries our messages; None, with the reason told, where there cannot be a chat."""
    try:
        config = client_config(
            host,
            nick,
            wishes(),
            password_file=password_file,
            rooms=(to,) if to[0] == "#" else (),
            backlog=0,
            reads=False,
            patient=True,
        )
    except ClientError as problem:
        complain(f"nothing will be told: {problem}")
        return None

    from ..client.client import ChatClient
    from ..client.courier import Courier

    return Courier(ChatClient(config), config.state_dir, complain)


def _shown(command: list[str]) -> str:
    """The command as one line that a shell would understand, fit for a message."""
    from ..client.parts import readable

    line = readable(shlex.join(command).replace("\n", " "))
    return line if len(line) <= 500 else f"{line[:499]}…"


def _post(courier: Courier, to: str, text: str) -> None:
    try:
        courier.post(to, text)
    except ClientError as problem:
        complain(f"not told: {courier.error or problem}")


def _tell(courier: Courier, to: str, head: str, lines: list[str], wait: float) -> None:
    """Post how it ended; what cannot be sent is kept, and said so, but changes no exit code."""
    from ..client.courier import Fate
    from ..client.parts import last_lines

    try:
        _post(courier, to, last_lines(lines, courier.max_text, head))
        of = {one.fate: one.reason.rstrip(".") for one in courier.settle(wait)}
        if Fate.KEPT in of:
            complain(f"kept, and told by the next command that can ({of[Fate.KEPT]})")
        for fate in (Fate.REFUSED, Fate.LOST):
            if fate in of:
                complain(f"not told: {of[fate]}")
    except KeyboardInterrupt:
        complain("not waited for: what is not told yet is kept")
    finally:
        courier.close(timeout=1.0)


def _duration(seconds: float) -> str:
    """`0.4 s`, `2 min 5 s`, `3 h 20 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
