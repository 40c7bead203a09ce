"""Between a person and a client: what is asked for, what is shown, where the next line goes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from securechat.client import slash
from securechat.client.actions import Quit
from securechat.client.arguments import BadInput
from securechat.client.bell import BellLevel
from securechat.client.commands import find
from securechat.client.controller import FOUND_PAGE, MAX_LISTED, NEAR, Controller
from securechat.client.entries import Entry, Found, Kind
from securechat.client.events import Ended, Heard, Offline, Online
from securechat.client.ignored import Ignored
from securechat.errors import ClientError, GaveUp
from securechat.protocol import envelopes as wire

from ..cli.scripted import WELCOME, ScriptedClient

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Person:
    """Somebody at a controller; everything that there is to see comes out of each word."""

    def __init__(self, *, interactive: bool = True) -> None:
        self.client = ScriptedClient()
        self.chat = Controller(self.client, "bob", ("#lobby",), interactive=interactive)
        self.client.start()
        self.seen = self.look()

    def look(self) -> list[Entry]:
        """Take all that the client has told."""
        seen: list[Entry] = []
        while not self.client.events.empty():
            seen += self.chat.take(self.client.events.get(), NOW)
        return seen

    def type(self, line: str) -> list[str]:
        """Type a line where one is; what is shown then."""
        return [entry.text for entry in self.chat.enter(line, NOW, self.chat.focus) + self.look()]


@pytest.fixture
def bob() -> Person:
    return Person()


def test_coming_in_shows_how_things_stand(bob: Person) -> None:
    assert [entry.text for entry in bob.seen] == [
        "connecting to localhost port 55555",
        "connected to scripted as bob",
        "you are in #lobby, 3 people",
        "earlier",
        "3 in #lobby: bob, carol, dave",
    ]
    assert bob.chat.focus == "#lobby"


def test_nobody_is_there_to_be_told_on_a_pipe() -> None:
    robot = Person(interactive=False)
    assert robot.client.commands == []
    assert [entry.text for entry in robot.seen][-1] == "earlier"


def test_what_is_said_comes_back(bob: Person) -> None:
    assert bob.type("hello") == ["hello"]
    assert bob.type("/me waves") == ["waves"]
    assert bob.type("/msg carol psst") == ["psst"]
    assert bob.client.said == [
        ("#lobby", "hello", False),
        ("#lobby", "waves", True),
        ("@carol", "psst", False),
    ]
    assert bob.type("") == []


def test_a_text_that_no_server_takes_is_not_sent(bob: Person) -> None:
    with pytest.raises(BadInput, match="at most 200 characters, this one 201"):
        bob.type("x" * 201)
    assert bob.client.said == []


def test_commands_are_asked_and_answered(bob: Person) -> None:
    assert bob.type("/who garden") == ["3 in #garden: bob, carol, dave"]
    assert bob.type("/time") == ["the answer to time"]
    assert bob.client.commands[-2:] == [("who", {"room": "#garden"}), ("time", {})]
    assert bob.chat.unanswered == set()


def test_a_command_is_unanswered_until_its_last_frame(bob: Person) -> None:
    bob.chat.enter("/who", NOW, "#lobby")
    assert len(bob.chat.unanswered) == 1
    bob.chat.take(bob.client.events.get(), NOW)
    assert len(bob.chat.unanswered) == 1
    bob.chat.take(bob.client.events.get(), NOW)
    assert bob.chat.unanswered == set()


def test_a_page_of_history_is_a_whole_answer(bob: Person) -> None:
    assert bob.type("/history") == ["there are no messages"]
    assert bob.chat.unanswered == set()


def test_joining_moves_when_it_is_answered(bob: Person) -> None:
    bob.chat.enter("/join garden", NOW, "#lobby")
    assert bob.chat.focus == "#lobby"
    assert [entry.text for entry in bob.look()] == [
        "you are in #garden, 1 person",
        "3 in #garden: bob, carol, dave",
    ]
    assert bob.chat.focus == "#garden"


def test_joining_where_one_is_only_moves(bob: Person) -> None:
    bob.type("/join garden")
    asked = len(bob.client.commands)
    assert bob.type("/join lobby") == []
    assert (bob.chat.focus, len(bob.client.commands)) == ("#lobby", asked)


def test_a_refused_join_stays(bob: Person) -> None:
    assert bob.type("/join secret") == ["You may not."]
    assert bob.chat.focus == "#lobby"


def test_leaving_goes_back_to_the_room_before(bob: Person) -> None:
    bob.type("/join garden")
    assert bob.type("/leave") == ["you left #garden"]
    assert bob.chat.focus == "#lobby"
    assert bob.type("/leave lobby") == ["you left #lobby"]
    assert bob.chat.focus is None
    with pytest.raises(BadInput, match="in no room"):
        bob.type("hello")
    bob.type("/join den")
    assert bob.chat.focus == "#den"


def test_leaving_another_room_stays_here(bob: Person) -> None:
    bob.type("/join garden")
    bob.type("/leave lobby")
    assert bob.chat.focus == "#garden"


def test_a_direct_conversation_is_entered_and_put_aside(bob: Person) -> None:
    assert bob.type("/query carol") == []
    assert bob.chat.focus == "@carol"
    bob.type("psst")
    assert bob.client.said[-1] == ("@carol", "psst", False)
    assert bob.type("/leave @dave") == []
    assert bob.chat.focus == "@carol"
    assert bob.type("/leave") == []
    assert bob.chat.focus == "#lobby"


def test_help_is_ours_and_what_the_server_adds(bob: Person) -> None:
    assert bob.type("/help") == [
        *slash.overview(),
        "the server can do more: dance NICK (tell more)",
    ]
    assert bob.type("/help me") == slash.explanation(find("me"))


def offline(re: str) -> Heard:
    return Heard(wire.Error(code="offline", message="There is no link.", re=re))


def test_only_what_was_typed_is_complained_about(bob: Person) -> None:
    bob.chat.enter("/help", NOW, "#lobby")
    assert bob.chat.take(offline("c2"), NOW) == []  # c1 was the list of who is here
    bob.chat.enter("/time", NOW, "#lobby")
    [entry] = bob.chat.take(offline("c3"), NOW)
    assert (entry.kind, entry.text) == (Kind.ERROR, "There is no link.")


def test_large_rooms_are_not_listed(bob: Person) -> None:
    joined = wire.Joined(room="#big", nick="bob", re="s9", seq=0, after=0, count=MAX_LISTED + 1)
    bob.client.hear(joined)
    assert [entry.text for entry in bob.look()] == [f"you are in #big, {MAX_LISTED + 1} people"]
    assert list(bob.chat.timeline.conversation("#big").people) == ["bob", "carol", "dave"]


def test_coming_back_is_told_without_lists(bob: Person) -> None:
    bob.type("drop")
    assert bob.type("lost") == ["waiting for the connection to send what you say", "lost"]
    assert bob.type("back") == ["back", "back: 3 missed, 1 sent", "back"]
    assert bob.client.commands[-1] == ("who", {"room": "#lobby"})


def test_a_person_decides_about_drafts(bob: Person) -> None:
    choice = "2 messages may not have been sent: /resend sends again, /discard drops"
    assert choice in bob.type("new")
    assert bob.client.confirmed == []
    bob.type("/discard")
    bob.type("/resend")
    assert bob.client.confirmed == [False, True]


def test_on_a_pipe_they_are_sent_again() -> None:
    robot = Person(interactive=False)
    assert "sending 2 messages again" in robot.type("new")
    assert robot.client.confirmed == [True]


def test_quitting_is_left_to_the_front_end(bob: Person) -> None:
    assert bob.chat.leaving is None
    bob.type("/quit good night")
    assert bob.chat.leaving == Quit("good night")
    assert not bob.chat.done


def test_the_end_has_its_error(bob: Person) -> None:
    bob.chat.take(Ended(None), NOW)
    assert (bob.chat.done, bob.chat.error) == (True, None)
    other = Person()
    other.type("end")
    assert other.chat.done
    assert isinstance(other.chat.error, GaveUp)


def test_a_client_that_has_ended_takes_nothing(bob: Person) -> None:
    bob.client.close()
    with pytest.raises(ClientError):
        bob.chat.enter("hello", NOW, "#lobby")
    bob.client.hear(wire.Joined(room="#den", nick="bob", re="s9", seq=0, after=0, count=1))
    assert "you are in #den, 1 person" in [entry.text for entry in bob.look()]


def test_what_the_client_cannot_send_is_bad_input(
    bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise ValueError("who cannot be sent: room")

    monkeypatch.setattr(bob.client, "command", refuse)
    with pytest.raises(BadInput, match="Not sent: who cannot be sent: room"):
        bob.type("/who")


def test_entries_of_our_own_are_answers(bob: Person) -> None:
    [first, *_] = bob.chat.enter("/help me", NOW, None)
    assert (first.kind, first.at, first.conversation) == (Kind.ANSWER, NOW, None)


# ------------------------------------------------------------------ for a full screen


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


# ------------------------------------------------------------------ moderation, ignoring


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


# ------------------------------------------------------------------ passwords


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


# ------------------------------------------------------------------ searching


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


def test_nobody_is_asked_for_a_password_in_vain(bob: Person) -> None:
    welcome = WELCOME.model_copy(update={"features": ("accounts",)})
    bob.chat.take(Online(welcome, False, False), NOW)
    with pytest.raises(BadInput, match=r"You are a guest.*/register"):
        bob.type("/passwd")
    assert bob.chat.asking is None
    bob.chat.take(Heard(wire.AccountIs(account="bob", nick="bob", role="member")), NOW)
    with pytest.raises(BadInput, match="You have an account: bob"):
        bob.type("/register")
    with pytest.raises(BadInput, match="logged in already, as bob"):
        bob.type("/login carol")
    bob.type("/passwd")
    assert bob.chat.asking is not None


def test_what_the_server_advises_is_told_as_one_types_it(bob: Person) -> None:
    bob.client.hear(wire.Error(code="not_a_member", message="`join` it first."))
    assert [entry.text for entry in bob.look()] == ["/join it first."]
