"""Who is who: nicks, the sessions that prove them, and what is left of both when time passes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from securechat.chat.identities import MAX_FORMER, Identities, Identity, hash_token
from securechat.chat.nicks import parse_nick
from securechat.errors import Rejected
from securechat.records import KeepIdentity

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


# ------------------------------------------------------------------ /nick


# Who may never have read the welcome...
