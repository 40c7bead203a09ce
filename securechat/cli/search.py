"""`securechat search`: what was said, for a script: found messages as lines, oldest first.

The exit code is 0 also where nothing was found, which is told on stderr.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ..config import MOST
from . import trusting
from .configuring import ConfigOption, ProfileOption
from .options import HostOption, NickOption, client_config, end_on_sigterm
from .report import complain, put, reported

if TYPE_CHECKING:
    from ..client.client import ClientConfig
    from ..sdk.values import Message

#: Messages that one page is asked for.
_PAGE: Final = 500


def search(
    query: Annotated[
        list[str],
        typer.Argument(
            metavar="QUERY...", help='Words, "a phrase", from:NICK in:ROOM before:DATE after:DATE.'
        ),
    ],
    *,
    nick: NickOption,
    host: HostOption = "localhost",
    certs: trusting.Certs = None,
    ca: trusting.CaFile = None,
    fingerprint: trusting.Fingerprint = None,
    accept_new: trusting.AcceptNew = False,
    _config: ConfigOption = None,
    _profile: ProfileOption = None,
    limit: Annotated[
        int,
        typer.Option(
            "--limit", min=1, max=MOST, metavar="N", help="The newest N of what is found."
        ),
    ] = 50,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON objects, one per message.")
    ] = False,
) -> None:
    """Find what was said, in every room and in your own direct conversations.

    \b
    Examples:
      securechat search --nick bob tulips
      securechat search --nick bob 'from:carol "green tea" after:7d'
      securechat search --nick cron --json 'in:#ops error after:1d' | jq -r .text
    """
    with reported():
        end_on_sigterm()
        config = client_config(
            host,
            nick,
            trusting.wishes(certs, ca, fingerprint, accept_new=accept_new),
            rooms=(),
            backlog=0,
            reads=False,
            reconnect=False,
        )
        _search(config, " ".join(query), limit, as_json=as_json)


def _search(config: ClientConfig, query: str, limit: int, *, as_json: bool) -> None:
    from ..sdk.chat import Chat

    found: list[Message] = []
    with Chat(config, own=False) as chat:
        chat.open()
        before: str | None = None
        while len(found) < limit:
            page = chat.search(query, limit=min(_PAGE, limit - len(found)), before=before)
            found += page.messages
            before = page.next
            if before is None:
                break
    if not found:
        complain("nothing was found")
    put(_line(message, as_json=as_json) for message in reversed(found))


def _line(message: Message, *, as_json: bool) -> str:
    from ..protocol.envelopes import Posted

    posted = Posted(
        id=message.id,
        to=message.conversation,
        sender=message.sender,
        seq=message.seq,
        ts=message.time.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        text=message.text,
        reply_to=message.reply_to,
        action=message.action,
    )
    if as_json:
        from . import jsonlines

        return jsonlines.line("message", jsonlines.message(posted, message.conversation))

    from ..client.entries import Found, said
    from .render import record

    entry = said(posted, message.conversation, message.time, own=False, found=Found.HIT)
    return record(entry, sys.stdout.encoding)
