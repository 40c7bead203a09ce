"""`securechat tail`: the messages of a room for a script, each once if it wants that.

With `--after last` a bookmark on disk says where to go on. It moves only after what was read was
written and flushed, so a reader that dies gets it again; it never misses anything.
"""

from __future__ import annotations

import re
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer

from . import trusting
from .configuring import ConfigOption, ProfileOption
from .options import (
    AddressArgument,
    HostOption,
    NickOption,
    client_config,
    end_on_sigterm,
)
from .passwords import PasswordFile
from .report import complain, put, reported

if TYPE_CHECKING:
    from ..client.client import ClientConfig
    from ..protocol.envelopes import Posted

_LAST: Final = "last"
_MAX_SEQ: Final = 2**53 - 1
#: No longer than that: Python itself reads no more than 4,300 digits.
_NUMBER: Final = re.compile(r"[0-9]{1,16}")


def _check_after(after: str | None) -> str | None:
    if after is None or after == _LAST:
        return after
    if _NUMBER.fullmatch(after) and int(after) <= _MAX_SEQ:
        return after
    raise typer.BadParameter("the number of a message (0: from the beginning), or: last")


def tail(
    room: AddressArgument,
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
    after: Annotated[
        str | None,
        typer.Option(
            metavar="SEQ|last",
            help="Begin behind this message; last: behind the one that was printed last time.",
            callback=_check_after,
        ),
    ] = None,
    lines: Annotated[
        int,
        typer.Option(min=0, max=500, metavar="N", help="Without --after: the last N messages."),
    ] = 20,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is said from now on.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per message.")] = False,
) -> None:
    """Print the messages of a room, and end.

    With --after last each message is printed once, whenever this is run: a cursor is kept on this
    disk for each server, nick and room. The first time, it is as without --after.

    \b
    Examples:
      securechat tail lobby --nick bob
      securechat tail ops --nick cron --after last --json | jq -r .text
      securechat tail ops --nick bob --after 0 --follow
    """
    with reported():
        end_on_sigterm()
        config = client_config(
            host,
            nick,
            trusting.wishes(certs, ca, fingerprint, accept_new=accept_new, certificate=client_cert),
            password_file=password_file,
            rooms=(),
            backlog=0,
            reads=False,
            reconnect=follow,
        )
        _Tail(config, room, as_json=as_json).print(after, lines, follow=follow)


class _Tail:
    def __init__(self, config: ClientConfig, room: str, *, as_json: bool) -> None:
        self._config = config
        self._room = room
        self._as_json = as_json

    def print(self, after: str | None, lines: int, *, follow: bool) -> None:
        """Print what is asked for; raises what ends the client, and what ends the output."""
        from ..client.bookmark import Bookmark
        from ..client.client import ChatClient
        from ..client.reading import Reading

        config = self._config
        with ExitStack() as stack:
            bookmark = None
            if after == _LAST and config.state_dir is not None:
                bookmark = stack.enter_context(
                    Bookmark(
                        config.state_dir,
                        config.host,
                        config.port,
                        config.nick,
                        self._room,
                        complain,
                    )
                )
            reading = stack.enter_context(Reading(ChatClient(config), self._room, complain))
            epoch = reading.connect().epoch
            if bookmark is not None:
                start = bookmark.load(epoch)
            else:
                start = None if after is None else int(after)
            reading.begin(after=start, last=lines)
            for messages in reading.batches(follow=follow):
                self._write(messages, reading.conversation)
                if bookmark is not None:
                    bookmark.save(epoch, messages[-1].seq)
            if bookmark is not None:
                bookmark.save(epoch, reading.seen)

    def _write(self, messages: list[Posted], conversation: str) -> None:
        """Print and flush."""
        put(self._line(posted, conversation) for posted in messages)

    def _line(self, posted: Posted, conversation: str) -> str:
        if self._as_json:
            from . import jsonlines

            return jsonlines.line("message", jsonlines.message(posted, conversation))

        from ..client.entries import said
        from .render import record

        entry = said(posted, conversation, datetime.now(UTC), own=False)
        return record(entry, sys.stdout.encoding)
