"""An invite is revoked, and somebody comes by it in the same batch."""

from __future__ import annotations

import pytest

from securechat.chat.accounts import name_of
from securechat.chat.admin import Asked, RevokeInvite
from securechat.chat.hub import NOBODY

from .stage import Said, Stage
from .test_invites import invited


def revoking(stage: Stage) -> Said:
    [invite] = stage.hub.invites
    request = RevokeInvite(invite=name_of(invite.token_hash))
    return NOBODY, Asked(len(stage.replies) + 1, request, None)


def test_nobody_comes_by_an_invite_that_is_being_revoked(stage: Stage) -> None:
    token = invited(stage, uses=3)
    bob = stage.connection()
    stage.batch(revoking(stage), bob.hello("bob", invite=token))
    assert not bob.greeted
    stage.restart()
    assert not list(stage.hub.invites)


@pytest.mark.parametrize("first", ["revoke", "redeem"])
def test_an_invite_is_as_it_was_when_nothing_could_be_stored(stage: Stage, first: str) -> None:
    token = invited(stage, uses=3)
    bob = stage.connection()
    said = [revoking(stage), bob.hello("bob", invite=token)]
    stage.book.full = True
    stage.batch(*(said if first == "revoke" else reversed(said)))
    assert not bob.greeted
    assert [invite.uses for invite in stage.hub.invites] == [3]
