"""What accounts change in the life of a link: who we say we are, and when we do not come back."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from securechat.client import effects as do
from securechat.client.events import DraftState, Heard, Offline, Online
from securechat.client.session import Phase
from securechat.errors import GaveUp, Refused
from securechat.protocol import envelopes as wire

from .runs import Run, posted, welcome

SECRET = SecretStr("tulips in the rain")


def test_hello_says_all_that_may_let_us_in() -> None:
    run = Run(session="token", password=SECRET, invite=SecretStr("invite")).start().dialed()
    hello = run.last(wire.Hello)
    assert (hello.session, hello.password) == ("token", SECRET)
    assert hello.invite == SecretStr("invite")


def test_a_password_serves_again_when_we_come_back() -> None:
    run = Run(password=SECRET).online()
    run.come_back()
    assert run.last(wire.Hello).password == SECRET


@pytest.mark.parametrize("code", ["auth_failed", "auth_required", "nick_taken", "bad_nick"])
def test_who_is_refused_at_first_learns_by_which_code(code: str) -> None:
    run = Run().start().dialed()
    run.hear(wire.Error(code=code, message="No. Try again."))
    [end] = [one for one in run.other if isinstance(one, do.End)]
    assert isinstance(end.error, Refused)
    assert (end.error.code, str(end.error)) == (code, "No. Try again.")


@pytest.mark.parametrize("code", ["auth_failed", "auth_required"])
def test_a_session_that_was_ended_while_we_were_away_is_not_tried_for_ever(code: str) -> None:
    run = Run().online().lose().wait(60.0).dialed()
    run.hear(wire.Error(code=code, message="No. Try again."))
    assert run.session.phase is Phase.ENDED


def test_the_room_of_an_invite_is_joined() -> None:
    run = Run(rooms=()).start().dialed()
    run.hear(welcome().model_copy(update={"room": "#ops", "account": "bob"}))
    assert run.last(wire.Join).room == "#ops"


def login(run: Run, nick: str = "ann") -> wire.AccountIs:
    run.ask(wire.Login(id="c1", nick=nick, password=SECRET))
    event = wire.AccountIs(account=nick, nick=nick, role="member", session="new", re="c1")
    run.hear(event)
    return event


def test_who_logs_in_connects_anew_with_the_new_session() -> None:
    run = Run().online()
    draft = run.say("not echoed yet")
    event = login(run)
    assert run.tells(Heard)[-1].system == event
    assert do.KeepSession("ann", "new") in run.other
    assert do.KeepNick("ann") in run.other
    assert [type(one) for one in run.other[-2:]] == [do.HangUp, do.Dial]
    assert run.tells(Offline) == []
    run.dialed()
    hello = run.last(wire.Hello)
    assert (hello.nick, hello.session) == ("ann", "new")
    run.hear(welcome("ann", "new"))
    assert (run.session.nick, run.tells(Online)[-1].back) == ("ann", True)
    assert run.last(wire.Join).room == "#lobby"
    # Nobody knows whether the guest whom we were had said it.
    assert run.tells(Online)[-1].held == 1
    assert run.states(draft)[-1] is DraftState.WAITING


def test_who_registers_goes_on_and_has_another_session_if_one_comes() -> None:
    run = Run().online()
    run.hear(wire.AccountIs(account="bob", nick="bob", role="member", re="c1"))
    assert run.session.online
    run.hear(wire.AccountIs(account="bob", nick="bob", role="member", session="new", re="c1"))
    assert run.session.online
    assert do.KeepSession("bob", "new") in run.other
    run.lose().wait(60.0).dialed()
    assert run.last(wire.Hello).session == "new"


def is_the_same_as_before(run: Run, again: wire.Welcome) -> None:
    """What was said to it is not told again, and its drafts are sent without a question."""
    run.forget()
    run.lose().wait(60.0).dialed().hear(again).listed(("@eve", 2))
    assert run.tells(Online)[0].held == 0
    assert run.drafts_sent() == ["not echoed yet"]
    assert [one.room for one in run.sent if isinstance(one, wire.Join)] == ["#lobby"]


@pytest.mark.parametrize("session", ["new", None])
def test_who_registers_is_the_same_as_before(session: str | None) -> None:
    run = Run().online().hear(posted(1, to="@bob"), posted(2, to="@bob"))
    run.say("not echoed yet")
    run.hear(wire.AccountIs(account="bob", nick="bob", role="member", session=session, re="c1"))
    before = run.snapshot()
    assert {kept.under for kept in before.drafts} == {before.under}
    assert (do.KeepAll() == run.other[-1]) is (session is not None), "the next run goes on from it"
    again = welcome(session=session or "token").model_copy(update={"account": "bob"})
    is_the_same_as_before(run, again)


def test_whose_other_client_registers_is_the_same_as_before() -> None:
    run = Run().online().hear(posted(1, to="@bob"), posted(2, to="@bob"))
    run.say("not echoed yet")
    is_the_same_as_before(run, welcome().model_copy(update={"account": "bob"}))


def test_who_registers_beside_a_certificate_is_the_same_as_before() -> None:
    run = Run().start().dialed().hear(welcome(session=None)).join().listed()
    run.hear(posted(1, to="@bob"), posted(2, to="@bob"))
    run.say("not echoed yet")
    run.hear(wire.AccountIs(account="bob", nick="bob", role="member", re="c1"))
    is_the_same_as_before(run, welcome(session=None).model_copy(update={"account": "bob"}))


def test_an_account_that_is_told_no_session_is_the_same_when_it_comes_back() -> None:
    """Beside a certificate none is needed, and of one that was never told none is known."""
    again = welcome(session=None).model_copy(update={"account": "bob"})
    run = Run().start().dialed().hear(again).join().listed()
    run.hear(posted(1, to="@bob"), posted(2, to="@bob"))
    run.say("not echoed yet")
    is_the_same_as_before(run, again)


def test_logging_out_is_the_end_and_the_session_is_forgotten() -> None:
    run = Run().online()
    run.ask(wire.Logout(id="c1"))
    run.hear(wire.Bye(reason="logout", re="c1"))
    assert do.ForgetSession("bob") in run.other
    assert run.other[-1] == do.End(None)


def test_who_was_logged_out_from_elsewhere_does_not_come_back() -> None:
    run = Run().online()
    run.hear(wire.Bye(reason="logged_out"))
    assert do.ForgetSession("bob") in run.other
    [end] = [one for one in run.other if isinstance(one, do.End)]
    assert isinstance(end.error, GaveUp)
    assert "from elsewhere" in str(end.error)
