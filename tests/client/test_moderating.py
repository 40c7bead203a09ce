"""What those type who keep order, or would rather not hear somebody."""

from __future__ import annotations

import pytest

from securechat.client.actions import Action, Ask, Ignore, Remove, ask
from securechat.client.arguments import BadInput
from securechat.client.moderating import ROWS
from securechat.client.slash import parse
from securechat.protocol.envelopes import COMMANDS


@pytest.mark.parametrize(
    ("line", "done"),
    [
        ("/kick eve", ask("kick", nick="eve", room="#lobby")),
        ("/kick @eve  enough  now ", ask("kick", nick="eve", room="#lobby", reason="enough  now")),
        ("/kick eve #Garden out", ask("kick", nick="eve", room="#garden", reason="out")),
        ("/kick eve server", ask("kick", nick="eve")),
        ("/mute eve", ask("mute", nick="eve", room="#lobby")),
        ("/mute eve 10m", ask("mute", nick="eve", room="#lobby", duration=600)),
        ("/mute eve server 2h loud", ask("mute", nick="eve", duration=7_200, reason="loud")),
        ("/mute eve 10 min a", ask("mute", nick="eve", room="#lobby", duration=600, reason="a")),
        ("/mute eve ten", ask("mute", nick="eve", room="#lobby", reason="ten")),
        ("/ban eve server 2days", ask("ban", nick="eve", duration=172_800)),
        ("/unmute eve", ask("unmute", nick="eve", room="#lobby")),
        ("/ban eve 7d", ask("ban", nick="eve", room="#lobby", duration=604_800)),
        ("/ban account:Eve server", ask("ban", account="Eve")),
        (
            "/ban 192.0.2.0/24 30s flood",
            ask("ban", address="192.0.2.0/24", duration=30, reason="flood"),
        ),
        ("/ban 2001:db8::1", ask("ban", address="2001:db8::1")),
        ("/ban @192.0.2.1 server", ask("ban", nick="192.0.2.1")),
        ("/unban eve", ask("unban", nick="eve", room="#lobby")),
        ("/unban ::1", ask("unban", address="::1")),
        ("/bans", ask("bans", room="#lobby")),
        ("/bans server", ask("bans")),
        ("/rules", ask("room", room="#lobby")),
        (
            "/rules #den private no-read-only topic-locked",
            ask("room", room="#den", private=True, read_only=False, topic_locked=True),
        ),
        ("/admit carol", ask("admit", nick="carol", room="#lobby")),
        ("/appoint carol #den", ask("appoint", nick="carol", room="#den")),
        ("/dismiss carol", ask("dismiss", nick="carol", room="#lobby")),
        ("/handover carol", ask("appoint", nick="carol", room="#lobby", owner=True)),
        ("/remove", Remove("#lobby", None, None, None)),
        ("/remove 12", Remove("#lobby", 12, None, None)),
        ("/remove 12 a password", Remove("#lobby", 12, None, "a password")),
        ("/remove eve rude", Remove("#lobby", None, "eve", "rude")),
        ("/ignore", Ignore(None)),
        ("/ignore @eve", Ignore("eve")),
        ("/unignore eve", Ignore("eve", on=False)),
    ],
)
def test_what_a_line_asks_for(line: str, done: Action) -> None:
    assert parse(line, "#lobby") == done


@pytest.mark.parametrize(
    ("line", "here", "why"),
    [
        ("/kick", "#lobby", "Usage: /kick NICK"),
        ("/kick eve", "@eve", "In which room?"),
        ("/kick eve", None, "In which room?"),
        ("/kick eve #No!", "#lobby", "no room name"),
        ("/kick " + "x" * 33, "#lobby", "1 to 32 characters"),
        ("/kick eve " + "x" * 201, "#lobby", "at most 200"),
        ("/mute eve 99999d", "#lobby", "ten years"),
        ("/mute eve 99999999w", "#lobby", "ten years"),
        ("/mute mallory 10x", "#lobby", "10x is no time. A time is 30s, 10min, .* for good"),
        ("/mute eve server 0m", "#lobby", "0m is no time"),
        ("/ban eve 10", "#lobby", "10 is no time"),
        ("/ban 192.0.2.0/24 2dyas spam", "#lobby", "2dyas is no time"),
        ("/bans #lobby more", "#lobby", "Usage: /bans"),
        ("/rules public", "#lobby", "Usage: /rules"),
        ("/rules server", "#lobby", "for a room"),
        ("/admit carol #den now", "#lobby", "Usage: /admit"),
        ("/remove", None, "Enter it first"),
        ("/remove 0", "#lobby", "from 1"),
        ("/remove 99999999999999999", "#lobby", "from 1"),
        ("/ignore a b", "#lobby", "Usage: /ignore"),
        ("/unignore", "#lobby", "Usage: /unignore"),
    ],
)
def test_what_does_not_fit(line: str, here: str | None, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        parse(line, here)


def test_each_example_is_one_and_asks_for_a_command_that_there_is() -> None:
    for row in ROWS:
        done = parse(row.example, "#lobby")
        if isinstance(done, Ask):
            COMMANDS[done.name].model_validate({"id": "1", **done.keys})
        assert row.usage.startswith(f"/{row.name}")
        assert row.summary[0].islower()
