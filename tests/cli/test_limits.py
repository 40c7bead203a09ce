"""Every limit by name: what the table has, and what `serve --limit` makes of it."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from securechat.cli.app import app
from securechat.cli.completing import offers
from securechat.cli.limits import settle
from securechat.config import (
    SECTIONS,
    ChatLimits,
    Figure,
    GateLimits,
    LoginLimits,
    ServerConfig,
    name_figures,
)

FIGURES = name_figures()
FREE = [figure for figure in FIGURES.values() if not figure.option]
PARTS: dict[str, Any] = {"chat": ChatLimits(), "gate": GateLimits(), "logins": LoginLimits()}


def serve(*words: str) -> Any:
    return CliRunner().invoke(app, ["serve", *words])


def value_of(config: ServerConfig, figure: Figure) -> float:
    part, _, name = figure.name.partition(".")
    limits = {"chat": config.limits, "gate": config.gate, "logins": config.logins}[part]
    value: float = getattr(limits, name.replace("-", "_"))
    return value


def test_every_limit_of_every_part_is_there_and_says_what_it_is() -> None:
    assert len(FIGURES) == sum(len(fields(part)) for part in SECTIONS.values())
    assert all(figure.meaning and figure.least <= figure.default for figure in FIGURES.values())


@pytest.mark.parametrize("figure", FREE, ids=lambda figure: figure.name)
def test_each_arrives_in_its_own_place_and_nowhere_else(
    served: list[ServerConfig], figure: Figure
) -> None:
    wanted = figure.default + 1
    assert serve("--limit", f"{figure.name}={wanted}").exit_code == 0
    assert serve().exit_code == 0
    changed, usual = served
    assert value_of(changed, figure) == wanted
    others = [other for other in FIGURES.values() if other != figure]
    assert [value_of(changed, it) for it in others] == [value_of(usual, it) for it in others]


@pytest.mark.parametrize(
    "figure", [it for it in FIGURES.values() if it.option], ids=lambda figure: figure.name
)
def test_what_has_an_option_is_set_by_it_alone(served: list[ServerConfig], figure: Figure) -> None:
    wanted = "no" if isinstance(figure.default, bool) else str(int(figure.default) + 1)
    assert serve(figure.option, wanted).exit_code == 0
    assert value_of(served[0], figure) == (0 if wanted == "no" else int(wanted))
    refused = serve("--limit", f"{figure.name}={wanted}")
    assert refused.exit_code == 2
    assert f"{figure.name} has an option of its own: {figure.option}" in refused.output


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("gate.waiting", "give NAME=VALUE, as in gate.longest-wait=20"),
        ("=5", "there is no limit ''; `securechat limits` lists them"),
        ("tea=5", "there is no limit 'tea'; `securechat limits` lists them"),
        ("gate.wating=5", "did you mean gate.waiting?"),
        ("gate.waiting=many", "gate.waiting is a whole number from 1 to 1,000,000,000"),
        ("gate.waiting=1.5", "gate.waiting is a whole number from 1 to 1,000,000,000"),
        ("gate.waiting=0", "gate.waiting is a whole number from 1 to 1,000,000,000"),
        ("gate.longest-wait=0", "gate.longest-wait is a number from 0.1 to 1,000,000,000"),
        ("gate.longest-wait=nan", "gate.longest-wait is a number from 0.1 to 1,000,000,000"),
        ("gate.longest-wait=inf", "gate.longest-wait is a number from 0.1 to 1,000,000,000"),
        ("gate.longest-wait=1e300", "gate.longest-wait is a number from 0.1 to 1,000,000,000"),
        (
            "chat.presence=9999999999999999999999",
            "chat.presence is a whole number from 0 to 1,000,000,000",
        ),
        ("gate.longest-wait=-inf", "gate.longest-wait is a number from 0.1 to 1,000,000,000"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(said: str, problem: str) -> None:
    with pytest.raises(typer.BadParameter) as caught:
        settle(PARTS, [said])
    assert problem in str(caught.value)
    assert serve("--limit", said).exit_code == 2


def test_the_last_one_counts_and_names_are_forgiving() -> None:
    settled = settle(PARTS, ["gate.longest-wait=5", " Gate.Longest_Wait = 6", "logins.doubt=1"])
    assert settled["gate"] == GateLimits(longest_wait=6)
    assert settled["logins"] == LoginLimits(doubt=1)
    assert settled["chat"] == PARTS["chat"]


def test_the_file_may_have_them(served: list[ServerConfig], tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[serve]\nlimit = ["chat.rooms=7", "gate.table=99"]\n')
    assert serve("--config", str(config)).exit_code == 0
    assert (served[0].limits.rooms, served[0].gate.table) == (7, 99)


def test_all_of_them_are_listed_with_their_options() -> None:
    done = CliRunner().invoke(app, ["limits"])
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert lines.keys() == FIGURES.keys()
    for name, figure in FIGURES.items():
        assert figure.meaning in lines[name]
        assert figure.option in lines[name]
    assert lines["gate.innocent"].split()[1] == "3.5"
    assert lines["chat.guests"].split()[1] == "yes"


def test_tab_offers_those_that_have_no_option() -> None:
    assert offers(["serve", "--limit"], "gate.lon") == [
        "gate.longest-wait=8",
        "gate.longest-penalty=600",
    ]
    assert offers(["serve", "--limit"], "chat.rat") == []


@pytest.mark.parametrize("words", [("--burst", "1" + "0" * 25), ("--rate", "inf")])
def test_what_no_client_could_be_told_is_refused(
    served: list[ServerConfig], words: tuple[str, str]
) -> None:
    refused = serve(*words)
    assert refused.exit_code == 2
    assert words[0] in refused.output
    assert served == []
