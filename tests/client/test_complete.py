"""Tab: what is put in the place of what is typed."""

from __future__ import annotations

import pytest

from securechat.client.complete import Completer, World

WORLD = World(nicks=["carol", "Chris", "dave", "\u00c9mile"], rooms=["#lobby", "#garden", "#lab"])


def complete(left: str) -> list[str]:
    return Completer(lambda: WORLD).complete(left)


@pytest.mark.parametrize(
    ("left", "found"),
    [
        ("ca", "carol: "),
        ("CH", "Chris: "),
        ("\u00e9m", "\u00c9mile: "),
        ("hello da", "hello dave "),
        ("see you in #l", "see you in #lobby "),
        ("ask @da", "ask @dave "),
        ("/msg da", "/msg dave "),
        ("/query ", "/query carol "),
        ("/join g", "/join #garden"),
        ("/join #g", "/join #garden"),
        ("/who ", "/who #lobby"),
        ("/part l", "/part #lobby"),
        ("/help joi", "/help join"),
        ("/msg dave ca", "/msg dave carol "),
        ("/bell m", "/bell mentions"),
        ("//ca", None),
        ("", None),
        ("hello ", None),
        ("zz", None),
        ("/topic ", None),
        ("/nosuch ", None),
        ("#nosuch", None),
    ],
)
def test_the_best_comes_alone(left: str, found: str | None) -> None:
    assert complete(left) == ([] if found is None else [found])


@pytest.mark.parametrize(
    ("left", "found"),
    [
        ("/jo", ["/join ", "/joke "]),
        ("/JO", ["/join ", "/joke "]),
        ("/ti", ["/time "]),
        ("/na", ["/names "]),
        ("/zz", []),
    ],
)
def test_commands_come_all(left: str, found: list[str]) -> None:
    assert sorted(complete(left)) == found


def test_the_first_slash_alone_offers_every_command() -> None:
    assert {"/help ", "/quit ", "/msg "} <= set(complete("/"))


def test_tab_again_goes_around() -> None:
    completer = Completer(lambda: WORLD)
    line, seen = "hi c", []
    for _ in range(3):
        [line] = completer.complete(line)
        seen.append(line)
    assert seen == ["hi carol ", "hi Chris ", "hi carol "]


def test_typing_on_begins_anew() -> None:
    completer = Completer(lambda: WORLD)
    [line] = completer.complete("c")
    assert completer.complete(line + "d") == ["carol: dave "]
    assert completer.complete("c") == ["carol: "]


def test_the_world_is_looked_at_when_tab_is_pressed() -> None:
    nicks: list[str] = []
    completer = Completer(lambda: World(nicks=nicks))
    assert completer.complete("ca") == []
    nicks.append("carol")
    assert completer.complete("ca") == ["carol: "]


def test_and_back_to_the_one_before() -> None:
    completer = Completer(lambda: WORLD)
    assert completer.complete("c") == ["carol: "]
    assert completer.complete("carol: ", -1) == ["Chris: "]
    assert completer.complete("Chris: ", -1) == ["carol: "]
    assert completer.complete("carol: ") == ["Chris: "]
