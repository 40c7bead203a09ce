"""Roles on the whole server, and where they show."""

from __future__ import annotations

from securechat.chat.accounts import new_account
from securechat.chat.identities import Identities, hash_token
from securechat.chat.nicks import parse_nick
from securechat.chat.roles import Role
from securechat.protocol.envelopes import Who

from .stage import Stage


def test_roles_are_ranked_from_guest_to_owner() -> None:
    assert [role.value for role in sorted(Role, key=lambda it: it.rank)] == [
        *("guest", "member", "admin", "owner")
    ]
    assert Role("admin").rank > Role.MEMBER.rank > Role.GUEST.rank


def test_who_has_no_account_is_a_guest() -> None:
    identities = Identities()
    ann = identities.add(parse_nick("Ann"), hash_token("secret"), 1.0)
    assert (ann.account, ann.role) == (None, Role.GUEST)
    account = identities.enrol(ann, new_account(ann.number, ann.nick, Role.MEMBER, 2.0))
    assert (ann.account, ann.role, ann.enrolment) == ("Ann", Role.MEMBER, account)
    assert identities.by_token("secret") is None
    assert repr(account) == "<Account Ann member>"


def test_a_role_follows_its_record() -> None:
    identities = Identities()
    ann = identities.add(parse_nick("ann"), hash_token("secret"), 1.0)
    kept = new_account(ann.number, ann.nick, Role.MEMBER, 2.0)
    identities.enrol(ann, kept).replace(kept._replace(role="owner"))
    assert ann.role is Role.OWNER


def test_who_tells_roles(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    identity = stage.hub.sessions[ann.number].identity
    stage.hub.identities.enrol(identity, new_account(identity.number, identity.nick, Role.ADMIN, 0))
    for room in ("#a", None):
        [members] = bob.ask(Who, **({"room": room} if room else {}))
        assert {it.nick: it.role for it in members.members} == {"ann": "admin", "bob": "guest"}
