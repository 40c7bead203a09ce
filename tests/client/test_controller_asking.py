"""What is asked of the server, or of the person, and what is kept here."""

from __future__ import annotations

import pytest

from securechat.client.arguments import BadInput
from securechat.client.bell import BellLevel
from securechat.client.controller import Controller
from securechat.client.events import Heard
from securechat.client.ignored import Ignored
from securechat.protocol import envelopes as wire

from ..cli.scripted import ScriptedClient
from .person import NOW, Person


def test_what_keeps_order_is_asked_of_the_server(bob: Person) -> None:
    bob.chat.enter("/mute eve 10m loud", NOW, "#lobby")
    assert bob.client.commands[-1] == (
        "mute",
        {"nick": "eve", "room": "#lobby", "duration": 600, "reason": "loud"},
    )


def test_the_message_to_remove_is_found_by_who_said_it(bob: Person) -> None:
    bob.type("mine")
    seqs = {line.nick: line.seq for line in bob.chat.timeline.conversation("#lobby").lines}
    bob.chat.enter("/remove", NOW, "#lobby")
    assert bob.client.commands[-1] == ("remove", {"to": "#lobby", "seq": seqs["bob"]})
    bob.chat.enter("/remove CAROL rude", NOW, "#lobby")
    assert bob.client.commands[-1] == (
        "remove",
        {"to": "#lobby", "seq": seqs["carol"], "reason": "rude"},
    )
    bob.chat.enter("/remove 77", NOW, "#lobby")
    assert bob.client.commands[-1] == ("remove", {"to": "#lobby", "seq": 77})
    with pytest.raises(BadInput, match="no message of theirs here"):
        bob.chat.enter("/remove nobody", NOW, "#lobby")
    with pytest.raises(BadInput, match="no message of yours here"):
        bob.chat.enter("/remove", NOW, "#elsewhere")


def test_ignoring_somebody_and_hearing_them_again(bob: Person) -> None:
    assert bob.type("/ignore") == ["you ignore nobody"]
    assert bob.type("/ignore Eve") == ["you ignore Eve now"]
    assert bob.type("/ignore eve") == ["you ignore eve already"]
    assert bob.type("/ignore") == ["you ignore Eve"]
    bob.chat.take(Heard(wire.Renamed(old="eve", nick="mallory")), NOW)
    assert bob.type("/ignore") == ["you ignore Eve, mallory"]
    assert bob.type("/unignore eve") == ["you hear eve now"]
    assert bob.type("/unignore eve") == ["you hear eve already"]


def test_a_list_that_cannot_be_kept_holds_for_this_run(
    bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_self: Ignored) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Ignored, "_save", fail)
    with pytest.raises(BadInput, match="holds until you leave"):
        bob.type("/ignore eve")
    assert bob.type("/ignore") == ["you ignore eve"]


def test_a_client_that_keeps_the_list_gives_it_and_its_warning() -> None:
    class Keeping(ScriptedClient):
        ignored = Ignored()

    client = Keeping()
    client.ignored.add("eve")
    client.ignored.warning = "Whom you ignore was not read."
    chat = Controller(client, "bob", ("#lobby",))
    client.start()
    seen = []
    while not client.events.empty():
        seen += chat.take(client.events.get(), NOW)
    assert [it.text for it in seen].count("Whom you ignore was not read.") == 1
    assert "eve" in chat.timeline.ignored


def test_who_is_put_out_of_the_room_that_is_shown_reads_there_why(bob: Person) -> None:
    act = wire.Moderated(act="kick", by="ann", room="#lobby", nick="bob", reason="loud")
    [told] = bob.chat.take(Heard(act), NOW)
    assert (told.text, told.conversation) == ("ann put you out of #lobby (loud)", "#lobby")
    assert bob.chat.focus == "#lobby"
    assert not bob.chat.timeline.conversation("#lobby").joined


def test_what_is_asked_for_goes_into_the_command(bob: Person) -> None:
    assert bob.type("/register") == []
    assert bob.chat.asking is not None
    bob.chat.answer(["tulips in may", "tulips in may"])
    assert bob.client.commands[-1] == ("register", {"password": "tulips in may"})
    assert bob.chat.asking is None
    bob.type("/passwd")
    bob.chat.answer(["", "new words", "new words"])
    assert bob.client.commands[-1] == ("passwd", {"password": "new words"})
    bob.type("/login carol")
    bob.chat.answer(["tulips"])
    assert bob.client.commands[-1] == ("login", {"nick": "carol", "password": "tulips"})


@pytest.mark.parametrize(
    ("line", "secrets", "why"),
    [
        ("/register", ["tulips", "tulip"], "two different"),
        ("/register", ["", ""], "Nothing was typed"),
        ("/passwd", ["old", "new", "now"], "two different"),
        ("/login carol", [""], "Nothing was typed"),
    ],
)
def test_what_was_mistyped_is_not_sent(
    bob: Person, line: str, secrets: list[str], why: str
) -> None:
    before = list(bob.client.commands)
    bob.type(line)
    with pytest.raises(BadInput, match=why):
        bob.chat.answer(secrets)
    assert bob.client.commands == before
    assert bob.chat.asking is None


def test_who_would_rather_not_say_is_not_asked_again(bob: Person) -> None:
    bob.type("/register")
    bob.chat.leave_unanswered()
    assert bob.chat.asking is None


def test_a_reply_goes_to_who_wrote_to_us_alone_last(bob: Person) -> None:
    with pytest.raises(BadInput, match="Nobody has written to you alone"):
        bob.type("/reply coming")
    bob.client.post("carol", "psst", "@carol")
    bob.client.post("dave", "hello all")
    bob.look()
    bob.type("/reply coming")
    bob.client.hear(wire.Renamed(old="carol", nick="caro"))
    bob.look()
    bob.type("/reply soon")
    assert bob.client.said == [("@carol", "coming", False), ("@caro", "soon", False)]


def test_the_bell_is_told_and_set(bob: Person) -> None:
    assert bob.type("/bell") == ["bell: mentions"]
    assert bob.type("/bell off") == ["bell: off"]
    assert bob.chat.bell.level is BellLevel.OFF


def test_what_was_cleared_away_can_be_fetched_again(bob: Person) -> None:
    bob.chat.fetch_older("#lobby", 5)
    bob.client.hear(wire.HistoryPage(to="#lobby", messages=(), more=False, re="c2"))
    bob.look()
    bob.type("/clear")
    assert bob.chat.clearing
    asked = len(bob.client.commands)
    bob.chat.fetch_older("#lobby", 5)
    assert len(bob.client.commands) == asked + 1
