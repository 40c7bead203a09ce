"""How a conversation grows in one transaction, and what is erased before it was ever written."""

from __future__ import annotations

import pytest

from securechat.records import KeepAct, NewMessage, RemoveMessage
from securechat.store.conversations import Conversation, Growth


def said(text: str) -> NewMessage:
    return NewMessage("#a", 1, text, "#a", "ann", text, None, False)


@pytest.fixture
def growth() -> Growth:
    """Messages 8 and 9, behind seven others."""
    growth = Growth(Conversation(3, first=2, head=7))
    growth.entries += [(said("eight"), 8, "now"), (said("nine"), 9, "now")]
    return growth


@pytest.mark.parametrize(
    ("seq", "text"), [(6, None), (7, None), (8, "eight"), (9, "nine"), (10, None)]
)
def test_only_what_came_in_the_transaction_is_found(
    growth: Growth, seq: int, text: str | None
) -> None:
    found = growth.find(seq)
    assert (found and found.text) == text


def test_what_is_erased_keeps_its_number_and_is_found_no_more(growth: Growth) -> None:
    act = KeepAct(1, "ann", "remove", "#a", "8")
    entry = growth.erase(RemoveMessage("#a", 8, None, act))
    assert entry == (said("eight")._replace(text=""), 8, "now")
    assert growth.entries == [entry, (said("nine"), 9, "now")]
    assert growth.find(8) is None
