"""What is fetched for the screen: older messages, what was refused, what a search finds."""

from __future__ import annotations

import pytest

from securechat.client.arguments import BadInput
from securechat.client.controller import FOUND_PAGE, NEAR
from securechat.client.entries import Found
from securechat.client.events import Heard, Offline
from securechat.errors import ClientError
from securechat.protocol import envelopes as wire

from .person import NOW, Person


def page(re: str, *seqs: int, more: bool) -> Heard:
    messages = tuple(
        wire.Posted(id=f"i{seq}", to="#lobby", sender="carol", seq=seq, ts="", text=f"old {seq}")
        for seq in seqs
    )
    return Heard(wire.HistoryPage(to="#lobby", messages=messages, more=more, re=re))


def test_older_messages_are_fetched_once_and_no_further_than_the_first() -> None:
    bob = Person()
    bob.client.commands.clear()
    bob.client._answers = lambda *_: []  # type: ignore[method-assign]
    bob.chat.fetch_older("#lobby", 500)
    bob.chat.fetch_older("#lobby", 500)
    assert bob.client.commands == [("history", {"to": "#lobby", "before": 500, "limit": 100})]
    fetch = f"c{bob.client._numbers}"
    seen = bob.chat.take(page(fetch, 3, 4, more=False), NOW)
    assert [(entry.seq, entry.recalled) for entry in seen] == [(3, True), (4, True)]
    bob.chat.fetch_older("#lobby", 3)
    bob.chat.fetch_older("#garden", 1)
    assert len(bob.client.commands) == 1


def test_an_empty_page_that_nobody_typed_says_nothing() -> None:
    bob = Person()
    bob.chat.fetch_older("#lobby", 500)
    assert bob.look() == []


def test_a_lost_link_takes_the_fetching_with_it() -> None:
    bob = Person()
    bob.client._answers = lambda *_: []  # type: ignore[method-assign]
    bob.chat.fetch_older("#lobby", 500)
    bob.client.drop()
    bob.look()
    asked = len(bob.client.commands)
    bob.chat.fetch_older("#lobby", 500)
    assert len(bob.client.commands) == asked  # there is no link
    bob.client.come_back()
    bob.look()
    asked = len(bob.client.commands)
    bob.chat.fetch_older("#lobby", 500)
    assert len(bob.client.commands) == asked + 1


def test_what_was_refused_can_be_sent_again_or_forgotten() -> None:
    bob = Person()
    bob.type("/me refuse this")
    [draft_id] = bob.chat.timeline.refused
    bob.chat.send_again(draft_id)
    assert not bob.chat.timeline.refused
    bob.look()
    [draft_id] = bob.chat.timeline.refused
    bob.chat.forget(draft_id)
    assert not bob.chat.timeline.refused
    assert bob.client.said == [("#lobby", "refuse this", True)] * 2
    bob.type("refuse it")
    bob.client.close()
    [draft_id] = bob.chat.timeline.refused
    with pytest.raises(ClientError):
        bob.chat.send_again(draft_id)
    assert bob.chat.timeline.refused


def asked(bob: Person, line: str) -> str:
    """Type a line; the id of the command that it became, which nobody answers."""
    assert bob.chat.enter(line, NOW, bob.chat.focus) == []
    while not bob.client.events.empty():
        bob.client.events.get()
    [id] = bob.chat.unanswered
    return id


def tea(seq: int) -> wire.Posted:
    ts = "2026-11-23T12:00:00.000000Z"
    return wire.Posted(id=f"{seq}", to="#lobby", sender="carol", seq=seq, ts=ts, text=f"tea {seq}")


def found(re: str, *seqs: int, next: str | None = None) -> Heard:
    more = next is not None
    return Heard(wire.SearchPage(re=re, messages=tuple(map(tea, seqs)), more=more, next=next))


def test_a_search_goes_on_where_it_was(bob: Person) -> None:
    with pytest.raises(BadInput, match="nothing more"):
        bob.type("/more")
    id = asked(bob, "/search tea")
    assert bob.client.commands[-1] == ("search", {"query": "tea", "limit": FOUND_PAGE})
    assert len(bob.chat.take(found(id, 3, 2, next="n2"), NOW)) == 3
    assert bob.chat.unanswered == set()
    id = asked(bob, "/more")
    assert bob.client.commands[-1][1] == {"query": "tea", "limit": FOUND_PAGE, "before": "n2"}
    bob.chat.take(found(id, 1), NOW)
    with pytest.raises(BadInput, match="nothing more"):
        bob.type("/more")


def test_a_search_that_is_refused_or_cut_off_leaves_the_one_before(bob: Person) -> None:
    id = asked(bob, "/search tea")
    bob.chat.take(found(id, 3, next="n2"), NOW)
    id = asked(bob, '/search "')
    error = wire.Error(re=id, code="bad_query", message="A quote is missing.")
    assert [it.text for it in bob.chat.take(Heard(error), NOW)] == ["A quote is missing."]
    bob.type("/search coffee")
    bob.chat.take(Offline("broken", 1.0), NOW)
    bob.type("/more")
    assert bob.client.commands[-1][1]["before"] == "n2"


def test_what_stands_around_a_message_is_asked_for(bob: Person) -> None:
    id = asked(bob, "/context garden 100")
    assert bob.client.commands[-1] == (
        "history",
        {"to": "#garden", "before": 100 + NEAR + 1, "limit": 2 * NEAR + 1},
    )
    page = wire.HistoryPage(re=id, to="#garden", messages=(tea(100),), more=True)
    [entry] = bob.chat.take(Heard(page), NOW)
    assert (entry.conversation, entry.seq, entry.found) == ("#garden", 100, Found.HIT)
