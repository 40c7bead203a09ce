"""What a search found, what stands around it, who somebody is, who is away: as a person sees it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from securechat.client.absences import MOST, Absences
from securechat.client.entries import Entry, Found, Kind, is_whole
from securechat.client.events import Heard, Message, Offline
from securechat.client.found import conversation_of, duration
from securechat.client.timeline import Timeline
from securechat.protocol import envelopes as wire

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def posted(text: str, seq: int = 1, *, sender: str = "carol", to: str = "#lobby") -> wire.Posted:
    ts = f"2026-11-0{seq}T10:00:00.000000Z"
    return wire.Posted(id=f"{seq}", to=to, sender=sender, seq=seq, ts=ts, text=text)


@pytest.fixture
def bob() -> Timeline:
    timeline = Timeline("bob")
    timeline.look_at("#lobby")
    return timeline


def hear(timeline: Timeline, system: wire.System) -> list[Entry]:
    return list(timeline.feed(Heard(system), NOW))


def texts(entries: list[Entry]) -> list[str]:
    return [entry.text for entry in entries]


# ------------------------------------------------------------------ found


def test_what_was_found_comes_oldest_first_and_says_how_to_go_on(bob: Timeline) -> None:
    page = wire.SearchPage(
        messages=(
            posted("tea", 3, sender="bob", to="@carol"),
            posted("more tea", 2, to="@bob"),
            posted("some tea", 1),
        ),
        more=False,
    )
    *found, word = hear(bob, page)
    assert [(it.conversation, it.seq, it.nick, it.text, it.own) for it in found] == [
        ("#lobby", 1, "carol", "some tea", False),
        ("@carol", 2, "carol", "more tea", False),
        ("@carol", 3, "bob", "tea", True),
    ]
    assert all(it.found is Found.HIT and it.recalled and not it.mention for it in found)
    assert word == Entry(
        Kind.ANSWER,
        NOW,
        "3 messages found; to see one among the others: /context @carol 3",
    )
    assert not bob.conversation("#lobby").lines  # they are no lines of it


def test_it_says_when_there_is_more_or_nothing(bob: Timeline) -> None:
    page = wire.SearchPage(messages=(posted("tea"),), more=True, next="n")
    assert texts(hear(bob, page))[-1] == (
        "1 message found; /more shows older ones; to see one among the others: /context #lobby 1"
    )
    assert is_whole(page)
    assert texts(hear(bob, wire.SearchPage(messages=(), more=False))) == ["nothing was found"]


def test_what_stands_around_is_marked_and_kept_apart(bob: Timeline) -> None:
    bob.expect_context("c1", 2)
    messages = (posted("before", 1), posted("it", 2), posted("behind", 3, sender="bob"))
    page = wire.HistoryPage(re="c1", to="#lobby", messages=messages, more=True)
    entries = hear(bob, page)
    assert [(it.text, it.found, it.own) for it in entries] == [
        ("before", Found.NEAR, False),
        ("it", Found.HIT, False),
        ("behind", Found.NEAR, True),
    ]
    assert not bob.conversation("#lobby").lines
    assert [it.found for it in hear(bob, page)] == [None] * 3  # asked for once
    assert len(bob.conversation("#lobby").lines) == 3


def test_what_is_gone_is_said_to_be(bob: Timeline) -> None:
    bob.expect_context("c1", 9)
    page = wire.HistoryPage(re="c1", to="#lobby", messages=(posted("other", 1),), more=False)
    assert texts(hear(bob, page)) == ["other", "message 9 of #lobby is not there (any more)"]


def test_a_lost_link_ends_the_waiting(bob: Timeline) -> None:
    bob.expect_context("c1", 1)
    bob.feed(Offline("broken", 1.0), NOW)
    page = wire.HistoryPage(re="c1", to="#lobby", messages=(posted("x"),), more=False)
    assert [it.found for it in hear(bob, page)] == [None]


def test_a_direct_conversation_is_named_by_its_other_side() -> None:
    assert conversation_of(posted("", to="#lobby"), "bob") == "#lobby"
    assert conversation_of(posted("", sender="carol", to="@bob"), "bob") == "@carol"
    assert conversation_of(posted("", sender="bob", to="@carol"), "bob") == "@carol"


# ------------------------------------------------------------------ whois


@pytest.mark.parametrize(
    ("keys", "lines"),
    [
        ({"online": True, "idle": 5}, ["carol is a guest; online"]),
        (
            {"online": True, "idle": 720, "role": "operator", "account": True},
            ["carol has an account, operator; online, quiet for 12 min"],
        ),
        ({"held": True}, ["carol is a guest; the link was just lost"]),
        ({}, ["carol is a guest; not online"]),
        ({"seen": "yesterday"}, ["carol is a guest; not online"]),
        (
            {"seen": "2026-11-20T10:00:00.000000Z"},
            ["carol is a guest; not online since 2026-11-20 10:00 UTC"],
        ),
        (
            {"online": True, "away": "lunch", "rooms": ("#a", "#b")},
            [
                "carol is a guest; online",
                "carol is away: lunch",
                "you are both in #a, #b",
            ],
        ),
    ],
)
def test_who_somebody_is(bob: Timeline, keys: dict[str, Any], lines: list[str]) -> None:
    assert texts(hear(bob, wire.WhoisIs(nick="carol", role=keys.pop("role", "guest"), **keys))) == (
        lines
    )


def test_who_one_is_oneself(bob: Timeline) -> None:
    about = wire.WhoisIs(nick="bob", online=True, rooms=("#a",))
    assert texts(hear(bob, about))[-1] == "you are in #a"


@pytest.mark.parametrize(
    ("length", "told"),
    [(40, "40 s"), (5_300, "88 min"), (7_200, "2 h"), (100_000, "28 h"), (260_000, "3 days")],
)
def test_lengths_of_time(length: int, told: str) -> None:
    assert duration(length) == told


# ------------------------------------------------------------------ away


def away(nick: str, text: str | None = None, re: str | None = None) -> wire.AwayIs:
    return wire.AwayIs(nick=nick, text=text, re=re)


def test_ones_own_absence_is_said_and_known(bob: Timeline) -> None:
    assert texts(hear(bob, away("bob", "lunch", "c1"))) == ["you are away: lunch"]
    assert bob.absences.mine == "lunch"
    assert texts(hear(bob, away("bob", "lunch"))) == []  # said from elsewhere, and no news
    assert texts(hear(bob, away("bob"))) == ["you are back"]
    assert texts(hear(bob, away("bob", None, "c2"))) == ["you are back"]
    assert bob.absences.mine is None


def test_who_is_away_in_a_room_is_marked_and_makes_no_line(bob: Timeline) -> None:
    assert hear(bob, away("carol", "lunch")) == []
    assert bob.absences.others == {"carol": "lunch"}
    assert hear(bob, away("carol")) == []
    assert bob.absences.others == {}


def test_in_a_direct_conversation_it_is_told_once(bob: Timeline) -> None:
    hear(bob, away("carol", "lunch"))
    bob.feed(Message("@carol", posted("hi", sender="bob", to="@carol"), True, False), NOW)
    [told] = hear(bob, away("carol", "lunch"))
    assert (told.kind, told.conversation, told.text) == (
        Kind.NOTICE,
        "@carol",
        "carol is away: lunch",
    )
    assert hear(bob, away("carol", "lunch")) == []
    assert texts(hear(bob, away("carol", "tea"))) == ["carol is away: tea"]
    assert texts(hear(bob, away("carol"))) == ["carol is back"]
    assert hear(bob, away("carol")) == []
    assert bob.conversation("@carol").lines[-1].text == "carol is back"


def test_lists_tell_who_is_away_and_show_it(bob: Timeline) -> None:
    members = (
        wire.Member(nick="carol", away="lunch", held=True),
        wire.Member(nick="bob"),
        wire.Member(nick="dave"),
    )
    [listed] = hear(bob, wire.Members(room="#lobby", members=members, re="c1"))
    assert listed.text == "3 in #lobby: carol (link lost, away: lunch), bob, dave"
    assert bob.absences.others == {"carol": "lunch"}
    hear(bob, wire.Renamed(old="carol", nick="caro"))
    assert bob.absences.others == {"caro": "lunch"}
    hear(bob, wire.Members(members=(wire.Member(nick="caro"),), re="c2"))
    assert bob.absences.others == {}


def test_what_was_told_goes_with_a_new_nick(bob: Timeline) -> None:
    bob.conversation("@carol")
    hear(bob, away("carol", "lunch"))
    hear(bob, wire.Renamed(old="carol", nick="caro"))
    assert hear(bob, away("caro", "lunch")) == []
    assert texts(hear(bob, away("caro"))) == ["caro is back"]


def test_no_more_is_kept_than_can_be_shown() -> None:
    absences = Absences()
    absences.see(wire.Member(nick=f"n{number}", away="x") for number in range(MOST + 5))
    assert len(absences.others) == MOST
    assert "n0" not in absences.others
