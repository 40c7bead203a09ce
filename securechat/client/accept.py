"""Accepting an invite: one short connection that makes the account, and what is kept of it.

In: a link, the nick if one was chosen, the folder of this user's state. Out: the nick that we go by
there and the room that it leads to, with the session kept under that nick as ever, so that all that
follows is an ordinary client. The same link again finds what it led to, and uses nothing up.
Raised: what ends a client (`Refused` with its code, `NotTrusted`, `CannotConnect`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from queue import Empty
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from ..errors import CannotConnect
from .client import ChatClient, ClientConfig
from .events import OWN_TROUBLE, Ended, Heard, Online
from .invite_link import InviteLink
from .private import describe, make_folder, read_private, replace_private
from .state import GuestState
from .trust import Trust

#: Seconds for all of it.
_PATIENCE: Final = 30.0
_LIMIT: Final = 4_096


class Accepted(NamedTuple):
    """Who we are on that server, and where the invite leads."""

    nick: str
    room: str | None


class _Kept(BaseModel):
    """The file."""

    model_config = ConfigDict(strict=True, frozen=True, hide_input_in_errors=True)

    nick: str
    room: str | None = None


def accept(
    link: InviteLink,
    nick: str | None,
    trust: Trust,
    folder: Path,
    warn: Callable[[str], None],
) -> Accepted:
    """Be let in by `link`, or find that we were; `warn` is told what could not be kept."""
    known = _recall(link, folder)
    if known is not None and nick in (None, known.nick):
        return known
    accepted = _redeem(link, nick or "", trust, folder, warn)
    kept = _Kept(nick=accepted.nick, room=accepted.room)
    try:
        make_folder(folder)
        replace_private(_path(link, folder), kept.model_dump_json().encode())
    except OSError as error:
        warn(f"What the invite led to cannot be kept. {describe(error)}.")
    return accepted


def _redeem(
    link: InviteLink, nick: str, trust: Trust, folder: Path, warn: Callable[[str], None]
) -> Accepted:
    config = ClientConfig(
        host=link.host,
        port=link.port,
        nick=nick,
        rooms=(),
        trust=trust,
        reconnect=False,
        reads=False,
        outbox=False,
        state_dir=folder,
        invite=SecretStr(link.token),
    )
    client = ChatClient(config)
    client.start()
    try:
        while True:
            match client.events.get(timeout=_PATIENCE):
                case Online(welcome):
                    return Accepted(welcome.nick, welcome.room)
                case Ended(error):
                    raise error or CannotConnect("The connection ended before we were let in.")
                case Heard(system) if getattr(system, "code", "") == OWN_TROUBLE:
                    warn(getattr(system, "message", ""))
                case _:
                    pass
    except Empty:
        raise CannotConnect(f"{link.host} did not let us in in time. Try again later.") from None
    finally:
        client.close()


def _recall(link: InviteLink, folder: Path) -> Accepted | None:
    """What an earlier use of the same link led to, if its session is still kept."""
    try:
        kept = _Kept.model_validate_json(read_private(_path(link, folder), _LIMIT) or b"")
    except (OSError, ValidationError):
        return None  # then the server says what the link is still good for
    if GuestState(folder, link.host, link.port).load(kept.nick).session is None:
        return None
    return Accepted(kept.nick, kept.room)


def _path(link: InviteLink, folder: Path) -> Path:
    named = hashlib.sha256(f"{link.host}\n{link.port}\n{link.token}".encode()).hexdigest()
    return folder / f"invite-{named[:24]}.json"
