"""Who said something last."""

from __future__ import annotations

from collections.abc import Callable

from securechat import Bot
from securechat.testing import Harness


def test_it_remembers_who_spoke_and_where(load: Callable[[str], Bot]) -> None:
    harness = Harness(load("seen"))
    assert harness.hear("hello", sender="Ann", to="#tea") == []
    assert harness.hear("!seen ann", sender="bob") == ["Ann said something in #tea 1 s ago."]


def test_it_says_when_it_does_not_know(load: Callable[[str], Bot]) -> None:
    assert Harness(load("seen")).hear("!seen ann") == ["Not since I am here."]


def test_what_was_said_to_it_alone_is_not_told(load: Callable[[str], Bot]) -> None:
    harness = Harness(load("seen"))
    harness.hear("a secret", sender="ann", to="@seen")
    assert harness.hear("!seen ann", sender="bob") == ["Not since I am here."]
