"""The name of an account is its own for ever."""

from __future__ import annotations

from securechat.protocol.envelopes import (
    ChangeNick,
    Join,
)

from .enrolling import DAY, logged_in, registered
from .stage import Stage, code_of, kinds


def test_the_name_of_an_account_is_its_own_for_ever(stage: Stage) -> None:
    ann = registered(stage)
    ann.ask(ChangeNick, nick="rose")
    bob = stage.enter("bob")
    stage.wait(30 * DAY)
    for nick, code in (("ann", "nick_taken"), ("аnn", "nick_taken")):
        assert code_of(bob.ask(ChangeNick, nick=nick)) == code
    eve = stage.connection()
    assert code_of(eve.tell(eve.hello("Ann")[1])) == "auth_required"
    assert code_of(eve.tell(eve.hello("rose")[1])) == "nick_taken"


def test_a_message_waits_for_an_account_that_is_away(stage: Stage) -> None:
    registered(stage).cut()
    stage.wait(60 * DAY)
    stage.restart()
    bob = stage.enter("bob")
    assert kinds(bob.say("@ann", "are you there?")) == ["Posted"]
    [joined] = logged_in(stage).ask(Join, room="@bob", after=0)
    assert (joined.seq, joined.after) == (1, 0)


def test_a_name_that_looks_like_an_account_by_an_older_table_is_taken(stage: Stage) -> None:
    registered(stage)
    [kept] = stage.book.accounts.values()
    stage.book.accounts[kept.identity] = kept._replace(skeletons=("ann", "olive"), unicode="1.0")
    stage.restart()
    eve = stage.connection()
    assert code_of(eve.tell(eve.hello("olive")[1])) == "nick_taken"
