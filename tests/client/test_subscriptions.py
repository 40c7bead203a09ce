"""Each conversation has a cursor, which moves by one and is never lost."""

from __future__ import annotations

import pytest

from securechat.client import effects as do
from securechat.client import events
from securechat.client.backoff import CAP
from securechat.client.events import CaughtUp, Heard, Message, Offline
from securechat.client.session import Phase
from securechat.client.talk import MOST_LISTINGS
from securechat.protocol import envelopes as wire

from .runs import Run, posted, welcome


def test_each_message_comes_once_in_order() -> None:
    run = Run().start().dialed().hear(welcome()).join(seq=3, after=1).listed()
    run.hear(posted(2), posted(2), posted(3), posted(1), posted(4))
    assert run.seqs() == [2, 3, 4]
    assert [one.missed for one in run.tells(Message)] == [True, True, False]


def test_a_gap_means_that_we_connect_again_behind_the_cursor() -> None:
    run = Run().online().hear(posted(1), posted(3))
    assert run.seqs() == [1]
    assert "missing" in run.tells(Offline)[0].reason
    run.wait(CAP).dialed().hear(welcome())
    assert run.last(wire.Join).after == 1


def test_a_room_that_we_are_not_in_shows_nothing() -> None:
    run = Run().online().hear(posted(7, "#other"))
    assert run.tells(Message) == []
    assert run.session.phase is Phase.ONLINE


def test_trimmed_history_moves_the_cursor() -> None:
    run = Run().start().dialed().hear(welcome()).join(seq=9, after=0).listed()
    run.hear(wire.Trimmed(to="#lobby", after=5), posted(6))
    assert run.seqs() == [6]
    assert run.tells(Heard)[-1].system == wire.Trimmed(to="#lobby", after=5)


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (wire.Notice(text="hi"), True),
        (wire.Joined(room="#lobby", nick="eve"), True),
        (wire.Left(room="#lobby", nick="eve"), True),
        (wire.Error(code="bad_text", message="no"), True),
        (wire.ConversationList(conversations=()), True),
        (wire.ServerPing(), False),
        (wire.ServerPong(), False),
        (wire.UnknownEvent(event="fireworks"), False),
    ],
)
def test_what_a_front_end_may_show(event: wire.System, shown: bool) -> None:
    run = Run().online().forget().hear(event)
    assert run.told == ([Heard(event)] if shown else [])


def test_answers_of_a_later_server_reach_the_one_who_asked() -> None:
    run = Run().online().ask(wire.Joke(id="c1")).forget()
    run.hear(wire.UnknownEvent(event="limerick", re="c1"))
    assert run.tells(Heard) == [Heard(wire.UnknownEvent(event="limerick", re="c1"))]


def test_a_command_without_a_link_is_answered_here() -> None:
    run = Run().start().ask(wire.Time(id="c1")).ask(wire.Join(id="c2", room="#dev"))
    errors = [one.system for one in run.tells(Heard)]
    assert [(one.code, one.re) for one in errors] == [("offline", "c1"), ("offline", "c2")]
    run.dialed().hear(welcome())
    assert run.last(wire.Join).room == "#dev"


def test_a_command_whose_answer_was_lost_is_answered_here() -> None:
    run = Run().online().ask(wire.Time(id="c1")).ask(wire.Who(id="c2"))
    run.hear(
        wire.Members(members=(), more=True, re="c2"), wire.TimeIs(now="", re="c1")
    ).forget().lose()
    assert [one.system.re for one in run.tells(Heard)] == ["c2"]


def test_rooms_joined_and_left_are_remembered() -> None:
    run = Run().online().ask(wire.Join(id="c1", room="#dev", last=5))
    run.hear(wire.Joined(room="#dev", nick="bob", re="c1", seq=8, after=8))
    run.ask(wire.Leave(id="c2", room="#lobby"))
    run.hear(wire.Left(room="#lobby", nick="bob", re="c2"))
    run.forget().come_back()
    assert [one.room for one in run.sent if isinstance(one, wire.Join)] == ["#dev"]
    assert run.last(wire.Join).after == 8


def test_what_was_said_before_leaving_is_asked_after() -> None:
    """Who is behind and leaves will not see the echo; a repeat is answered all the same."""
    run = Run().online()
    said = run.say("hi")
    run.ask(wire.Leave(id="c1", room="#lobby")).forget()
    run.hear(wire.Left(room="#lobby", nick="bob", re="c1"))
    assert [one.id for one in run.sent if isinstance(one, wire.Draft)] == [said]


def test_nothing_is_asked_after_while_the_server_takes_nothing() -> None:
    run = Run().online()
    said = run.say("hi")
    run.ask(wire.Leave(id="c1", room="#lobby"))
    run.hear(wire.Error(code="storage", message="full", re=said, retry_after=5)).forget()
    run.hear(wire.Left(room="#lobby", nick="bob", re="c1"))
    assert not [one for one in run.sent if isinstance(one, wire.Draft)]


def test_a_room_that_refused_us_is_not_asked_again() -> None:
    run = Run().online().ask(wire.Join(id="c1", room="#dev"))
    run.hear(wire.Error(code="forbidden", message="no", re="c1"))
    run.forget().come_back()
    assert [one.room for one in run.sent if isinstance(one, wire.Join)] == ["#lobby"]


@pytest.mark.parametrize("code", ["already_joined", "bad_envelope"])
def test_a_failed_join_of_a_room_that_we_are_in_changes_nothing(code: str) -> None:
    run = Run().online().ask(wire.Join(id="c1", room="#lobby"))
    run.hear(wire.Error(code=code, message="no", re="c1"), posted(1))
    assert run.seqs() == [1]


def test_a_room_entered_again_goes_on_where_it_was_left() -> None:
    run = Run().online().hear(posted(1)).ask(wire.Leave(id="c1", room="#lobby"))
    run.hear(wire.Left(room="#lobby", nick="bob", re="c1"), posted(2))
    run.ask(wire.Join(id="c2", room="#lobby"))
    assert run.last(wire.Join).after == 1
    run.hear(wire.Joined(room="#lobby", nick="bob", re="c2", seq=3, after=1), posted(2), posted(3))
    assert run.seqs() == [1, 2, 3]


def test_asking_for_old_messages_does_not_show_them_twice() -> None:
    run = Run().start().dialed().hear(welcome()).join(seq=2, after=0).listed()
    run.hear(posted(1), posted(2)).ask(wire.Leave(id="c1", room="#lobby"))
    run.ask(wire.Join(id="c2", room="#lobby", after=0))
    run.hear(wire.Joined(room="#lobby", nick="bob", re="c2", seq=3, after=0))
    run.hear(posted(1), posted(2), posted(3))
    assert run.seqs() == [1, 2, 3]


def test_a_cursor_beyond_the_head_is_taken_back() -> None:
    run = Run().start().dialed().hear(welcome()).join(seq=9, after=9).listed()
    run.come_back().join(seq=4, after=4).listed().hear(posted(5))
    assert run.seqs() == [5]


def test_what_was_under_way_under_a_former_nick_is_shown_in_the_conversation_of_now() -> None:
    run = Run().online().hear(posted(1, "@bob"), wire.Renamed(old="eve", nick="mallory"))
    run.hear(posted(2, "@bob", sender="eve"), wire.Renamed(old="mallory", nick="trudy"))
    run.hear(posted(3, "@bob", sender="mallory"), posted(4, "@bob", sender="eve"))
    assert run.seqs("@eve") == [1]
    assert run.seqs("@mallory") == [2]
    assert run.seqs("@trudy") == [3, 4]


def test_direct_messages_are_live_from_welcome_on() -> None:
    run = Run().online().hear(posted(1, "@bob"), posted(2, "@eve", "bob"), posted(3, "@bob"))
    assert run.seqs("@eve") == [1, 2, 3]
    assert [one.own for one in run.tells(Message)] == [False, True, False]


def test_a_direct_conversation_is_joined_behind_its_cursor() -> None:
    run = Run().online().hear(posted(1, "@bob"), posted(1, "@bob", "amy"))
    run.forget().come_back().join()
    run.hear(posted(4, "@bob"))  # live already, but 2 and 3 are still to come
    run.listed(("@eve", 4), ("@amy", 1), ("@new", 2))
    joins = [(one.room, one.after) for one in run.sent if isinstance(one, wire.Join)]
    assert joins[1:] == [("@eve", 1), ("@new", 0)]
    run.join(seq=4, after=1, room="@eve").hear(*(posted(n, "@bob") for n in (2, 3, 4)))
    run.join(seq=2, after=0, room="@new").hear(*(posted(n, "@bob", "new") for n in (1, 2)))
    assert run.seqs("@eve") == [2, 3, 4]
    assert run.tells(CaughtUp) == [CaughtUp(missed=5, sent=0)]
    assert not any(one.system.event == "joined" and one.system.room[0] == "@"
                   for one in run.tells(Heard))  # fmt: skip


def test_a_known_session_without_cursors_begins_with_the_backlog() -> None:
    run = Run(session="token", backlog=30).start().dialed().hear(welcome()).join()
    run.listed(("@eve", 80))
    assert (run.last(wire.Join).room, run.last(wire.Join).last) == ("@eve", 30)


def test_a_known_session_without_cursors_or_backlog_is_live_only() -> None:
    run = Run(session="token", backlog=0).start().dialed().hear(welcome()).join()
    run.hear(posted(81, "@bob")).listed(("@eve", 81), ("@amy", 9))
    run.hear(posted(82, "@bob"), posted(10, "@bob", "amy"))
    assert run.seqs("@eve") == [81, 82]
    assert run.seqs("@amy") == [10]
    assert run.come_back().join().listed(("@eve", 83)).last(wire.Join).after == 82


def test_a_long_list_of_conversations_comes_in_parts() -> None:
    run = Run().online().come_back().join()
    asked = run.last(wire.Conversations)
    row = wire.Conversation(to="@eve", seq=1, ts="")
    run.hear(wire.ConversationList(conversations=(row,), more=True, re=asked.id))
    run.join(seq=1, after=0, room="@eve").hear(posted(1, "@bob"))
    assert run.tells(CaughtUp) == []
    run.hear(wire.ConversationList(conversations=(), re=asked.id))
    assert run.tells(CaughtUp) == [CaughtUp(1, 0)]


def test_a_server_that_cannot_list_is_no_reason_to_wait() -> None:
    run = Run().online().come_back().join()
    asked = run.last(wire.Conversations)
    run.hear(wire.Error(code="unknown_command", message="no", re=asked.id))
    assert run.tells(CaughtUp) == [CaughtUp(0, 0)]


def test_a_partner_who_changes_nick_keeps_the_conversation() -> None:
    run = Run().online().hear(posted(1, "@bob"), wire.Renamed(old="eve", nick="carol"))
    run.hear(posted(2, "@bob", "carol"))
    assert run.seqs("@carol") == [2]
    assert do.MoveCursor("@eve", "@carol") in run.other
    assert run.snapshot().cursors == {"@carol": 2}


def test_a_partner_who_changes_nick_while_we_catch_up() -> None:
    run = Run().online().hear(posted(1, "@bob")).forget().come_back().join().listed(("@eve", 2))
    asked = run.last(wire.Join)
    run.hear(wire.Renamed(old="eve", nick="carol"))
    run.hear(wire.Joined(room="@carol", nick="bob", re=asked.id, seq=2, after=1))
    run.hear(posted(2, "@bob", "carol"))
    assert run.tells(CaughtUp) == [CaughtUp(1, 0)]


def test_a_direct_join_refused_leaves_the_conversation_live() -> None:
    run = Run().online().hear(posted(1, "@bob")).come_back().join().listed(("@eve", 2))
    run.hear(wire.Error(code="no_such_user", message="no", re=run.last(wire.Join).id))
    assert run.tells(CaughtUp) == [CaughtUp(0, 0)]
    assert "missing" in run.hear(posted(3, "@bob")).tells(Offline)[-1].reason


def test_who_was_listed_and_goes_by_another_nick_since_is_asked_for_again() -> None:
    """Who is behind in the rooms that they share does not hear `renamed`."""
    run = Run().online().hear(posted(1, "@bob")).come_back().join().listed(("@ann", 2))
    run.hear(wire.Error(code="no_such_user", message="no", re=run.last(wire.Join).id))
    run.listed(("@zoe", 2))
    asked = run.last(wire.Join)
    assert (asked.room, asked.after) == ("@zoe", 0)
    run.hear(wire.Joined(room="@zoe", nick="bob", re=asked.id, seq=2, after=0))
    run.hear(posted(1, "@bob", "zoe"), posted(2, "@bob", "zoe"))
    assert run.seqs("@zoe") == [1, 2]


def test_a_server_that_lists_who_is_not_there_is_not_asked_for_ever() -> None:
    run = Run().online()

    def refuse(nick: str) -> bool:
        """List somebody and refuse to know them; whether the list is asked for again."""
        answered = run.last(wire.Conversations)
        run.listed((f"@{nick}", 2))
        run.hear(wire.Error(code="no_such_user", message="no", re=run.last(wire.Join).id))
        return run.last(wire.Conversations) is not answered

    run.come_back().join()
    asked = [refuse(f"ann{number}") for number in range(MOST_LISTINGS)]
    assert asked == [True] * (MOST_LISTINGS - 1) + [False]
    run.come_back().join()
    assert refuse("ann1")
    assert not refuse("ann1"), "the same list again says nothing new"


def test_a_conversation_keeps_the_spelling_that_the_server_gave() -> None:
    run = Run().online().hear(posted(1, "@bob", "Eve"))
    run.say("hi", "@EVE")
    assert run.tells(events.Draft)[-1].conversation == "@Eve"
