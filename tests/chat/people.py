"""People with a role on the whole server, for the stage, and what was done by a right there."""

from __future__ import annotations

from typing import Any

from securechat.chat.accounts import new_account
from securechat.chat.roles import Role

from .stage import Person, Stage


def enter_as(role: Role, nick: str, stage: Stage, *rooms: str, **keys: Any) -> Person:
    """Somebody with an account of that role who has come in."""
    person = stage.enter(nick, *rooms, **keys)
    identity = stage.hub.sessions[person.number].identity
    kept = new_account(identity.number, identity.nick, role, stage.now.wall)
    stage.hub.identities.enrol(identity, kept)
    return person


def acts(stage: Stage) -> list[tuple[str, str, str, str]]:
    """What the audit holds: who, did what, where, to whom."""
    return [(act.nick, act.act, act.room, act.subject) for act in stage.book.audit]
