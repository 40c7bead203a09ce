"""The table of rights against docs/rights.md, cell by cell, and every command against the table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from securechat.chat import judge, rights
from securechat.chat.commands import COMMANDS
from securechat.chat.rights import Bearing, Rank, State, Verb, allows
from securechat.protocol import envelopes as wire
from securechat.protocol.envelopes import Command, Error, Quit, RoomSettings

from .stage import Said, Stage, code_of

TEXT = (Path(__file__).parents[2] / "docs" / "rights.md").read_text("utf-8")
LETTERS = dict(zip("gmMRAO", Rank, strict=True))
CONDITIONS = (
    "in any room",
    "private, and not let in",
    "read-only",
    "topic locked",
    "muted",
    "banned",
)


def table(section: str) -> tuple[list[str], list[list[str]]]:
    """The head and the rows of the first table of a section."""
    text = TEXT.split(f"\n## {section}\n", 1)[1]
    head, _, *rows = re.findall(r"^\|.*\|$", text.split("\n## ")[0], re.MULTILINE)
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in (head, *rows)]
    return cells[0], cells[1:]


def ranks_in(cell: str) -> set[Rank]:
    letters = cell.strip("`")
    assert [it if it != "-" else want for it, want in zip(letters, LETTERS, strict=True)] == [
        *LETTERS
    ], cell
    return {LETTERS[letter] for letter in letters if letter != "-"}


def expected() -> Iterator[tuple[Verb, Rank, State, Bearing, bool]]:
    """Every cell that there is: verb × rank × state of the room × standing of who asks."""
    head, rows = table("In a room")
    assert tuple(head[2:]) == CONDITIONS
    for verb, _, *cells in rows:
        columns = dict(zip(CONDITIONS, map(ranks_in, cells), strict=True))
        for rank, state, bearing in product(Rank, powerset(State), powerset(Bearing)):
            apply = {"in any room"}
            if State.PRIVATE in state and Bearing.ADMITTED not in bearing:
                apply.add("private, and not let in")
            apply |= {"read-only"} if State.READ_ONLY in state else set()
            apply |= {"topic locked"} if State.TOPIC_LOCKED in state else set()
            apply |= {"muted"} if Bearing.MUTED in bearing else set()
            apply |= {"banned"} if Bearing.BANNED in bearing else set()
            yes = all(rank in columns[condition] for condition in apply)
            yield Verb[verb.strip("`")], rank, state, bearing, yes
    for verb, _, plain, muted in table("On the server")[1]:
        for rank in Rank:
            yield Verb[verb.strip("`")], rank, State.OPEN, Bearing.NONE, rank in ranks_in(plain)
            yes = rank in ranks_in(plain) & ranks_in(muted)
            yield Verb[verb.strip("`")], rank, State.OPEN, Bearing.MUTED, yes


def powerset(kind: Any) -> list[Any]:
    members = list(kind)
    sums = [kind(0)]
    for member in members:
        sums += [one | member for one in sums]
    return list(dict.fromkeys(sums))


CELLS = list(expected())


def test_the_page_has_a_row_for_every_verb_and_every_cell() -> None:
    assert {cell[0] for cell in CELLS} == set(Verb)
    in_a_room = len(table("In a room")[1])
    assert len(CELLS) == in_a_room * 6 * 8 * 8 + (len(Verb) - in_a_room) * 6 * 2
    assert 0.1 < sum(cell[4] for cell in CELLS) / len(CELLS) < 0.9


def test_every_cell_is_as_the_page_says() -> None:
    wrong = [cell for cell in CELLS if allows(*cell[:4]) is not cell[4]]
    assert not wrong, wrong[:5]


def test_what_has_no_rule_is_allowed_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    without = {verb: rule for verb, rule in rights.RULES.items() if verb is not Verb.CHECK}
    monkeypatch.setattr(rights, "RULES", MappingProxyType(without))
    assert not any(allows(Verb.CHECK, rank, State.OPEN, Bearing.NONE) for rank in Rank)


# ------------------------------------------------------------------ commands


def test_every_command_has_a_verb_and_the_page_names_it() -> None:
    assert set(judge.VERBS) == set(COMMANDS)
    rows = {re.findall(r"`(.+?)`", name)[0]: text for name, text in commands_of_the_page()}
    assert set(rows) == {kind.model_fields["name"].default for kind in COMMANDS}
    for kind, text in ((kind, rows[kind.model_fields["name"].default]) for kind in COMMANDS):
        named = {Verb[word] for word in re.findall(r"`([A-Z_]+)`", text)}
        assert {verb for verb in named if verb is not Verb.REMOVE} == verbs_of(kind)


def commands_of_the_page() -> list[list[str]]:
    return [row for row in table("Which command asks for what")[1] if "draft" not in row[0]]


def verbs_of(kind: type[Command]) -> set[Verb]:
    """All that a command may mean, found out with every sort of keys."""
    meant = judge.VERBS[kind]
    return {meant(command, room) for command, room in variants(kind)}


def variants(kind: type[Command]) -> Iterator[tuple[Any, Any]]:
    stage = Stage()
    stage.enter("ann", "#a")
    room = stage.hub.rooms["#a"]
    fields = kind.model_fields
    must: dict[str, Any] = {"id": "q", "nick": "ann", "seq": 1}
    must |= {"password": "correct horse", "query": "tea"}
    for place in ("#a", "#new", "@ann"):
        keys = {key: value for key, value in must.items() if key in fields}
        keys |= {
            key: place for key in ("room", "to") if key in fields and fields[key].is_required()
        }
        extras: list[dict[str, Any]] = [{}, {"room": place}, {"text": "x"}, {"private": True}]
        for extra in (it for it in extras if not it or next(iter(it)) in fields):
            try:
                command = kind(**{**keys, **extra})
            except ValueError:
                continue  # only a room has that
            address = getattr(command, "room", None) or getattr(command, "to", None)
            yield command, room if address == "#a" else None


def every_command(stage: Stage) -> Iterator[Said]:
    ann = stage.people[1]
    for kind in COMMANDS:
        if kind is not Quit:
            command, _ = next(iter(variants(kind)))
            yield ann.number, command


def test_no_command_gets_past_an_empty_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is judged: with nothing allowed, each is refused, even a sign of life."""
    stage = Stage()
    ann = stage.enter("ann", "#a")
    said = list(every_command(stage))
    monkeypatch.setattr(rights, "RULES", MappingProxyType({}))
    monkeypatch.setattr(judge, "RULES", MappingProxyType({}))
    for _, command in said:
        [error] = ann.tell(command)
        assert isinstance(error, Error), command
        assert error.code == "forbidden", command


def test_a_command_that_the_judge_does_not_know_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage()
    ann = stage.enter("ann", "#a")
    others = {kind: means for kind, means in judge.VERBS.items() if kind is not wire.Time}
    monkeypatch.setattr(judge, "VERBS", MappingProxyType(others))
    assert code_of(ann.ask(wire.Time)) == "forbidden"
    assert ann.ask(wire.Joke)[0].event == "joke"


def test_who_makes_a_room_owns_it_and_nobody_else_changes_it() -> None:
    stage = Stage()
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    [is_] = bob.ask(RoomSettings, room="#a")
    assert (is_.owner, is_.private, is_.moderators) == ("ann", False, ())
    assert code_of(bob.ask(RoomSettings, room="#a", private=True)) == "forbidden"
    assert ann.ask(RoomSettings, room="#a", private=True)[0].private
