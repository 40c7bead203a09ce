"""What commands print with `--json`: one object per line, in ASCII, so in any locale.

A contract for programs, told in docs/pipes.md. Every object has `event`, which says what it is;
keys without a value are left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..protocol.envelopes import Posted


def line(event: str, keys: Mapping[str, Any]) -> str:
    """One object as a line, without its end; a terminal obeys nothing in it."""
    kept = {name: value for name, value in keys.items() if value is not None}
    return json.dumps({"event": event, **kept}).replace("\x7f", "\\u007f")


def message(posted: Posted, conversation: str) -> dict[str, Any]:
    """The keys of a message that is in its place in `conversation`."""
    return {
        "conversation": conversation,
        "seq": posted.seq,
        "ts": posted.ts,
        "sender": posted.sender,
        "text": posted.text,
        "removed": posted.removed or None,
        "action": posted.action or None,
        "reply_to": posted.reply_to,
        "id": posted.id,
    }
