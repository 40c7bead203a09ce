"""Invites: who has one comes in and has an account, as often and as long as it says."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from securechat.chat import charter, invites, passage
from securechat.chat.admin import ListInvites, MakeInvite, RevokeInvite
from securechat.link_events import Lost
from securechat.protocol.envelopes import Admit, Error, Join, Register, RoomSettings, Welcome

from .stage import Person, Stage, code_of
from .test_auth import DAY, GOOD, logged_in, registered, settled


def invited(stage: Stage, **keys: Any) -> SecretStr:
    """The token of a new invite."""
    reply = stage.ask(MakeInvite(**keys))
    assert reply.error is None
    return SecretStr(str(reply.rows[0]["token"]))


def come(
    stage: Stage, invite: SecretStr, nick: str = "", session: str | None = None, **keys: Any
) -> tuple[Person, Welcome | Error]:
    person = stage.connection()
    heard = person.tell(person.hello(nick, session, invite=invite, **keys)[1])
    return person, (heard or settled(person))[0]


def let_in(stage: Stage, invite: SecretStr, nick: str = "", **keys: Any) -> Welcome:
    _, said = come(stage, invite, nick, **keys)
    assert isinstance(said, Welcome), said
    return said


def refused(stage: Stage, invite: SecretStr, nick: str = "", **keys: Any) -> str:
    _, said = come(stage, invite, nick, **keys)
    assert isinstance(said, Error), said
    return said.code


def test_who_is_invited_comes_in_with_an_account(stage: Stage) -> None:
    welcome = let_in(stage, invited(stage, nick="Bob", room="#ops"), client="phone/1")
    assert (welcome.nick, welcome.account, welcome.room) == ("Bob", "Bob", "#ops")
    assert welcome.session is not None
    [kept] = stage.book.accounts.values()
    assert (kept.name, kept.role, kept.password) == ("Bob", "member", None)
    assert [it.client for it in stage.book.sessions.values()] == ["phone/1"]
    assert stage.book.invites == {}
    stage.restart()
    assert stage.enter("Bob", session=welcome.session).session == welcome.session


def test_of_the_token_only_a_hash_is_kept(stage: Stage) -> None:
    token = invited(stage).get_secret_value()
    [kept] = stage.book.invites.values()
    assert token not in repr(kept)
    assert len(kept.token_hash) == 32


def test_an_invite_is_used_up(stage: Stage) -> None:
    invite = invited(stage, uses=2)
    let_in(stage, invite, "ann")
    let_in(stage, invite, "bob")
    assert refused(stage, invite, "eve") == "auth_failed"


def test_an_invite_is_counted_on_disk(stage: Stage) -> None:
    invite = invited(stage, uses=2)
    let_in(stage, invite, "ann")
    stage.restart()
    let_in(stage, invite, "bob")
    assert refused(stage, invite, "eve") == "auth_failed"
    stage.restart()
    assert refused(stage, invite, "eve") == "auth_failed"


def test_an_invite_runs_out(stage: Stage) -> None:
    invite = invited(stage, ttl=60.0)
    stage.wait(59.0)
    later = invited(stage)
    stage.wait(1.0)
    assert refused(stage, invite, "eve") == "auth_failed"
    stage.wait(120.0)
    assert len(stage.book.invites) == 1
    let_in(stage, later, "ann")


def test_a_guess_is_answered_later_and_the_third_is_the_last(stage: Stage) -> None:
    eve = stage.connection()
    for delay, fatal in ((0.5, False), (1.0, False), (2.0, True)):
        eve.tell(eve.hello("eve", invite=SecretStr("guess"))[1])
        assert settled(eve, delay - 0.01) == []
        [error] = settled(eve, 0.01)
        assert (error.code, error.fatal) == ("auth_failed", fatal)


def test_an_invite_without_a_nick_needs_one(stage: Stage) -> None:
    invite = invited(stage)
    person, said = come(stage, invite)
    assert isinstance(said, Error)
    assert said.code == "bad_nick"
    [welcome] = person.tell(person.hello("bob", invite=invite)[1])
    assert welcome.account == "bob"


def test_another_nick_may_be_chosen(stage: Stage) -> None:
    assert let_in(stage, invited(stage, nick="bob"), "rob").nick == "rob"


def test_a_nick_that_is_taken_leaves_the_invite_as_it_was(stage: Stage) -> None:
    registered(stage, "ann")
    stage.enter("eve")
    invite = invited(stage)
    assert refused(stage, invite, "ann") == "nick_taken"
    assert refused(stage, invite, "eve") == "nick_taken"
    assert refused(stage, invite, "bad nick") == "bad_nick"
    let_in(stage, invite, "bob")


def test_a_guest_who_is_invited_keeps_nick_and_conversations(stage: Stage) -> None:
    bob, eve = stage.enter("bob"), stage.enter("eve")
    eve.say("@bob", "hello")
    welcome = let_in(stage, invited(stage, nick="bob"), session=bob.session)
    assert (welcome.nick, welcome.session) == ("bob", bob.session)
    assert len(stage.hub.identities.accounts) == 1
    identity = stage.hub.identities.by_nick("bob")
    assert identity is not None
    assert identity.partners


def test_who_is_in_already_comes_again_without_using_it_up(stage: Stage) -> None:
    invite = invited(stage, nick="bob", uses=2)
    welcome = let_in(stage, invite)
    again = let_in(stage, invite, session=welcome.session)
    assert (again.nick, again.account, again.room) == ("bob", "bob", None)
    assert [it.uses for it in stage.book.invites.values()] == [1]


def test_an_invited_guest_comes_where_guests_may_not() -> None:
    stage = Stage(guests=False)
    assert let_in(stage, invited(stage, nick="bob")).account == "bob"


def test_an_invited_one_may_bring_a_password(stage: Stage) -> None:
    let_in(stage, invited(stage, nick="bob"), password=GOOD)
    logged_in(stage, "bob")
    weak = SecretStr("12345678")
    assert refused(stage, invited(stage, nick="rob"), password=weak) == "bad_password"


def test_an_invite_that_is_used_up_while_the_password_is_hashed(stage: Stage) -> None:
    invite = invited(stage)
    stage.slow = True
    rob = stage.connection()
    rob.tell(rob.hello("rob", invite=invite, password=GOOD)[1])
    let_in(stage, invite, "bob")
    stage.hash()
    assert code_of(rob.hears()) == "auth_failed"


def test_a_full_disk_uses_up_nothing(stage: Stage) -> None:
    invite = invited(stage, nick="bob")
    twice = invited(stage, uses=2)
    stage.book.full = True
    assert refused(stage, invite) == "storage"
    assert refused(stage, twice, "rob") == "storage"
    stage.book.full = False
    let_in(stage, twice, "rob")
    let_in(stage, twice, "ann")
    let_in(stage, invite)


def test_a_guest_stays_one_when_the_disk_is_full(stage: Stage) -> None:
    bob = stage.enter("bob")
    invite = invited(stage, nick="bob")
    stage.book.full = True
    assert refused(stage, invite, session=bob.session) == "storage"
    stage.book.full = False
    assert [it.nick.text for it in stage.hub.identities] == ["bob"]
    let_in(stage, invite, session=bob.session)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("nick", ["", "bob"])
def test_whose_welcome_was_lost_comes_again(stage: Stage, full: bool, nick: str) -> None:
    invite = invited(stage, nick="bob", room="#ops")
    stage.book.full = full
    bob = stage.connection()
    stage.batch(bob.hello("", invite=invite), (bob.number, Lost("")))
    assert len(stage.hub.identities.accounts) == (not full)
    stage.wait(120.0)  # it is remembered as long as the invite would have been good
    stage.book.full = False
    welcome = let_in(stage, invite, nick)
    assert (welcome.nick, welcome.account, welcome.room) == ("bob", "bob", "#ops")
    assert len(stage.hub.identities.accounts) == 1
    again = stage.enter("bob", session=welcome.session)  # who speaks has read it
    assert refused(stage, invite, nick) == "auth_failed"
    assert again.open


def test_only_who_came_by_the_invite_comes_again_by_it(stage: Stage) -> None:
    invite, other = invited(stage, ttl=60.0), invited(stage)
    bob = stage.connection()
    stage.batch(bob.hello("bob", invite=invite), (bob.number, Lost("")))
    assert refused(stage, other, "bob") == "nick_taken"
    assert refused(stage, invite) == "auth_failed"
    assert let_in(stage, invite, "bob").account == "bob"
    stage.wait(180.0)
    assert refused(stage, invite, "bob") == "auth_failed"


def test_nobody_takes_the_nick_while_it_is_being_stored(stage: Stage) -> None:
    bob, eve = stage.connection(), stage.connection()
    stage.batch(bob.hello("bob", invite=invited(stage)), eve.hello("bob"))
    assert isinstance(bob.hears()[0], Welcome)
    assert code_of(eve.hears()) == "nick_taken"


def test_there_are_no_more_accounts_than_may_be() -> None:
    stage = Stage(accounts=1)
    invite = invited(stage, uses=9)
    guest = stage.enter("guest")
    let_in(stage, invite, "ann")
    assert refused(stage, invite, "bob") == "forbidden"
    assert refused(stage, invite, "guest", session=guest.session) == "forbidden"


def test_an_account_of_an_invite_sets_its_first_password(stage: Stage) -> None:
    from securechat.protocol.envelopes import Passwd

    welcome = let_in(stage, invited(stage, nick="bob"))
    bob = stage.enter("bob", session=welcome.session)
    assert code_of(bob.ask(Register, password=GOOD)) == "forbidden"
    [answer] = bob.ask(Passwd, password=GOOD)
    assert answer.account == "bob"
    logged_in(stage, "bob")


# ------------------------------------------------------------------ into a private room


def private_room(stage: Stage) -> Person:
    """The owner of #den, who sits in it."""
    ann = stage.enter("ann", "#den")
    ann.ask(RoomSettings, room="#den", private=True)
    return ann


def join(person: Person, room: str = "#den") -> str:
    """What comes of it: the name of an event, or the code of an error."""
    said = person.ask(Join, room=room)[-1]
    return said.code if isinstance(said, Error) else type(said).__name__


def test_an_invite_into_a_private_room_lets_in_there(stage: Stage) -> None:
    ann = private_room(stage)
    person, welcome = come(stage, invited(stage, nick="bob", room="#den"))
    assert isinstance(welcome, Welcome)
    [told] = ann.hears()
    assert (told.act, told.by, told.room, told.nick) == ("admit", "server", "#den", "bob")
    assert join(person) == "Joined"
    assert [(it.act, it.nick, it.room, it.subject) for it in stage.book.audit][-1:] == [
        ("admit", "server", "#den", "bob")
    ]
    stage.restart()
    assert join(stage.enter("bob", session=welcome.session)) == "Joined"


def test_an_invite_into_another_room_opens_no_private_one(stage: Stage) -> None:
    private_room(stage)
    for keys in ({}, {"room": "#ops"}):
        person, _ = come(stage, invited(stage, **keys), f"bob{len(keys)}")
        assert join(person) == "forbidden"
    assert stage.book.rooms["#den"].admitted == ()


def test_who_may_be_in_the_room_already_is_not_let_in_again(stage: Stage) -> None:
    ann = private_room(stage)
    stage.enter("bob")
    ann.ask(Admit, room="#den", nick="bob")
    audited, bob = len(stage.book.audit), stage.people[2]
    let_in(stage, invited(stage, nick="bob", room="#den"), session=bob.session)
    assert (len(stage.book.audit), ann.hears()) == (audited, [])


def test_an_invite_that_cannot_be_stored_opens_no_room(stage: Stage) -> None:
    ann = private_room(stage)
    invite = invited(stage, nick="bob", room="#den")
    stage.book.full = True
    assert refused(stage, invite) == "storage"
    rules = stage.hub.rooms["#den"].charter
    assert rules is not None
    assert (rules.admitted, ann.hears()) == ((), [])
    # ... of one into an open room there is nothing to take back.
    stage.book.full = False
    open_one = invited(stage, nick="carol", room="#ops")
    stage.book.full = True
    assert refused(stage, open_one) == "storage"
    stage.book.full = False
    assert join(come(stage, invite)[0]) == "Joined"


def test_a_private_room_that_is_full_takes_nobody_by_an_invite(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(charter, "MAX_ADMITTED", 1)
    monkeypatch.setattr(passage, "MAX_ADMITTED", 1)
    private_room(stage)
    first, second = (invited(stage, nick=nick, room="#den") for nick in ("bob", "carol"))
    assert join(come(stage, first)[0]) == "Joined"
    assert join(come(stage, second)[0]) == "forbidden"
    reply = stage.ask(MakeInvite(room="#den"))
    assert reply.error == (
        "#den is private and has let in 1, as many as it may. Put somebody out first."
    )


# ------------------------------------------------------------------ the operator's side


def test_invites_are_listed_and_revoked(stage: Stage) -> None:
    invite, other = invited(stage, nick="bob", ttl=9.0), invited(stage, room="#a", uses=3)
    first, second = stage.ask(ListInvites()).rows
    assert (first["nick"], second["room"], second["uses"]) == ("bob", "#a", 3)
    assert "token" not in first
    assert stage.ask(RevokeInvite(invite=str(first["invite"]))).rows == (first,)
    assert refused(stage, invite) == "auth_failed"
    assert stage.ask(RevokeInvite(invite=str(first["invite"]))).error is not None
    let_in(stage, other, "ann")
    stage.wait(3 * DAY)
    assert stage.ask(ListInvites()).rows == ()


def test_a_revocation_that_cannot_be_stored_is_said_so(stage: Stage) -> None:
    invited(stage)
    [row] = stage.ask(ListInvites()).rows
    stage.book.full = True
    assert "no room" in str(stage.ask(RevokeInvite(invite=str(row["invite"]))).error)
    assert len(stage.hub.invites) == 1


def test_an_invite_that_cannot_be_stored_is_none(stage: Stage) -> None:
    stage.book.full = True
    assert "no room" in str(stage.ask(MakeInvite()).error)
    assert len(stage.hub.invites) == 0


def test_there_are_no_more_invites_than_may_be() -> None:
    stage = Stage(invites=1)
    invited(stage)
    assert "too many invites" in str(stage.ask(MakeInvite()).error)


def test_an_account_needs_no_invite_but_a_guest_may_be_meant(stage: Stage) -> None:
    registered(stage, "ann")
    stage.enter("bob")
    assert stage.ask(MakeInvite(nick="ann")).error is not None
    assert stage.ask(MakeInvite(nick="аnn")).error is not None
    assert stage.ask(MakeInvite(nick="no nick")).error is not None
    assert stage.ask(MakeInvite(nick="bob")).error is None


@pytest.mark.parametrize("keys", [{"uses": 0}, {"ttl": 0}, {"room": "ops"}, {"ttl": 1e12}])
def test_what_is_no_invite_is_not_made(keys: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        MakeInvite(**keys)


def test_a_token_has_the_bits_that_a_plain_hash_needs() -> None:
    assert invites.TOKEN_LENGTH * 6 >= 128
