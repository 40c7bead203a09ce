"""The commands of those with a right, as rows: who is put out, and how a room is ruled.

The handlers are in `sanctioning`, `ruling` and `removal`; whether somebody may, `judge` has decided
before they run.
"""

from __future__ import annotations

from typing import Final

from ..protocol import envelopes as wire
from . import ruling, sanctioning
from .removal import remove
from .rows import Need, Row

ROWS: Final[dict[type[wire.Command], Row]] = {
    wire.Kick: Row(
        "kick NICK [ROOM] [REASON]",
        "put somebody out of a room or off",
        sanctioning.kick,
        Need.VISIBLE,
    ),
    wire.Mute: Row(
        "mute NICK [ROOM] [SECONDS] [REASON]",
        "have somebody say nothing",
        sanctioning.mute,
        Need.VISIBLE,
    ),
    wire.Unmute: Row("unmute NICK [ROOM]", "undo `mute`", sanctioning.lift, Need.VISIBLE),
    wire.Ban: Row(
        "ban [NICK | ACCOUNT | ADDRESS] [ROOM] [SECONDS] [REASON]",
        "keep somebody out of a room or off",
        sanctioning.ban,
        Need.VISIBLE,
    ),
    wire.Unban: Row(
        "unban [NICK | ACCOUNT | ADDRESS] [ROOM]", "undo `ban`", sanctioning.lift, Need.VISIBLE
    ),
    wire.Bans: Row("bans [ROOM]", "list bans and mutes", sanctioning.bans, Need.VISIBLE),
    wire.RoomSettings: Row(
        "room ROOM [private | read_only | topic_locked = true | false]",
        "read how a room is ruled, or change it",
        ruling.settings,
        Need.VISIBLE,
    ),
    wire.Admit: Row(
        "admit ROOM NICK", "let somebody into a private room", ruling.admit, Need.VISIBLE
    ),
    wire.Appoint: Row(
        "appoint ROOM NICK [owner = true]",
        "make a moderator, or hand the room over",
        ruling.appoint,
        Need.VISIBLE,
    ),
    wire.Dismiss: Row(
        "dismiss ROOM NICK", "take a moderator's rights back", ruling.dismiss, Need.VISIBLE
    ),
    wire.Remove: Row(
        "remove ADDRESS SEQ [REASON]", "erase what a message says", remove, Need.VISIBLE, "to"
    ),
}
