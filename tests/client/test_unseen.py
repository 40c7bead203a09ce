"""What was typed unseen is judged at once, by what the server would say."""

from __future__ import annotations

import pytest

from securechat.client.actions import Secretly
from securechat.client.slash import parse
from securechat.client.unseen import DIFFERENT, flaw


@pytest.mark.parametrize(
    ("line", "typed", "told"),
    [
        ("/register", ["short"], "A password has at least 8 characters."),
        ("/register", ["password1"], "That password is among the first"),
        ("/register", ["bobbington"], "That password is among the first"),
        ("/register", [""], "Nothing was typed."),
        ("/register", ["redtulips"], None),
        ("/register", ["redtulips", "redtulip"], DIFFERENT),
        ("/register", ["redtulips", "redtulips"], None),
        ("/login carol", ["x"], None),
        ("/login carol", [""], "Nothing was typed."),
        ("/passwd", [""], None),
        ("/passwd", ["", "short"], "A password has at least 8 characters."),
    ],
)
def test_each_answer_is_judged_by_its_question(
    line: str, typed: list[str], told: str | None
) -> None:
    action = parse(line, "#lobby")
    assert isinstance(action, Secretly)
    found = flaw(action.questions, typed, "bobbington")
    assert found is None if told is None else found is not None and found.startswith(told)
