"""`securechat send`: a text into a room, with a receipt.

The exit code is the receipt: 0 stored on the server, 75 kept in the outbox on this machine's disk,
1 refused, or what kept us from the server for good (4 not trusted, 5 not let in).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Final

import typer

from . import trusting
from .configuring import ConfigOption, ProfileOption
from .numbers import within
from .options import (
    AddressArgument,
    HostOption,
    NickOption,
    client_config,
    end_on_sigterm,
)
from .passwords import PasswordFile
from .report import KEPT, OutputFailed, complain, forget_stdout, put, reported

if TYPE_CHECKING:
    from ..client.client import ClientConfig
    from ..client.courier import Receipt
    from ..client.parts import Form

#: More than this is a file, not a message.
MAX_INPUT: Final = 1 << 20

#: What the server says of a nick that nobody has, and what that means in a shell.
_ASKED_THERE: Final = "`who` lists who is online."
_ASKED_HERE: Final = "/who in `securechat connect` lists who is online."

WaitOption = Annotated[
    float,
    within("wait", metavar="SECONDS", help="How long to wait for a server that is silent."),
]


def send(
    to: AddressArgument,
    text: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TEXT...|-]", help="What to say; -, or nothing in a pipe: stdin."),
    ] = None,
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
    code: Annotated[bool, typer.Option("--code", help="Show it as a block of code.")] = False,
    file_name: Annotated[
        str, typer.Option(metavar="NAME", help="Heading of the block of code; implies --code.")
    ] = "",
    wait: WaitOption = 10.0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a receipt for each message, as JSON.")
    ] = False,
) -> None:
    """Send a text and wait until it is on the server's disk: a pipe with a receipt.

    Exit code 0: stored. 75: the server could not be reached in time; the text is kept on this disk,
    and the next command that reaches the server as the same NICK sends it, once. 1 or 5: refused;
    stderr says why. A long text makes several messages, cut at lines, in order.

    \b
    Examples:
      securechat send lobby "the build is green" --nick ci
      df -h | securechat send ops --nick cron --code
      securechat send @carol --nick bob --file-name notes.txt - < notes.txt
      securechat send lobby hello --nick bob --json | jq .seq
    """
    with reported():
        end_on_sigterm()
        from ..client.parts import Form, split

        form = Form(code or bool(file_name), file_name)
        whole = _text_of(text or [])
        split(whole, MAX_INPUT, form)  # what no message may hold is told without a server
        config = client_config(
            host,
            nick,
            trusting.wishes(certs, ca, fingerprint, accept_new=accept_new, certificate=client_cert),
            password_file=password_file,
            rooms=(to,) if to[0] == "#" else (),
            backlog=0,
            reads=False,
            patient=True,
        )
        receipts = _deliver(config, to, whole, form, wait)
        raise typer.Exit(_report(receipts, as_json))


# ------------------------------------------------------------------ in


def _text_of(words: list[str]) -> str:
    """What was typed, or what comes through stdin."""
    from ..client.parts import BadText

    if words and words != ["-"]:
        return " ".join(words)
    if not words and sys.stdin.isatty():
        raise typer.BadParameter("there is no TEXT; give it, or - to type it and end with Ctrl-D")
    encoding = sys.stdin.encoding
    data = b""
    while len(data) <= MAX_INPUT and (piece := os.read(sys.stdin.fileno(), 1 << 16)):
        data += piece
    if len(data) > MAX_INPUT:
        raise BadText(f"Not sent: it is longer than {MAX_INPUT:,} bytes. Send a part of it.")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        raise BadText(f"Not sent: it is not {encoding}. Convert it with iconv.") from None


# ------------------------------------------------------------------ the way


def _deliver(config: ClientConfig, to: str, text: str, form: Form, wait: float) -> list[Receipt]:
    """Post the parts of `text` and see what becomes of them; raises the ClientError in the way."""
    from ..client.client import ChatClient
    from ..client.courier import Courier
    from ..client.parts import split

    courier = Courier(ChatClient(config), config.state_dir, complain)
    try:
        courier.start()
        online = courier.wait_online(wait)
        if courier.error is not None:
            raise courier.error
        for part in split(text, courier.max_text, form):
            courier.post(to, part)
        return courier.settle(wait if online else 0.0)
    finally:
        courier.close(timeout=1.0)


# ------------------------------------------------------------------ out


def _report(receipts: list[Receipt], as_json: bool) -> int:
    """Say what became of each message; returns the exit code."""
    from ..client.courier import Fate
    from ..client.entries import counted

    if as_json:
        _print(_lines(receipts))
    of = {fate: [one for one in receipts if one.fate is fate] for fate in Fate}
    for one in (*of[Fate.REFUSED], *of[Fate.LOST]):
        complain(f"not sent: {one.reason.replace(_ASKED_THERE, _ASKED_HERE)}")
    kept = of[Fate.KEPT]
    if kept:
        complain(
            f"{counted(len(kept), 'message is', 'messages are')} kept here, and sent by the next"
            f" command that reaches the server ({kept[0].reason.rstrip('.')})"
        )
    if of[Fate.REFUSED] or of[Fate.LOST]:
        return 1
    return KEPT if kept else 0


def _lines(receipts: list[Receipt]) -> Iterable[str]:
    from . import jsonlines

    for number, one in enumerate(receipts, 1):
        keys = {
            "conversation": one.to,
            "seq": one.seq,
            "id": one.id,
            "part": number,
            "parts": len(receipts),
            "reason": one.reason or None,
            "code": one.code or None,
        }
        yield jsonlines.line(one.fate.value, keys)


def _print(lines: Iterable[str]) -> None:
    """The receipts; that nobody reads them changes nothing of what became of the messages."""
    try:
        put(lines)
    except BrokenPipeError:
        forget_stdout()
    except OutputFailed as error:
        complain(str(error))
