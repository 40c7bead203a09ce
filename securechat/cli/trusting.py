"""What every command that connects has in common: the options that say whom to trust, and asking.

In come the options and the server's address, out comes a `Trust` for `ClientConfig`. Raised:
`NotTrusted`, and `CannotConnect` when an unknown server is to be met and is not there.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from ..errors import NotTrusted
from .report import complain, is_terminal

if TYPE_CHECKING:
    from ..client.known_servers import Server
    from ..client.trust import Trust
    from ..client.trust_policy import Wishes

DEFAULT_CERTS: Final = Path("certs")


def check_fingerprint(text: str | None) -> str | None:
    """The one form of a fingerprint; a usage error for what is none."""
    from ..client.known_servers import parse_fingerprint

    if text is None:
        return None
    try:
        return parse_fingerprint(text)
    except ValueError as problem:
        raise typer.BadParameter(str(problem)) from None


Certs: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Trust servers that DIR/ca.pem has signed.  [default: certs, if ca.pem is there]",
    ),
]
CaFile: TypeAlias = Annotated[
    Path | None, typer.Option("--ca", metavar="FILE", help="The same, by the file's own name.")
]
Fingerprint: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="SHA256:…",
        help="Trust the server with this key, and remember it.",
        callback=check_fingerprint,
    ),
]
AcceptNew: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--accept-new/--no-accept-new",
        help="Trust an unknown server unseen, and remember its key.",
        show_default=False,
    ),
]


ClientCert: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--client-cert",
        metavar="FILE",
        help="Your own certificate and key, for a server that asks who you are.",
    ),
]


def wishes(
    certs: Path | None,
    ca: Path | None,
    fingerprint: str | None,
    *,
    accept_new: bool,
    certificate: Path | None = None,
) -> Wishes:
    """What those options say, together."""
    if certs is not None and ca is not None:
        raise typer.BadParameter("--certs and --ca name two authorities; give one of them")
    from ..client.trust_policy import Wishes

    return Wishes(
        ca_file=ca or _ca_file(certs),
        fingerprint=fingerprint,
        accept_new=accept_new,
        certificate=certificate,
    )


def settle(host: str, port: int, wishes: Wishes) -> Trust:
    """Whom to trust; a person is asked where there is one."""
    from ..client import first_use
    from ..client.known_file import KnownFile
    from ..client.state import default_state_dir

    ask = _ask if is_terminal(sys.stdin) and is_terminal(sys.stderr) else None
    file = KnownFile(default_state_dir())
    return first_use.settle(host, port, wishes, file, ask=ask, warn=complain)


def _ca_file(certs: Path | None) -> Path | None:
    """The default folder counts where it is; one that the user named must be there."""
    path = (certs or DEFAULT_CERTS) / "ca.pem"
    if path.is_file():
        return path
    if certs is None:
        return None
    raise NotTrusted(
        f"{path} is not there, so no server can be trusted. Copy ca.pem from the server's"
        f" folder into {certs}, or leave --certs out and compare the fingerprint; for a server of"
        f" your own, `{shlex.join(['securechat', 'gen-certs', '--out', str(certs)])}` makes it."
    )


# ------------------------------------------------------------------ asking


def _ask(server: Server, fingerprint: str) -> bool:
    """Ask on the terminal whether `fingerprint` is the right one."""
    _show(
        f"{server} is not known yet. The fingerprint of its key is\n\n    {fingerprint}\n\n"
        "Compare it with the one that `securechat serve` printed on the server. A different one\n"
        "means that somebody is in between.\n"
    )
    while True:
        _show("Is it the same? Type yes or no, or paste that fingerprint here: ")
        try:
            line = sys.stdin.readline()
        except KeyboardInterrupt:
            _show("\n")
            raise
        if not line:
            _show("\n")
            return False
        verdict = judge(line, fingerprint)
        if verdict is not None:
            return verdict
        _show("That is neither: type yes or no in full, or paste the whole fingerprint.\n")


def judge(answer: str, fingerprint: str) -> bool | None:
    """What a typed or pasted answer means; None: it was no answer, ask again."""
    from ..client.known_servers import parse_fingerprint

    answer = answer.strip()
    if answer.lower() in ("yes", "no"):
        return answer.lower() == "yes"
    try:
        return parse_fingerprint(answer) == fingerprint
    except ValueError:
        return None


def _show(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
