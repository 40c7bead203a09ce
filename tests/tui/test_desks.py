"""Where entries go, and what follows a person who changes the nick."""

from __future__ import annotations

from securechat.client.entries import Entry, Kind
from securechat.client.events import Heard, Offline
from securechat.protocol import envelopes as wire
from securechat.tui.desks import Desks
from securechat.tui.log import head_of

from .entries import NOON, message


def texts(desks: Desks, name: str | None) -> list[str]:
    log = desks[name].log
    return [head_of(log[number]).text for number in range(log.first, log.end)]


def test_each_entry_goes_where_it_belongs() -> None:
    desks = Desks("#lobby")
    desks.put(
        [
            message("here"),
            message("there", conversation="#garden"),
            Entry(Kind.ANSWER, NOON, "an answer"),
            Entry(Kind.UNSENT, NOON, "a draft", "#lobby"),
            Entry(Kind.REFUSED, NOON, "a draft", "#lobby"),
        ]
    )
    assert texts(desks, "#lobby") == ["here", "an answer"]
    assert texts(desks, "#garden") == ["there"]
    assert desks["#lobby"].log.marker is None
    assert desks["#garden"].log.marker == 0


def test_a_page_of_history_goes_in_front() -> None:
    desks = Desks("#lobby")
    page = [message(f"old {seq}", seq=seq, recalled=True) for seq in (1, 2)]
    desks.put([message("new", seq=3), *page])
    assert texts(desks, "#lobby") == ["old 1", "old 2", "new"]


def test_what_was_left_has_been_read() -> None:
    desks = Desks("#lobby")
    desks.put([message("new", conversation="#garden")])
    desks.look_at("#garden")
    assert desks["#garden"].log.marker == 0
    desks.look_at("#garden")
    assert desks["#garden"].log.marker == 0
    desks.look_at("#lobby")
    assert desks["#garden"].log.marker is None


def test_what_was_missed_is_marked_in_every_conversation() -> None:
    desks = Desks("#lobby")
    desks.take(Offline("reset", 1.0), [])
    desks.put([message("missed", missed=True)])
    assert desks["#lobby"].log.marker == 0


def test_a_direct_conversation_follows_the_nick() -> None:
    desks = Desks("@carol")
    desks["@carol"].typed.draft = "half a"
    desks.take(Heard(wire.Renamed(old="carol", nick="caro")), [])
    assert desks.shown == "@caro"
    assert desks["@caro"].typed.draft == "half a"
    desks.take(Heard(wire.Renamed(old="caro", nick="caro")), [])
    assert desks["@caro"].typed.draft == "half a"


def test_what_the_client_forgot_is_forgotten() -> None:
    desks = Desks("#lobby")
    desks.put([message("there", conversation="#garden"), message("x", conversation="#tea")])
    desks.forget_all_but(["#tea"])
    assert texts(desks, "#garden") == []
    assert texts(desks, "#tea") == ["x"]


def test_a_removed_message_is_told_where_it_stands() -> None:
    desks = Desks("#lobby")
    desks.put([message("secret", seq=7), message("other", seq=8)])
    desks.put([Entry(Kind.NOTICE, NOON, "ann removed it", "#lobby", "ann", removes=7)])
    assert texts(desks, "#lobby") == ["(removed)", "other"]
    desks.put([Entry(Kind.NOTICE, NOON, "ann removed 3", "#lobby", "ann", removes=3)])
    assert texts(desks, "#lobby") == ["(removed)", "other", "ann removed 3"]
