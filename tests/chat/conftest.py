"""A stage for every test of the chat."""

from __future__ import annotations

import pytest

from .stage import Person, Stage


@pytest.fixture
def stage() -> Stage:
    """A hub with the limits of every day, and nobody there yet."""
    return Stage()


@pytest.fixture
def den(stage: Stage) -> tuple[Person, Person, Person]:
    """ann owns #den; bob is in it; carol is not."""
    people = stage.enter("ann", "#den"), stage.enter("bob", "#den"), stage.enter("carol")
    for person in people:
        person.hears()
    return people
