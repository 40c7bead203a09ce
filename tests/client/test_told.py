"""Moderation in words for a person."""

from __future__ import annotations

import pytest

from securechat.client.told import act_of, rules_of, sanction_of
from securechat.protocol.envelopes import Moderated, RoomIs, Sanction

UNTIL = "2026-01-31T13:00:00.000000Z"


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (
            Moderated(act="mute", by="ann", room="#a", nick="eve", until=UNTIL, reason="loud"),
            "ann muted eve in #a until 2026-01-31 13:00 UTC (loud)",
        ),
        (Moderated(act="kick", by="ann", room="#a", nick="bob"), "ann put you out of #a"),
        (Moderated(act="ban", by="bob", account="eve"), "you banned eve from this server for good"),
        (
            Moderated(act="mute", by="ann", room="#a", nick="eve", reason="10x"),
            "ann muted eve in #a for good (10x)",
        ),
        (
            Moderated(act="unban", by="ann", address="192.0.2.7/32", until="some day"),
            "ann let 192.0.2.7/32 come to this server again until some day",
        ),
        (
            Moderated(act="hand_over", by="ann", room="#a", nick="eve"),
            "ann handed #a over to eve",
        ),
        (
            Moderated(act="knight_at_dawn", by="ann", nick="eve"),
            "ann knight at dawn eve on this server",
        ),
        (Moderated(act="ban", by="ann"), "ann banned somebody from this server for good"),
    ],
)
def test_an_act(event: Moderated, text: str) -> None:
    assert act_of(event, "bob") == text


def test_the_rules_of_a_room() -> None:
    plain = RoomIs(room="#a", private=False, read_only=False, topic_locked=False)
    assert rules_of(plain) == "#a is open to all; it has no owner"
    ruled = RoomIs(
        room="#a",
        private=True,
        read_only=True,
        topic_locked=True,
        owner="ann",
        moderators=("bob",),
        admitted=("carol", "dave"),
    )
    assert rules_of(ruled) == (
        "#a is private, read-only, its topic is locked; owner ann; moderators bob;"
        " let in carol, dave"
    )


@pytest.mark.parametrize(
    ("keys", "who"),
    [({"nick": "eve"}, "eve"), ({"account": "eve"}, "account eve"), ({}, "somebody")],
)
def test_a_row_of_bans(keys: dict[str, str], who: str) -> None:
    row = Sanction(act="ban", by="ann", since=UNTIL, reason="spam", **keys)
    assert sanction_of(row) == f"ban of {who} by ann since 2026-01-31 13:00 UTC for good (spam)"
