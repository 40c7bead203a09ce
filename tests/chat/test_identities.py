"""Who is who: nicks, the sessions that prove them, and what is left of both when time passes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from securechat.chat.effects import Keep
from securechat.chat.identities import MAX_FORMER, Identities, Identity, hash_token
from securechat.chat.nicks import parse_nick
from securechat.errors import Rejected
from securechat.protocol.envelopes import (
    ChangeNick,
    Join,
    Left,
    Quit,
    Renamed,
)
from securechat.records import ForgetIdentity, KeepIdentity

from .stage import Stage, code_of, kinds

DAY = 86_400.0


def add(identities: Identities, nick: str, token: str = "") -> Identity:
    parsed = parse_nick(nick)
    identities.check_free(parsed, None)
    return identities.add(parsed, hash_token(token or nick), 0.0)


def rename(identities: Identities, identity: Identity, nick: str, now: float = 0.0) -> None:
    identities.rename(identity, parse_nick(nick), now, DAY)


def is_free(identities: Identities, nick: str, owner: Identity | None = None) -> bool:
    try:
        identities.check_free(parse_nick(nick), owner)
    except Rejected as no:
        return no.code != "nick_taken"
    return True


# ------------------------------------------------------------------ claims


def test_an_identity_is_found_by_number_nick_and_token() -> None:
    identities = Identities(next_number=5)
    bob = add(identities, "Bob", "secret")
    assert (len(identities), list(identities), bob.number) == (1, [bob], 5)
    assert identities.by_number(5) is identities.by_token("secret") is bob
    assert identities.by_nick("bob") is identities.by_nick("BOB") is bob
    assert identities.by_number(6) is identities.by_token("Secret") is None
    assert identities.by_nick("rob") is identities.by_nick("no nick") is None
    assert identities.by_former_nick("bob") is None
    assert repr(bob) == "<Identity 5 Bob>"


def test_of_a_token_only_a_digest_is_kept() -> None:
    assert len(hash_token("secret")) == 32
    assert b"secret" not in hash_token("secret")
    assert hash_token("secret") != hash_token("secret ")


@pytest.mark.parametrize("nick", ["bob", "BOB", "b0b", "bоb"])
def test_a_nick_and_what_looks_like_it_are_taken_by_one(nick: str) -> None:
    identities = Identities()
    bob = add(identities, "Bob")
    assert not is_free(identities, nick)
    assert is_free(identities, nick, owner=bob)


def test_a_former_nick_stays_its_owners_until_its_time_is_over() -> None:
    identities = Identities()
    bob = add(identities, "bob")
    rename(identities, bob, "rob", now=10.0)
    assert bob.record() == KeepIdentity(1, "rob", hash_token("bob"), 0.0, (("bob", 10.0 + DAY),))
    assert identities.by_nick("bob") is None
    assert identities.by_former_nick("Bob") is bob
    assert not is_free(identities, "b0b")
    assert not identities.release_former(bob, DAY)
    assert identities.release_former(bob, 10.0 + DAY)
    assert bob.former == ()
    assert is_free(identities, "b0b")
    assert identities.by_former_nick("bob") is None
    assert identities.by_nick("rob") is bob


def test_one_may_go_back_to_a_former_nick() -> None:
    identities = Identities()
    bob = add(identities, "bob")
    rename(identities, bob, "rob")
    rename(identities, bob, "Bob")
    assert [nick.text for nick, _ in bob.former] == ["rob"]
    assert identities.by_nick("bob") is identities.by_former_nick("rob") is bob


def test_another_way_to_write_the_same_nick_reserves_nothing() -> None:
    identities = Identities()
    bob = add(identities, "bob")
    rename(identities, bob, "BOB")
    assert (bob.nick.text, bob.former) == ("BOB", ())
    assert not is_free(identities, "bob")


def test_a_rename_that_is_refused_changes_nothing() -> None:
    identities = Identities()
    ann, bob = add(identities, "ann"), add(identities, "bob")
    with pytest.raises(Rejected, match="belongs to someone else") as refusal:
        rename(identities, bob, "Ann")
    assert refusal.value.code == "nick_taken"
    with pytest.raises(Rejected, match="looks like someone"):
        rename(identities, bob, "аnn")
    assert (bob.nick.text, bob.former) == ("bob", ())
    assert identities.by_nick("ann") is ann


def test_nobody_reserves_more_nicks_than_anyone_needs() -> None:
    identities = Identities()
    bob = add(identities, "bob")
    for number in range(MAX_FORMER):
        rename(identities, bob, f"bob{number}x")
    with pytest.raises(Rejected, match="still reserved for you") as refusal:
        rename(identities, bob, "one-more")
    assert refusal.value.code == "forbidden"
    rename(identities, bob, "bob")  # back to one of them
    assert identities.release_former(bob, DAY)
    rename(identities, bob, "one-more")


def test_who_is_forgotten_leaves_nicks_and_token_to_nobody() -> None:
    identities = Identities()
    bob = add(identities, "bob", "secret")
    rename(identities, bob, "rob")
    identities.forget(bob)
    assert list(identities) == []
    assert identities.by_token("secret") is None
    assert is_free(identities, "bob")
    assert is_free(identities, "rob")
    assert add(identities, "bob").number == 2  # a number is not given twice


# ------------------------------------------------------------------ what a store gives back


def test_an_identity_comes_back_as_it_was_kept() -> None:
    record = KeepIdentity(7, "Rob", hash_token("secret"), 3.0, (("bob", DAY),))
    identities = Identities(next_number=3)
    rob = identities.restore(record)
    assert rob.record() == record
    assert rob.provable
    assert identities.by_token("secret") is identities.by_former_nick("bob") is rob
    assert add(identities, "ann").number == 8


@pytest.mark.parametrize(
    "nick",
    [
        "server",  # reserved since
        "two words",  # a rule that came later
        "bob\U0001fae9",  # of a Unicode that this Python does not know
        "",
    ],
)
def test_a_stored_nick_that_is_none_any_more_is_kept_as_text(nick: str) -> None:
    identities = Identities()
    bob = add(identities, "bob")
    odd = identities.restore(KeepIdentity(7, nick, hash_token("secret"), 3.0, ((f"{nick}?", DAY),)))
    assert odd.record() == KeepIdentity(7, nick, hash_token("secret"), 3.0, ((f"{nick}?", DAY),))
    assert identities.by_token("secret") is odd
    assert identities.by_nick(nick) is odd  # so what is said to it waits for it
    assert identities.by_former_nick(f"{nick}?") is odd
    assert identities.by_nick("bob") is bob
    rename(identities, odd, "fine")
    assert identities.by_nick("fine") is identities.by_former_nick(nick) is odd
    identities.forget(odd)
    assert identities.by_nick(nick) is identities.by_former_nick(nick) is None


def test_of_two_stored_nicks_that_collide_today_the_first_keeps_it() -> None:
    identities = Identities()
    first = identities.restore(KeepIdentity(1, "bob", b"1", 0.0))
    second = identities.restore(KeepIdentity(2, "Bob", b"2", 0.0, (("b0b", DAY),)))
    assert identities.by_nick("bob") is first
    identities.forget(second)
    assert not is_free(identities, "BOB")
    third = identities.restore(KeepIdentity(3, "bob", b"3", 0.0))
    rename(identities, third, "rob")
    assert identities.by_nick("bob") is first
    assert identities.by_nick("rob") is third


NICKS = ["ann", "Ann", "bob", "b0b", "BOB", "bоb", "rob", "Zoë", "rоb", "fay", "1l", "lI"]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from(NICKS), st.just(0)),
        st.tuples(st.just("rename"), st.sampled_from(NICKS), st.integers(0, 5)),
        st.tuples(st.just("forget"), st.just(""), st.integers(0, 5)),
        st.tuples(st.just("release"), st.just(""), st.integers(0, 5)),
        st.tuples(st.just("restart"), st.just(""), st.just(0)),
    ),
    max_size=30,
)


@given(STEPS)
@settings(deadline=None)
def test_no_nick_is_ever_claimed_twice(steps: list[tuple[str, str, int]]) -> None:
    identities, now = Identities(), 0.0
    for number, (step, nick, which) in enumerate(steps):
        now += DAY / 3
        living = list(identities)
        one = living[which] if which < len(living) else None
        try:
            if step == "add":
                add(identities, nick, str(number))
            elif step == "rename" and one is not None:
                rename(identities, one, nick, now)
            elif step == "forget" and one is not None:
                identities.forget(one)
            elif step == "release" and one is not None:
                identities.release_former(one, now)
            elif step == "restart":
                records = [identity.record() for identity in living]
                identities = Identities()
                for record in records:
                    identities.restore(record)
        except Rejected:
            pass
        claims: dict[str, Identity] = {}
        for identity in identities:
            assert identities.by_nick(identity.nick.text) is identity
            for text, _ in identity.record().former:
                assert identities.by_former_nick(text) is identity
            for held in (identity.nick, *(held for held, _ in identity.former)):
                for claim in (f"key {held.key}", *held.skeletons):
                    assert claims.setdefault(claim, identity) is identity
                assert not is_free(identities, held.text)
                assert is_free(identities, held.text, identity)
        for nick in NICKS:
            taken = {f"key {parse_nick(nick).key}", *parse_nick(nick).skeletons} & claims.keys()
            assert is_free(identities, nick) is not bool(taken)


@settings(deadline=None)
@given(st.sampled_from([*NICKS, "Straße", "ΣΊΣΥΦΟΣ", "İbo", "ＢＯＢ", "Владимир"]))
def test_the_key_of_a_nick_is_the_key_of_that_key(nick: str) -> None:
    """`by_nick` looks for what was typed as it is before it parses it."""
    key = parse_nick(nick).key
    assert parse_nick(key).key == key


# ------------------------------------------------------------------ sessions


def test_a_session_brings_back_the_same_identity(stage: Stage) -> None:
    bob = stage.enter("bob")
    bob.cut()
    again = stage.connection()
    stage.batch(again.hello("bob", bob.session))
    [welcome] = again.hears()
    assert (welcome.nick, welcome.session) == ("bob", bob.session)
    assert len(stage.hub.identities) == 1


def test_without_the_session_a_nick_is_taken(stage: Stage) -> None:
    stage.enter("bob").ask(Quit)
    stranger = stage.connection()
    stage.batch(stranger.hello("bob"), stranger.hello("bob", "guessed"))
    assert [error.code for error in stranger.hears()] == ["nick_taken", "nick_taken"]


@pytest.mark.parametrize("session", ["", "unknown", "token-1 ", "x" * 4_000])
def test_an_unknown_session_is_as_good_as_none(stage: Stage, session: str) -> None:
    stage.enter("ann")
    bob = stage.connection()
    stage.batch(bob.hello("bob", session))
    [welcome] = bob.hears()
    assert welcome.session == "token-2"


def test_coming_back_under_another_nick_is_a_rename(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    other = stage.enter("bob", session=bob.session)
    bob.cut()
    ann.hears()
    rob = stage.connection()
    stage.batch(rob.hello("rob", bob.session))
    [welcome] = rob.hears()
    assert (welcome.nick, welcome.session) == ("rob", bob.session)
    assert ann.hears() == other.hears() == [Renamed(old="bob", nick="rob")]
    assert stage.book.identities[2].former == (("bob", stage.now.wall + DAY),)


def test_coming_back_under_a_nick_that_is_taken_is_refused(stage: Stage) -> None:
    stage.enter("ann")
    bob = stage.enter("bob")
    again = stage.connection()
    stage.batch(again.hello("ann", bob.session))
    assert code_of(again.hears()) == "nick_taken"
    assert stage.hub.identities.by_nick("bob") is not None


def test_a_session_lives_for_days_after_its_last_use(stage: Stage) -> None:
    bob = stage.enter("bob")
    stage.wait(20 * DAY)  # while connected it does not age
    bob.cut()
    stage.wait(7 * DAY)
    assert stage.hub.identities.by_nick("bob") is not None
    stage.wait(60)
    assert stage.effects == [Keep(ForgetIdentity(1))]
    assert stage.book.identities == {}
    again = stage.connection()
    stage.batch(again.hello("bob", bob.session))
    [welcome] = again.hears()
    assert welcome.session != bob.session
    assert list(stage.book.identities) == [2]


def test_after_a_crash_a_session_has_lost_a_day_of_its_life_at_most(stage: Stage) -> None:
    """Nobody told the store of the last use: it is noted while a connection lasts."""
    bob = stage.enter("bob")
    stage.wait(20 * DAY)
    stage.restart(crash=True, down=6 * DAY - 60)
    assert stage.enter("bob", session=bob.session).session == bob.session


def test_a_session_that_lapsed_while_the_server_was_down_has_lapsed(stage: Stage) -> None:
    stage.enter("bob").ask(Quit)
    stage.restart(down=7 * DAY + 1)
    assert stage.effects == [Keep(ForgetIdentity(1))]
    assert stage.enter("bob").session == "token-2"


def test_a_session_lapses_in_time_not_when_somebody_looks() -> None:
    stage = Stage(guest_days=5 / DAY)
    bob, ann = stage.enter("bob", "#a"), stage.enter("ann", "#a")
    bob.ask(Quit)
    ann.ask(Quit)
    stage.wait(6)  # the next look at all of them is in 54 s
    assert stage.enter("bob").session == "token-3"
    assert stage.enter("anna", session=ann.session).session == "token-4"


def test_who_is_held_does_not_lapse(stage: Stage) -> None:
    bob = stage.enter("bob", "#a")
    stage.restart(crash=True, down=8 * DAY)
    again = stage.enter("bob", "#a", session=bob.session)
    assert again.session == bob.session
    assert len(stage.hub.identities) == 1


def test_quit_keeps_the_session(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    ann.hears()
    bob.ask(Quit)
    assert ann.hears() == [Left(room="#a", nick="bob")]
    stage.wait(6 * DAY)
    again = stage.enter("bob", session=bob.session)
    assert again.session == bob.session
    assert kinds(again.ask(Join, room="#a")) == ["Joined"]


def test_the_last_use_of_a_session_is_stored_when_it_ends(stage: Stage) -> None:
    bob = stage.enter("bob")
    stage.wait(100)
    bob.ask(Quit)
    assert stage.book.identities[1].used == stage.now.wall


def test_a_session_that_could_not_be_stored_is_not_told(stage: Stage) -> None:
    stage.book.full = True
    bob = stage.enter("bob")
    assert bob.session is None
    assert bob.open
    assert kinds(bob.ask(Join, room="#a")) == ["Joined"]


def test_a_nick_that_nobody_can_prove_is_free_soon_after(stage: Stage) -> None:
    stage.book.full = True
    bob = stage.enter("bob", "#a")
    stage.book.full = False
    stage.wait(120)
    bob.cut()
    stranger = stage.connection()
    stage.batch(stranger.hello("bob"))
    assert code_of(stranger.hears()) == "nick_taken"  # still held in the room
    stage.wait(90)
    assert stage.enter("bob").session is not None
    assert list(stage.book.identities) == [2]


def test_a_session_stored_before_outlives_a_full_disk(stage: Stage) -> None:
    bob = stage.enter("bob")
    bob.ask(Quit)
    stage.book.full = True
    again = stage.enter("bob", session=bob.session)
    assert again.session == bob.session
    again.ask(Quit)
    stage.book.full = False
    stage.wait(600)
    assert stage.enter("bob", session=bob.session).session == bob.session


def test_who_was_let_in_and_ended_in_one_batch_is_known_all_the_same(
    stage: Stage,
) -> None:
    bob = stage.connection()
    stage.batch(bob.hello("bob"), bob.wants(Quit))
    assert kinds(bob.hears()) == ["Welcome", "Bye"]
    assert stage.enter("bob", session=bob.session).open


def test_who_comes_back_under_a_nick_that_is_none_any_more_chooses_another(stage: Stage) -> None:
    ann, bob = stage.enter("ann"), stage.enter("bob")
    stage.book.identities[2] = stage.book.identities[2]._replace(nick="server")
    stage.restart(crash=True)
    ann = stage.enter("ann", session=ann.session)
    assert kinds(ann.say("@server", "are you there?")) == ["Posted"]  # it waits
    again = stage.connection()
    stage.batch(again.hello("server", bob.session), again.hello("bob", bob.session))
    refusal, welcome = again.hears()
    assert refusal.code == "nick_taken"
    assert (welcome.nick, welcome.session) == ("bob", bob.session)
    assert ann.hears() == [Renamed(old="server", nick="bob")]


# ------------------------------------------------------------------ /nick


def test_a_new_nick_is_told_once_to_everyone_concerned(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a", "#b"), stage.enter("bob", "#a", "#b")
    other = stage.enter("bob", session=bob.session)
    partner, stranger = stage.enter("partner"), stage.enter("stranger", "#c")
    partner.say("@bob")
    for one in (ann, bob, other, partner, stranger):
        one.hears()
    assert bob.ask(ChangeNick, nick="rob") == [Renamed(old="bob", nick="rob", re="q")]
    told = [Renamed(old="bob", nick="rob")]
    assert ann.hears() == other.hears() == partner.hears() == told
    assert stranger.hears() == []
    assert stage.book.identities[2].nick == "rob"


def test_a_new_nick_of_somebody_alone_is_news_to_nobody(stage: Stage) -> None:
    stage.enter("ann")
    bob = stage.enter("bob")
    assert bob.ask(ChangeNick, nick="rob") == [Renamed(old="bob", nick="rob", re="q")]
    assert [type(effect).__name__ for effect in stage.effects] == ["Keep", "Send"]


def test_the_nick_that_one_has_is_no_news(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    ann.hears()
    assert bob.ask(ChangeNick, nick="bob") == [Renamed(old="bob", nick="bob", re="q")]
    assert ann.hears() == []
    assert len(stage.effects) == 1


@pytest.mark.parametrize(
    ("nick", "code"),
    [("ann", "nick_taken"), ("аnn", "nick_taken"), ("system", "nick_taken"), ("a b", "bad_nick")],
)
def test_a_nick_that_cannot_be_had_is_refused(stage: Stage, nick: str, code: str) -> None:
    stage.enter("ann")
    assert code_of(stage.enter("bob").ask(ChangeNick, nick=nick)) == code


def test_a_former_nick_is_nobody_elses_for_a_day(stage: Stage) -> None:
    bob, ann = stage.enter("bob"), stage.enter("ann")
    bob.ask(ChangeNick, nick="rob")
    assert code_of(ann.ask(ChangeNick, nick="bob")) == "nick_taken"
    stage.wait(DAY + 60)
    assert stage.book.identities[1].former == ()
    ann.hears()
    assert kinds(ann.ask(ChangeNick, nick="bob")) == ["Renamed"]


def test_a_former_nick_is_reserved_across_a_restart(stage: Stage) -> None:
    stage.enter("bob").ask(ChangeNick, nick="rob")
    stage.restart(down=3600)
    ann = stage.enter("ann")
    assert code_of(ann.ask(ChangeNick, nick="bob")) == "nick_taken"
    assert code_of(ann.say("@bob")) == "no_such_user"
    stage.wait(DAY)
    assert kinds(ann.ask(ChangeNick, nick="bob")) == ["Renamed"]


def test_a_guest_cannot_reserve_every_nick_there_is(stage: Stage) -> None:
    bob = stage.enter("bob")
    for number in range(MAX_FORMER):
        assert kinds(bob.ask(ChangeNick, nick=f"x{number}z")) == ["Renamed"]
    assert code_of(bob.ask(ChangeNick, nick="one-more")) == "forbidden"


# Who may never have read the welcome...


def test_a_session_whose_welcome_may_never_have_been_read_frees_its_nick_soon(
    stage: Stage,
) -> None:
    first = stage.connection()
    stage.batch(first.hello("bob"))
    first.cut()
    again = stage.connection()
    stage.batch(again.hello("bob"))
    [refused] = again.hears()
    assert refused.code == "nick_taken"  # it may have been read after all
    stage.wait(2 * 60)
    stage.batch(again.hello("bob"))
    [welcome] = again.hears()
    assert welcome.nick == "bob"


def test_the_same_over_a_crash(stage: Stage) -> None:
    stage.batch(stage.connection().hello("bob"))
    stage.restart(crash=True, down=61)
    assert stage.enter("bob").session == "token-2"


def test_whoever_says_something_keeps_the_nick(stage: Stage) -> None:
    bob = stage.connection()
    stage.batch(bob.hello("bob"))
    bob.ask(Quit)
    stage.wait(2 * 60)
    assert stage.hub.identities.by_nick("bob") is not None
