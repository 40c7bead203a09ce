"""Direct conversations: two people, all of their connections, and the nicks that they have now."""

from __future__ import annotations

import pytest

from securechat.chat.direct import key_of, make_partners, sides_of
from securechat.chat.effects import ReadHistory, SendConversations, Subscribe
from securechat.chat.identities import Identity
from securechat.chat.nicks import parse_nick
from securechat.protocol.envelopes import (
    ChangeNick,
    Conversations,
    History,
    Join,
    Joined,
    Posted,
    Quit,
    Renamed,
)

from .book import TS
from .stage import Stage, code_of, kinds

DAY = 86_400.0

# ------------------------------------------------------------------ keys


def test_two_people_share_one_key_whoever_begins() -> None:
    ann, bob = (Identity(number, parse_nick("x"), b"", 0.0) for number in (12, 9))
    assert key_of(ann, bob) == key_of(bob, ann) == "@9:12"
    assert key_of(ann, ann) == "@12:12"
    assert sides_of("@9:12") == (9, 12)


def test_partners_know_each_other() -> None:
    ann, bob = (Identity(number, parse_nick("x"), b"", 0.0) for number in (1, 2))
    make_partners(ann, bob)
    make_partners(bob, ann)
    make_partners(ann, ann)
    assert (ann.partners, bob.partners) == ({2: None, 1: None}, {1: None})


# ------------------------------------------------------------------ said


def test_a_direct_message_reaches_all_connections_of_both(stage: Stage) -> None:
    ann, bob, eve = stage.enter("ann"), stage.enter("bob"), stage.enter("eve")
    ann2 = stage.enter("ann", session=ann.session)
    bob2 = stage.enter("bob", session=bob.session)
    [echo] = ann.say("@bob", "psst", "a-1")
    assert echo == Posted(id="a-1", to="@bob", sender="ann", seq=1, ts=TS, text="psst")
    assert ann2.hears() == bob.hears() == bob2.hears() == [echo]
    assert eve.hears() == []
    [answer] = bob2.say("@ann", "what?")
    assert (answer.to, answer.sender, answer.seq) == ("@ann", "bob", 2)


def test_a_connection_that_comes_later_hears_what_is_said_from_then_on(stage: Stage) -> None:
    ann, bob = stage.enter("ann"), stage.enter("bob")
    ann.say("@bob", "one")
    later = stage.enter("bob", session=bob.session)
    ann.say("@bob", "two")
    assert [it.text for it in later.hears()] == ["two"]
    assert [it.text for it in bob.hears()] == ["one", "two"]


def test_a_subscription_is_made_once(stage: Stage) -> None:
    ann, bob = stage.enter("ann"), stage.enter("bob")
    ann.say("@bob")
    assert [it for it in stage.effects if isinstance(it, Subscribe)] == [
        Subscribe(ann.number, "@1:2"),
        Subscribe(bob.number, "@1:2"),
    ]
    bob.say("@ann")
    assert [it for it in stage.effects if isinstance(it, Subscribe)] == []


def test_one_may_talk_to_oneself(stage: Stage) -> None:
    ann = stage.enter("ann")
    other = stage.enter("ann", session=ann.session)
    [note] = ann.say("@ann", "milk")
    assert (note.to, note.sender, note.seq) == ("@ann", "ann", 1)
    assert other.hears() == [note]
    [joined] = ann.ask(Join, room="@ann", after=0)
    assert (joined.count, joined.seq, joined.after) == (1, 1, 0)


def test_what_is_said_to_somebody_offline_waits(stage: Stage) -> None:
    ann, bob = stage.enter("ann"), stage.enter("bob")
    bob.ask(Quit)
    [echo] = ann.say("@bob", "later")
    assert echo.seq == 1
    back = stage.enter("bob", session=bob.session)
    [joined] = back.ask(Join, room="@ann", after=0)
    assert joined == Joined(room="@ann", nick="bob", seq=1, after=0, count=2, topic="", re="q")


@pytest.mark.parametrize(
    ("nick", "address"),
    [
        ("Bob", "@bob"),
        ("bob", "@BOB"),
        ("Zoë", "@zoe\u0308"),
        ("Ｂob", "@bob"),
        ("bob", "@ＢＯＢ"),
        ("Straße", "@straße"),
        ("Владимир", "@владимир"),
        ("日本語", "@日本語"),
        ("שלום", "@שלום"),
    ],
)
def test_an_address_is_compared_as_nicks_are(stage: Stage, nick: str, address: str) -> None:
    other = stage.enter(nick)
    [echo] = stage.enter("ann").say(address)
    assert other.hears() == [echo]
    kept = parse_nick(nick).text
    assert (echo.to, echo.sender) == (f"@{kept}", "ann")


@pytest.mark.parametrize("address", ["@b0b", "@bоb", "@bob ", "@", "@bo\x07b", "@bob\U0001fae9"])
def test_what_only_looks_like_a_nick_is_nobody(stage: Stage, address: str) -> None:
    stage.enter("bob")
    ann = stage.enter("ann")
    if len(address) > 1:
        assert code_of(ann.say(address)) == "no_such_user"
    assert code_of(ann.say("@" + "é" * 64)) == "no_such_user"


# ------------------------------------------------------------------ nicks that change


def test_both_sides_are_shown_by_the_nicks_of_the_moment(stage: Stage) -> None:
    ann, bob = stage.enter("ann"), stage.enter("bob")
    ann.say("@bob")
    bob.ask(ChangeNick, nick="rob")
    assert ann.hears()[-1] == Renamed(old="bob", nick="rob")
    ann.ask(ChangeNick, nick="amy")
    bob.hears()
    [echo] = ann.say("@rob", "still me")
    assert (echo.to, echo.sender, echo.seq) == ("@rob", "amy", 2)
    assert bob.hears() == [echo]


def test_a_former_nick_is_no_address_but_says_the_new_one(stage: Stage) -> None:
    ann, bob = stage.enter("ann"), stage.enter("bob")
    bob.ask(ChangeNick, nick="Rob")
    for heard in (
        ann.say("@bob"),
        ann.ask(Join, room="@bob"),
        ann.ask(History, to="@BOB"),
    ):
        [error] = heard
        assert error.code == "no_such_user"
        assert error.message == "They go by Rob now. Send it to that nick."
    stage.wait(DAY + 60)
    [error] = ann.say("@bob")
    assert "Rob" not in error.message


def test_a_name_that_lapsed_leads_to_nobody_and_then_to_somebody_else() -> None:
    stage = Stage(guest_days=1.0)
    ann, bob = stage.enter("ann"), stage.enter("bob")
    ann.say("@bob", "for you alone", "1")
    bob.ask(Quit)
    stage.wait(DAY + 60)
    assert code_of(ann.say("@bob")) == "no_such_user"
    another = stage.enter("bob")
    assert another.ask(Join, room="@ann", after=0)[0].seq == 0
    [echo] = ann.say("@bob", "who are you?")
    assert echo.seq == 1
    ann.ask(Conversations)
    assert stage.effects == [SendConversations(ann.number, "q", [("@1:3", "@bob")])]
    [repeat] = ann.say("@bob", "for you alone", "1")  # it settles the draft, and that is all
    assert repeat.seq == 1
    assert [it.text for it in another.hears()] == ["who are you?"]


# ------------------------------------------------------------------ cursors and lists


def test_joining_a_direct_conversation_moves_its_cursor(stage: Stage) -> None:
    ann, bob = stage.enter("ann"), stage.enter("Bob")
    for _ in range(3):
        bob.say("@ann")
    ann.hears()
    assert ann.ask(Join, room="@bob", after=1) == [
        Joined(room="@Bob", nick="ann", seq=3, after=1, count=2, topic="", re="q")
    ]
    assert kinds(ann.ask(Join, room="@bob", last=1)) == ["Joined"]  # as often as one likes
    bob.say("@ann")
    assert [it.seq for it in ann.hears()] == [4]


def test_a_direct_conversation_can_be_joined_before_anything_was_said(stage: Stage) -> None:
    ann, bob = stage.enter("ann"), stage.enter("bob")
    [joined] = ann.ask(Join, room="@bob", after=0)
    assert (joined.seq, joined.after) == (0, 0)
    bob.say("@ann")
    assert kinds(ann.hears()) == ["Posted"]


def test_joining_a_nick_that_nobody_has_is_refused(stage: Stage) -> None:
    assert code_of(stage.enter("ann").ask(Join, room="@nobody", after=0)) == "no_such_user"


def test_the_list_of_conversations_is_ones_own(stage: Stage) -> None:
    ann, bob, eve = (stage.enter(nick) for nick in ("ann", "bob", "eve"))
    assert ann.ask(Conversations) == [SendConversations(ann.number, "q", [])]
    ann.say("@bob")
    eve.say("@ann")
    bob.ask(ChangeNick, nick="rob")
    ann.hears()
    assert ann.ask(Conversations) == [
        SendConversations(ann.number, "q", [("@1:2", "@rob"), ("@1:3", "@eve")])
    ]


def test_conversations_and_their_partners_are_known_after_a_restart(stage: Stage) -> None:
    ann, bob = stage.enter("ann"), stage.enter("bob")
    ann.say("@bob")
    assert (stage.hub.heads, stage.hub.last_ts) == ({"@1:2": 1}, {"@1:2": TS})
    stage.restart()
    ann = stage.enter("ann", session=ann.session)
    assert ann.ask(Conversations) == [SendConversations(ann.number, "q", [("@1:2", "@bob")])]
    assert (stage.hub.heads, stage.hub.last_ts) == ({"@1:2": 1}, {"@1:2": TS})
    bob = stage.enter("rob", session=bob.session)
    assert ann.hears() == [Renamed(old="bob", nick="rob")]
    [echo] = bob.say("@ann")
    assert echo.seq == 2


def test_a_conversation_with_somebody_who_lapsed_is_on_nobodys_list(stage: Stage) -> None:
    ann, bob = stage.enter("ann"), stage.enter("bob")
    ann.say("@bob")
    bob.ask(Quit)
    stage.restart(down=6 * DAY)
    ann = stage.enter("ann", session=ann.session)
    stage.wait(2 * DAY)
    assert ann.ask(Conversations) == [SendConversations(ann.number, "q", [])]
    assert kinds(ann.ask(ChangeNick, nick="anna")) == ["Renamed"]
    stage.restart()
    ann = stage.enter("ann", session=ann.session)
    assert ann.ask(Conversations) == [SendConversations(ann.number, "q", [])]
    assert kinds(ann.ask(ChangeNick, nick="amy")) == ["Renamed"]


def test_history_is_read_from_where_it_belongs(stage: Stage) -> None:
    ann = stage.enter("ann", "#a")
    bob = stage.enter("Bob")
    ask = ann.wants(History, to="@bob", before=7)[1]
    assert ann.tell(ask) == [ReadHistory(ann.number, "@1:2", "@Bob", ask)]  # type: ignore[arg-type]
    ask = ann.wants(History, to="#a", limit=3)[1]
    assert ann.tell(ask) == [ReadHistory(ann.number, "#a", "#a", ask)]  # type: ignore[arg-type]
    assert code_of(bob.ask(History, to="#a")) == "not_a_member"
    assert code_of(bob.ask(History, to="#nowhere")) == "no_such_room"
    assert code_of(bob.ask(History, to="@nobody")) == "no_such_user"
