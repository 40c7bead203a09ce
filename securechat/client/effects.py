"""What the session decides, as values; the engine carries them out in the order of the list."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from ..errors import ClientError
from ..protocol.envelopes import Command, Draft
from .events import ClientEvent


class Tell(NamedTuple):
    """Hand `event` to the front end."""

    event: ClientEvent


class Send(NamedTuple):
    """Write `envelope` to the server."""

    envelope: Draft | Command


class Dial(NamedTuple):
    """Open a link: resolve, connect, shake hands."""


class HangUp(NamedTuple):
    """Close the link; what is not written yet is given up."""


class End(NamedTuple):
    """The client is done; nothing follows. `error` is None when that was wished."""

    error: ClientError | None


class KeepSession(NamedTuple):
    """Remember that this session token is `nick`'s."""

    nick: str
    session: str


class ForgetSession(NamedTuple):
    """The session of `nick` was ended: its token proves nothing."""

    nick: str


class KeepDraft(NamedTuple):
    """Remember a draft before it is sent."""

    draft: Draft


class ForgetDraft(NamedTuple):
    """The draft is settled."""

    id: str


class KeepNick(NamedTuple):
    """From now on we go by `nick`."""

    nick: str


class KeepName(NamedTuple):
    """Echoes of ours may bear `nick`: we asked for it, and may never hear that we got it."""

    nick: str


class MoveCursor(NamedTuple):
    """The conversation `old` goes by another name."""

    old: str
    new: str


class KeepAll(NamedTuple):
    """Remember everything anew: `Session.snapshot`."""


Effect: TypeAlias = (
    Tell
    | Send
    | Dial
    | HangUp
    | End
    | KeepSession
    | ForgetSession
    | KeepDraft
    | ForgetDraft
    | KeepNick
    | KeepName
    | MoveCursor
    | KeepAll
)
