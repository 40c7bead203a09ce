"""Whether what was typed unseen can be the answer, told before the next question.

Pure. In: the questions, and what was typed so far. Out: what is wrong with the last of it, as a
sentence or two, or None. The server has the last word; this one only spares people a second entry.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..chat.passwords import check_password
from ..errors import Rejected
from .actions import Question

DIFFERENT = "Those were two different passwords."


def flaw(questions: Sequence[Question], typed: Sequence[str], nick: str) -> str | None:
    """What is wrong with the last of `typed`; `nick`: whose password it shall be."""
    question, secret = questions[len(typed) - 1], typed[-1]
    if not question.key:
        return None if secret == typed[-2] else DIFFERENT
    if not secret:
        return None if question.optional else "Nothing was typed."
    if not question.is_new:
        return None
    try:
        check_password(secret, nick)
    except Rejected as no:
        return no.message
    return None
