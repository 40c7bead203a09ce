"""The words behind a slash command: nicks and rooms as people write them, and what is wrong.

Pure. `WrongArguments` is raised where the usage of the command says what would be right, `BadInput`
where that is a sentence of its own.
"""

from __future__ import annotations

import re
from typing import Final

from ..errors import SecureChatError
from ..protocol.envelopes import ROOM_PATTERN

MAX_NICK: Final = 32


class BadInput(SecureChatError):
    """What was typed cannot be done; the message says why and what to type instead."""


class WrongArguments(Exception):
    """The arguments do not fit; the message says why, where that is not plain from the usage."""


def nick_of(word: str) -> str:
    """The nick that a person means, with or without its @; raises WrongArguments."""
    nick = word.removeprefix("@")
    if not 1 <= len(nick) <= MAX_NICK:
        raise WrongArguments(f"A nick has 1 to {MAX_NICK} characters.")
    return nick


def room_name(word: str) -> str:
    """The room that a person means, with or without its #; raises BadInput."""
    name = f"#{word.removeprefix('#').lower()}"
    if not re.fullmatch(ROOM_PATTERN, name):
        raise BadInput("That is no room name: 1 to 32 of a-z, 0-9, _ and -, for example #garden.")
    return name
