"""Between a person and a client: what is asked for, what is shown, where the next line goes."""

from __future__ import annotations

import pytest

from securechat.client import slash
from securechat.client.actions import Quit
from securechat.client.arguments import BadInput
from securechat.client.commands import find
from securechat.client.controller import MAX_LISTED
from securechat.client.entries import Kind
from securechat.client.events import Ended, Heard, Online
from securechat.errors import ClientError, GaveUp
from securechat.protocol import envelopes as wire

from ..cli.scripted import WELCOME
from .person import NOW, Person


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


def test_a_link_that_is_lost_is_tried_again_when_one_wants(bob: Person) -> None:
    with pytest.raises(BadInput, match="You are connected"):
        bob.type("/reconnect")
    bob.type("drop")
    assert "trying again now" in bob.type("/reconnect")
    assert bob.client.hurried == 1


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


def test_of_two_put_aside_the_one_in_which_something_was_said_is_kept(bob: Person) -> None:
    bob.type("/msg carol hello")
    for name in ("dave", "carol"):
        bob.type(f"/query {name}")
        bob.type("/leave")
    assert "@carol" in bob.chat.timeline.conversations
    assert "@dave" not in bob.chat.timeline.conversations
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
