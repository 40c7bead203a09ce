"""What a row in the table of commands is, and the conditions that several handlers share.

In: the hub as it stands, and what a command names. Out: what is meant by that. Raised: `Rejected`,
with the answer to give.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..errors import Rejected
from ..protocol.envelopes import MAX_REASON
from . import judge
from .direct import key_of

if TYPE_CHECKING:
    from .hub import Hub
    from .identities import Identity
    from .room import Room
    from .session import Session

#: Unicode category Cc but newline and tab: C0, DEL, C1.
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Need(Enum):
    """What must hold before a handler runs."""

    NOTHING = "nothing"
    VISIBLE = "the room must exist"
    SUBSCRIBED = "this connection must be subscribed"


class Row(NamedTuple):
    """One command."""

    usage: str
    summary: str
    handler: Callable[[Hub, Session, Any], None]
    need: Need = Need.NOTHING
    key: str = "room"  #: where the command names the conversation


def check_text(text: str, limit: int) -> None:
    """Raise `bad_text` or `text_too_long` for what may not be said."""
    if len(text) > limit:
        raise Rejected(
            "text_too_long", f"At most {limit} characters fit into one message. Split it."
        )
    if not text.isprintable() and _CONTROL.search(text):
        raise Rejected(
            "bad_text",
            "Control characters other than newline and tab are not allowed. Remove them.",
        )
    if not text or text.isspace():
        raise Rejected("bad_text", "There is nothing but white space in it. Write something.")


def check_line(text: str, limit: int, what: str) -> None:
    """The same for one line; `what` begins the sentence that says so, as in "A topic"."""
    check_text(text, limit)
    if "\n" in text:
        raise Rejected("bad_text", f"{what} is one line. Leave the line breaks out.")


def require_room(hub: Hub, name: str) -> Room:
    """The room, or `no_such_room`."""
    room = hub.rooms.get(name)
    if room is None:
        raise judge.no_such_room()
    return room


def require_subscription(hub: Hub, session: Session, name: str) -> None:
    """Raise `no_subscription` unless this connection is subscribed."""
    if name not in session.rooms:
        raise no_subscription(hub, session, name)


def no_subscription(hub: Hub, session: Session, name: str) -> Rejected:
    """`not_a_member`, or `no_such_room` where whoever asks is to know of none."""
    room = hub.rooms.get(name)
    if room is None or not judge.sees(hub, session.identity, room):
        return judge.no_such_room()
    return Rejected("not_a_member", "You are not in that room. `join` it first.")


def require_partner(hub: Hub, address: str) -> Identity:
    """Who is meant by `@nick`, or `no_such_user`; a former nick names the new one."""
    other = hub.identities.by_nick(address[1:])
    if other is not None:
        return other
    gone = hub.identities.by_former_nick(address[1:])
    if gone is not None:
        raise Rejected("no_such_user", f"They go by {gone.nick.text} now. Send it to that nick.")
    raise Rejected("no_such_user", "Nobody goes by that nick. `who` lists who is online.")


def locate(hub: Hub, reader: Identity, address: str) -> tuple[str, str]:
    """The conversation behind an address, and the address by the nick of now; or `no_such_user`.

    Of a room neither is looked at: whether it is there is for `require_room` to say.
    """
    if address[0] == "#":
        return address, address
    other = require_partner(hub, address)
    return key_of(reader, other), f"@{other.nick.text}"


def check_reason(reason: str | None) -> str:
    """The reason of an act, "" for none; raises `bad_text` for one that is no line of text."""
    if not reason or reason.isspace():
        return ""
    check_line(reason, MAX_REASON, "A reason")
    return reason.strip()
