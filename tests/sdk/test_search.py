"""Searching, being away and asking who somebody is, from a script."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from securechat import Found, Person, Rejected
from securechat.testing import ChatServer

DEADLINE = 10.0


def texts(found: Found) -> list[str]:
    return [message.text for message in found.messages]


def test_what_was_said_is_found_newest_first(chat_server: ChatServer) -> None:
    with chat_server.connect("ann") as ann, chat_server.connect("bob") as bob:
        for number in range(3):
            ann.send("#lobby", f"tulip {number}")
        ann.send("@bob", "a tulip for you")
        found = bob.search("tulip")
        assert texts(found) == ["a tulip for you", "tulip 2", "tulip 1", "tulip 0"]
        assert (found.next, found.more) == (None, False)
        newest = found.messages[0]
        assert (newest.conversation, newest.sender, newest.own) == ("@ann", "ann", False)
        assert texts(bob.search("tulip from:bob")) == []
        assert texts(bob.search("tulip", to="@ann")) == ["a tulip for you"]
        [mine] = ann.search("you").messages
        assert (mine.conversation, mine.own) == ("@bob", True)


def test_pages_lead_from_one_to_the_next(chat_server: ChatServer) -> None:
    with chat_server.connect("ann") as ann:
        for number in range(5):
            ann.send("#lobby", f"tulip {number}")
        first = ann.search("tulip", limit=3)
        assert first.more
        second = ann.search("tulip", limit=3, before=first.next)
        assert texts(first) + texts(second) == [f"tulip {n}" for n in (4, 3, 2, 1, 0)]
        assert not second.more


def test_a_query_that_means_nothing_is_rejected(chat_server: ChatServer) -> None:
    with chat_server.connect("ann") as ann:
        for query, code in (('"', "bad_query"), ("in:nowhere", "no_such_room")):
            with pytest.raises(Rejected) as caught:
                ann.search(query)
            assert caught.value.code == code


def test_who_is_away_is_told_and_asked(chat_server: ChatServer) -> None:
    with chat_server.connect("ann") as ann, chat_server.connect("bob") as bob:
        bob.away("lunch")
        assert {one.nick: one.away for one in ann.who("#lobby")} == {"ann": None, "bob": "lunch"}
        receipt = ann.send("@bob", "hi")  # that bob is away is told beside the echo
        assert receipt.seq == 1
        person = ann.whois("bob")
        assert person == Person(
            nick="bob",
            role=person.role,
            account=False,
            online=True,
            held=False,
            idle=person.idle,
            seen=None,
            away="lunch",
            rooms=("#lobby",),
        )
        assert person.idle in range(10)
        bob.back()
        assert ann.whois("bob").away is None
        bob.close()
        seen = ann.whois("bob").seen
        assert seen is not None
        assert abs(seen - datetime.now(UTC)) < timedelta(minutes=1)
        with pytest.raises(Rejected) as caught:
            ann.whois("nobody")
        assert caught.value.code == "no_such_user"
