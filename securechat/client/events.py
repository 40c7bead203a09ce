"""What the client tells its front end: one queue of frozen values, in the order they happened.

A front end takes them from `ChatClient.events` and draws; it never asks the network anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from ..errors import ClientError
from ..protocol.envelopes import Posted, System, Welcome

#: The code of an error that the client made about itself: its files on disk.
OWN_TROUBLE: Final = "state"


STORAGE: Final = "storage"
"""Code of a server that has no room: what it was sent waits here, and is sent again."""


class DraftState(Enum):
    """Where a draft of ours is."""

    WAITING = "waiting"  # kept here, there is no link
    SENDING = "sending"  # on its way, not yet echoed
    SENT = "sent"  # echoed: stored, numbered, on its way to everyone
    REFUSED = "refused"  # the server said no; it will not be sent again by itself


@dataclass(frozen=True, slots=True)
class Connecting:
    """A connection is being tried; `attempt` counts from 1 since the last good one."""

    host: str
    port: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Online:
    """The server said welcome. `resumed`: it knew us; `back` is true after a lost link.

    Not resumed: we are a new guest to it, and direct conversations begin anew, at `seq` 1.
    `new_epoch`: the server's history is another one than before, so cursors began at 0.
    `held`: so many drafts wait until the front end calls `ChatClient.confirm_drafts`, because
    nobody can know whether they were stored before (new epoch, or our session had lapsed).
    """

    welcome: Welcome
    resumed: bool
    back: bool
    new_epoch: bool = False
    held: int = 0


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """Everything missed has arrived: `missed` messages of others, `sent` drafts of ours.

    Once after each reconnect, and after a start that found something to catch up with.
    """

    missed: int
    sent: int


@dataclass(frozen=True, slots=True)
class Offline:
    """The link is gone. `retry_in` seconds from now it is tried again; None: it is not."""

    reason: str
    retry_in: float | None


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a conversation, in its place: each `seq` once, in order, without a gap.

    `conversation` is a room, or `@nick` of the other side. `own`: we wrote it. `missed`: it was
    said while we were away or before we came (backlog), not just now.
    """

    conversation: str
    posted: Posted
    own: bool
    missed: bool


NO_LINK: Final = "there is no link"
"""The reason of a draft that waits for the link alone."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft of ours changed its state; `reason` says why it was refused, or waits.

    `seq`: its number, once it is sent. `code`: that of the `error` by which it was refused, or by
    which it waits: then that is `STORAGE`, else there is no link.
    """

    id: str
    conversation: str
    text: str
    state: DraftState
    action: bool = False
    reason: str = ""
    seq: int | None = None
    code: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """A system event that the front end may show; answers carry the command's `id` in `re`."""

    system: System


@dataclass(frozen=True, slots=True)
class Ended:
    """The client is done; nothing follows. `error` is None when the user wished it so."""

    error: ClientError | None


ClientEvent: TypeAlias = Connecting | Online | CaughtUp | Offline | Message | Draft | Heard | Ended
