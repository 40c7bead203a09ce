"""Tab completion: what can be meant by what is typed so far.

Pure, but for remembering what it gave last. In goes the typed line up to the cursor, out come whole
replacements for it. Nicks and rooms: the best one (who spoke last comes first), and Tab again gives
the next, around and around. Commands: all that fit, for a list.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass

from . import commands
from .arguments import BadInput
from .harmless import harmless_line
from .timeline import Timeline


@dataclass(frozen=True, slots=True)
class World:
    """What there is to complete: nicks best first, and rooms with their `#`."""

    nicks: Sequence[str] = ()
    rooms: Sequence[str] = ()


def world_of(timeline: Timeline) -> World:
    """What can be meant now: who spoke here last first, then the others here and elsewhere."""
    nicks: dict[str, None] = {}
    here = timeline.conversations.get(timeline.focus or "")
    for one in ([here] if here else []) + list(timeline.conversations.values()):
        direct = [one.name[1:]] if one.name.startswith("@") else []
        nicks |= dict.fromkeys([*one.latest_speakers(), *one.people, *direct])
    nicks.pop(timeline.nick, None)
    rooms = [name for name in timeline.conversations if name.startswith("#")]
    return World([nick for nick in nicks if _is_one_word(nick)], rooms)


class Completer:
    """Completes one line after the other; asks `world` for what there is when Tab is pressed."""

    def __init__(self, world: Callable[[], World]) -> None:
        self._world = world
        self._given: list[str] = []
        self._last = -1

    def complete(self, left: str, step: int = 1) -> list[str]:
        """The replacements for `left`, the line up to the cursor; none: nothing fits.

        `step`: -1 goes back to the candidate before the one that was given last.
        """
        if self._given and left == self._given[self._last]:
            self._last = (self._last + step) % len(self._given)
            return [self._given[self._last]]
        self._given = []
        if _is_command_word(left):
            return _commands(left)
        self._given, self._last = _candidates(left, self._world()), 0
        return self._given[:1]


def _is_command_word(left: str) -> bool:
    return left.startswith("/") and not left.startswith("//") and " " not in left


def _commands(left: str) -> list[str]:
    names = [f"/{row.name} " for row in commands.ROWS]
    return _starting(left, names) or _starting(
        left, (f"/{alias} " for row in commands.ROWS for alias in row.aliases)
    )


def _candidates(left: str, world: World) -> list[str]:
    """Every line that `left` may become, best first."""
    head, space, word = left.rpartition(" ")
    head += space
    command, _, _ = left[1:].partition(" ")
    is_first_argument = left.startswith("/") and head.count(" ") == 1
    if is_first_argument and command.lower() == "help":
        found = _starting(word, (row.name for row in commands.ROWS))
    elif is_first_argument and _takes(command, commands.TAKES_ROOM):
        found = _starting(word, world.rooms) or _starting(f"#{word}", world.rooms)
    elif is_first_argument and _takes(command, commands.TAKES_WORD):
        found = _starting(word, commands.TAKES_WORD[commands.find(command).name])
    elif word.startswith("#"):
        found = [f"{room} " for room in _starting(word, world.rooms)]
    elif word.startswith("@"):
        found = [f"@{nick} " for nick in _starting(word[1:], world.nicks)]
    elif word or (is_first_argument and _takes(command, commands.TAKES_NICK)):
        ending = " " if head else ": "
        found = [f"{nick}{ending}" for nick in _starting(word, world.nicks)]
    else:
        found = []
    return [head + one for one in found]


def _takes(word: str, names: Container[str]) -> bool:
    try:
        return commands.find(word).name in names
    except BadInput:
        return False


def _starting(word: str, names: Iterable[str]) -> list[str]:
    folded = word.casefold()
    return [name for name in names if name.casefold().startswith(folded)]


def _is_one_word(nick: str) -> bool:
    """Whether a nick can be put into a typed line as it is; a server could send anything."""
    return " " not in nick and harmless_line(nick) == nick
