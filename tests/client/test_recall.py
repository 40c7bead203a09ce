"""What is fetched of the past: each page once, and a search as far as it goes."""

from __future__ import annotations

from securechat.client.recall import Recall
from securechat.protocol.envelopes import HistoryPage, SearchPage


def test_a_page_is_asked_for_once_and_none_before_the_first_message() -> None:
    recall = Recall()
    assert not recall.has_older("#lobby", 1)
    recall.fetch("c1", "#lobby")
    assert not recall.has_older("#lobby", 500)
    assert recall.has_older("#garden", 500)
    recall.came("c1", HistoryPage(to="#lobby", messages=(), more=True, re="c1"))
    assert recall.has_older("#lobby", 400)
    recall.fetch("c2", "#lobby")
    recall.came("c2", HistoryPage(to="#lobby", messages=(), more=False, re="c2"))
    assert not recall.has_older("#lobby", 300)
    recall.begin_again("#lobby")
    assert recall.has_older("#lobby", 300)


def test_what_the_link_or_a_refusal_took_can_be_asked_for_again() -> None:
    recall = Recall()
    recall.fetch("c1", "#lobby")
    recall.fetch("c2", "#garden")
    recall.refused("c1")
    assert recall.has_older("#lobby", 500)
    assert not recall.has_older("#garden", 500)
    recall.lose_link()
    assert recall.has_older("#garden", 500)


def test_a_search_goes_on_where_its_page_says() -> None:
    recall = Recall()
    assert recall.next_search() is None
    recall.search("c1", "tulips")
    recall.found("c1", SearchPage(messages=(), more=True, next="4", re="c1"))
    assert recall.next_search() == ("tulips", "4")
    recall.found("c9", SearchPage(messages=(), more=True, next="1", re="c9"))
    assert recall.next_search() == ("tulips", "4")
    recall.search("c2", "tulips")
    recall.found("c2", SearchPage(messages=(), more=False, next="1", re="c2"))
    assert recall.next_search() is None
