"""What the context menus offer, and the lines that they type."""

from __future__ import annotations

import pytest

pytest.importorskip("tkinter", reason="this Python has no tkinter: install python3-tk")

from securechat.client import slash
from securechat.gui import menus

ALL = frozenset({"whois", "moderation", "private-rooms", "removal"})
NONE: frozenset[str] = frozenset()


def lines(choices: list[menus.Choice]) -> list[str]:
    return [one.line for one in choices]


def test_what_the_server_does_not_announce_is_not_offered() -> None:
    assert "/query carol" in lines(menus.of_person("carol", NONE))
    assert not any(one.group for one in menus.of_person("carol", NONE))
    assert lines(menus.of_conversation("#lobby", NONE)) == ["/leave #lobby"]
    assert lines(menus.of_conversation("@carol", NONE))[-1] == "/leave @carol"
    assert "/query carol" not in lines(menus.of_conversation("@carol", NONE))
    assert menus.of_message(7, NONE) == []
    assert menus.of_message(0, ALL) == []


@pytest.mark.parametrize(
    "choices",
    [
        menus.of_person("carol", ALL),
        menus.of_conversation("#lobby", ALL),
        menus.of_conversation("@carol", ALL),
        menus.of_message(7, ALL),
    ],
)
def test_whatever_is_offered_can_be_typed(choices: list[menus.Choice]) -> None:
    for choice in choices:
        assert slash.parse(choice.line, "#lobby") is not None


def test_what_others_are_called_does_nothing_in_a_menu() -> None:
    [first, *_] = menus.of_person("ca\x1brol", NONE)
    assert first.label == "Write to ca\\x1brol alone"
