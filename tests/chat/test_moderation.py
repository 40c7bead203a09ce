"""Kick, mute, ban, and how rooms are ruled: what each act leads to, and for whom."""

from __future__ import annotations

import pytest

from securechat.chat.roles import Role
from securechat.protocol.envelopes import (
    Appoint,
    Ban,
    Bans,
    ChangeNick,
    Error,
    Join,
    Kick,
    Leave,
    Left,
    Moderated,
    Mute,
    Ping,
    Topic,
    Unban,
    Unmute,
    Who,
)

from .people import acts, enter_as
from .stage import Person, Stage, code_of, kinds

# ------------------------------------------------------------------ kick


def test_who_is_kicked_is_told_and_the_others_hear_that_they_left(
    stage: Stage, den: tuple[Person, Person, Person]
) -> None:
    ann, bob, _ = den
    dave = stage.enter("dave", "#den")
    for person in den:
        person.hears()
    [answer, left] = ann.ask(Kick, nick="BOB", room="#den", reason=" enough ")
    assert answer == Moderated(
        act="kick", by="ann", room="#den", nick="bob", reason="enough", re="q"
    )
    assert left == Left(room="#den", nick="bob", reason="kicked (enough)")
    assert dave.hears() == [answer.model_copy(update={"re": None}), left]
    assert bob.hears() == [answer.model_copy(update={"re": None})]
    assert code_of(bob.say("#den")) == "not_a_member"
    assert acts(stage) == [("ann", "kick", "#den", "bob")]
    bob.join("#den")  # they may come back


def test_every_connection_of_theirs_is_put_out(
    stage: Stage, den: tuple[Person, Person, Person]
) -> None:
    ann, bob, _ = den
    again, apart = stage.enter("bob", "#den", session=bob.session), None
    apart = stage.enter("bob", session=bob.session)
    ann.ask(Kick, nick="bob", room="#den")
    for person in (bob, again, apart):
        assert kinds(person.hears()) == ["Moderated"], "once each"
        assert code_of(person.say("#den")) == "not_a_member"


def test_who_is_not_there_cannot_be_kicked(den: tuple[Person, Person, Person]) -> None:
    ann, _, carol = den
    assert code_of(ann.ask(Kick, nick="carol", room="#den")) == "no_such_user"
    assert code_of(ann.ask(Kick, nick="nobody", room="#den")) == "no_such_user"
    assert code_of(ann.ask(Kick, nick="bob", room="#nowhere")) == "no_such_room"
    assert code_of(carol.ask(Kick, nick="bob", room="#den")) == "forbidden"
    assert code_of(ann.ask(Kick, nick="bob")) == "forbidden"  # off the server: no right of hers


def test_nobody_acts_against_their_own_rank_or_above(
    stage: Stage, den: tuple[Person, Person, Person]
) -> None:
    ann, bob, carol = den
    ann.ask(Appoint, room="#den", nick="bob")
    ann.ask(Appoint, room="#den", nick="carol")
    assert code_of(bob.ask(Kick, nick="ann", room="#den")) == "forbidden"
    assert code_of(bob.ask(Mute, nick="carol", room="#den")) == "forbidden"
    assert code_of(bob.ask(Ban, nick="bob", room="#den")) == "forbidden"
    root = enter_as(Role.ADMIN, "root", stage)
    assert kinds(root.ask(Kick, nick="ann", room="#den")) == ["Moderated"]
    assert carol.open


def test_an_admin_puts_somebody_off_the_server(
    stage: Stage, den: tuple[Person, Person, Person]
) -> None:
    ann, bob, _ = den
    root = enter_as(Role.OWNER, "root", stage)
    [answer] = root.ask(Kick, nick="bob", reason="loud")
    assert (answer.room, answer.nick, answer.reason) == (None, "bob", "loud")
    *_, last = bob.hears()
    assert isinstance(last, Error)
    assert (last.code, last.fatal) == ("kicked", True)
    assert "(loud)" in last.message
    assert not bob.open
    assert Left(room="#den", nick="bob", reason="kicked") in ann.hears()
    assert code_of(root.ask(Kick, nick="bob")) == "no_such_user"  # not online
    stage.enter("bob", session=bob.session)


# ------------------------------------------------------------------ mute


def test_who_is_muted_says_nothing_until_it_is_over(
    stage: Stage, den: tuple[Person, Person, Person]
) -> None:
    ann, bob, _ = den
    [answer] = ann.ask(Mute, nick="bob", room="#den", duration=60, reason="shouting")
    assert (answer.act, answer.until) == ("mute", "2023-11-14T22:31:00.000000Z")
    bob.hears()
    [error] = bob.say("#den", id="d")
    assert (error.code, error.re) == ("forbidden", "d")
    assert "muted in this room until 2023-11-14 22:31 UTC (shouting)" in error.message
    assert code_of(bob.ask(Topic, room="#den", text="ha")) == "forbidden"
    assert kinds(ann.say("#den")) == ["Posted"]
    bob.hears()
    stage.wait(61)
    assert kinds(bob.say("#den")) == ["Posted"]
    assert stage.book.sanctions == {}
    assert not stage.hub.hushed


def test_a_mute_is_for_one_room_and_can_be_undone(den: tuple[Person, Person, Person]) -> None:
    ann, bob, _ = den
    ann.ask(Mute, nick="bob", room="#den")
    bob.join("#other")
    bob.hears()
    assert kinds(bob.say("#other")) == ["Posted"]
    assert "muted in this room." in bob.say("#den")[0].message
    [answer] = ann.ask(Unmute, nick="bob", room="#den")
    assert (answer.act, answer.nick) == ("unmute", "bob")
    assert kinds(bob.hears()) == ["Moderated"]
    assert kinds(bob.say("#den")) == ["Posted"]
    assert code_of(ann.ask(Unmute, nick="bob", room="#den")) == "no_such_user"


def test_a_mute_everywhere(stage: Stage, den: tuple[Person, Person, Person]) -> None:
    _, bob, carol = den
    root = enter_as(Role.ADMIN, "root", stage)
    root.ask(Mute, nick="bob", reason="spam")
    assert kinds(bob.hears()) == ["Moderated"]
    assert "muted on this server (spam)" in bob.say("#den")[0].message
    assert "muted on this server (spam)" in bob.say("@carol")[0].message
    assert kinds(bob.ask(Ping)) == ["ServerPong"]
    assert kinds(carol.say("@bob")) == ["Posted"]
    root.ask(Unmute, nick="bob")
    bob.hears()
    assert kinds(bob.say("@carol")) == ["Posted"]


def test_a_draft_that_was_stored_before_is_answered_though_its_author_is_muted(
    den: tuple[Person, Person, Person],
) -> None:
    ann, bob, _ = den
    [echo] = bob.say("#den", "hi", id="same")
    ann.ask(Mute, nick="bob", room="#den")
    bob.hears()
    assert bob.say("#den", "hi", id="same") == [echo]


def test_a_second_mute_replaces_the_first(stage: Stage, den: tuple[Person, Person, Person]) -> None:
    ann, _, _ = den
    ann.ask(Mute, nick="bob", room="#den", duration=60)
    ann.ask(Mute, nick="bob", room="#den", reason="for good")
    [row] = ann.ask(Bans, room="#den")[0].bans
    assert (row.act, row.nick, row.by, row.until, row.reason) == (
        *("mute", "bob", "ann"),
        *(None, "for good"),
    )
    assert len(stage.book.sanctions) == 1


# ------------------------------------------------------------------ ban


def test_who_is_banned_is_out_and_stays_out(
    stage: Stage, den: tuple[Person, Person, Person]
) -> None:
    ann, bob, _ = den
    [answer, left] = ann.ask(Ban, nick="bob", room="#den", duration=3600, reason="spam")
    assert answer.until is not None
    assert left.reason == "banned until 2023-11-14 23:30 UTC (spam)"
    bob.hears()
    [error] = bob.ask(Join, room="#den")
    assert error.code == "forbidden"
    assert "banned from that room until 2023-11-14 23:30 UTC (spam)" in error.message
    assert code_of(bob.ask(Who, room="#den")) == "forbidden"
    bob.ask(ChangeNick, nick="robert")
    assert code_of(bob.ask(Join, room="#den")) == "forbidden"  # it is the same person
    stage.restart()
    ann = stage.enter("ann", "#den", session=ann.session)
    bob = stage.enter("robert", session=bob.session)
    assert code_of(bob.ask(Join, room="#den")) == "forbidden"
    ann.ask(Unban, nick="bob", room="#den")
    bob.join("#den")


def test_a_nick_can_be_banned_that_nobody_has(den: tuple[Person, Person, Person]) -> None:
    ann, bob, carol = den
    ann.ask(Ban, nick="troll", room="#den")
    bob.ask(Leave, room="#den")
    bob.ask(ChangeNick, nick="tro11")  # it looks like that one
    assert code_of(bob.ask(Join, room="#den")) == "forbidden"
    carol.join("#den")


def test_a_ban_from_the_server_ends_what_is_there_and_lets_nobody_back(
    stage: Stage, den: tuple[Person, Person, Person]
) -> None:
    _, bob, carol = den
    root = enter_as(Role.OWNER, "root", stage)
    root.ask(Ban, nick="bob", reason="spam")
    *_, last = bob.hears()
    assert (last.code, last.fatal) == ("banned", True)
    assert "banned from this server (spam)" in last.message
    for nick, session in (("bob", bob.session), ("rob", bob.session), ("b0b", None)):
        again = stage.connection()
        [error] = again.tell(again.hello(nick, session)[1])
        assert (error.code, error.fatal) == ("banned", True)
        assert not again.open
    assert code_of(carol.ask(ChangeNick, nick="b0b")) == "forbidden"
    root.ask(Unban, nick="bob")
    stage.enter("bob", session=bob.session)


def test_an_account_is_banned_under_whatever_nick(stage: Stage) -> None:
    root = enter_as(Role.OWNER, "root", stage)
    eve = enter_as(Role.MEMBER, "eve", stage)
    eve.ask(ChangeNick, nick="mallory")
    assert code_of(root.ask(Ban, account="mallory")) == "no_such_user"
    [answer] = root.ask(Ban, account="EVE")
    assert (answer.account, answer.nick) == ("eve", None)
    assert eve.last.code == "banned"
    [answer] = root.ask(Unban, account="eve")
    assert (answer.act, answer.account) == ("unban", "eve")
    assert stage.book.sanctions == {}


@pytest.mark.parametrize(
    ("banned", "inside", "outside"),
    [
        ("192.0.2.7", "192.0.2.7:99", "192.0.2.8:99"),
        ("192.0.2.0/24", "192.0.2.8:99", "192.0.3.1:99"),
        ("192.0.2.0/24", "[::ffff:192.0.2.8]:99", "[::ffff:192.0.3.8]:99"),
        ("2001:db8::1", "[2001:db8::ffff:1]:99", "[2001:db8:0:1::1]:99"),
        ("2001:db8::/32", "[2001:db8:7::1]:99", "[2001:db9::1]:99"),
    ],
)
def test_a_network_is_kept_off(stage: Stage, banned: str, inside: str, outside: str) -> None:
    root = enter_as(Role.ADMIN, "root", stage)
    bob, carol = stage.enter("bob", peer=inside), stage.enter("carol", peer=outside)
    other_admin = enter_as(Role.OWNER, "boss", stage, peer=inside)
    waiting = stage.connection(inside)
    [answer] = root.ask(Ban, address=banned, duration=60, reason="flood")
    assert answer.address is not None
    assert (bob.open, carol.open, other_admin.open) == (False, True, True)
    assert bob.last.code == "banned"
    assert carol.hears() == []
    [error] = waiting.tell(waiting.hello("dave")[1])
    assert (error.code, error.fatal) == ("banned", True)
    assert "Your address is banned from this server until 2023-" in error.message
    stage.enter("erin", peer=outside)
    [row] = root.ask(Bans)[0].bans
    assert (row.address, row.reason) == (answer.address, "flood")
    root.ask(Unban, address=banned)
    stage.enter("fred", peer=inside)


def test_a_ban_of_a_network_is_over_in_time(stage: Stage) -> None:
    root = enter_as(Role.ADMIN, "root", stage)
    root.ask(Ban, address="192.0.2.0/24", duration=30)
    stage.mono += 31  # not swept yet
    assert stage.enter("bob", peer="192.0.2.1:1").open


def test_what_is_no_network_or_ones_own_is_refused(stage: Stage) -> None:
    root = enter_as(Role.ADMIN, "root", stage)
    assert code_of(root.ask(Ban, address="nonsense")) == "bad_envelope"
    assert code_of(root.ask(Ban, address="0.0.0.0/0")) == "forbidden"
    assert code_of(root.ask(Ban, address="::/1")) == "forbidden"
    assert code_of(root.ask(Ban, address="127.0.0.0/8")) == "forbidden"
    assert code_of(root.ask(Unban, address="192.0.2.7")) == "no_such_user"
    odd = enter_as(Role.ADMIN, "odd", stage, peer="a pipe")
    assert kinds(odd.ask(Ban, address="192.0.2.7")) == ["Moderated"]
    stage.enter("bob", peer="a pipe")


def test_a_reason_is_one_line_that_can_be_shown(den: tuple[Person, Person, Person]) -> None:
    ann, _, _ = den
    assert code_of(ann.ask(Mute, nick="bob", room="#den", reason="a\nb")) == "bad_text"
    assert code_of(ann.ask(Mute, nick="bob", room="#den", reason="a\x07")) == "bad_text"
    assert ann.ask(Mute, nick="bob", room="#den", reason="  ")[0].reason is None


def test_a_long_reason_still_makes_a_short_error(den: tuple[Person, Person, Person]) -> None:
    ann, bob, _ = den
    ann.ask(Ban, nick="bob", room="#den", duration=60, reason="😀" * 200)
    bob.hears()
    assert "😀" in bob.ask(Join, room="#den")[0].message  # the stage looks at its length


def test_there_are_only_so_many(
    stage: Stage, den: tuple[Person, Person, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, _, _ = den
    monkeypatch.setattr("securechat.chat.sanctions.MAX_PER_ROOM", 2)
    ann.ask(Ban, nick="one", room="#den")
    ann.ask(Ban, nick="two", room="#den")
    assert code_of(ann.ask(Ban, nick="three", room="#den")) == "forbidden"
    assert kinds(ann.ask(Ban, nick="two", room="#den")) == ["Moderated"]  # in place of the old one
    assert len(stage.book.sanctions) == 2


def test_the_disk_may_be_full(stage: Stage, den: tuple[Person, Person, Person]) -> None:
    ann, bob, _ = den
    stage.book.full = True
    ann.ask(Ban, nick="bob", room="#den")
    bob.hears()
    assert code_of(bob.ask(Join, room="#den")) == "forbidden"
    stage.book.full = False
    ann.ask(Ping)
    stage.restart()
    bob = stage.enter("bob", session=bob.session)
    assert code_of(bob.ask(Join, room="#den")) == "forbidden"
    assert acts(stage) == [("ann", "ban", "#den", "bob")]
