"""The life of a link and what is said over it, as values: no socket, no clock, no sleep."""

from __future__ import annotations

import pytest

from securechat.client import effects as do
from securechat.client import events
from securechat.client.backoff import BASE, CAP, Backoff
from securechat.client.events import Heard, Offline, Online
from securechat.client.session import GOOD_AFTER, HELLO_RETRIES, QUIT_WITHIN, Phase
from securechat.errors import CannotConnect, ClientError, GaveUp, KeyChanged, NotTrusted, Refused
from securechat.protocol import envelopes as wire
from securechat.protocol.codec import Refusal

from .runs import Run, posted, welcome

# ------------------------------------------------------------------ the link


def test_hello_names_us_and_asks_for_all_that_is_wanted() -> None:
    run = Run(rooms=("#lobby", "#dev"), backlog=20).start().dialed()
    hello = run.last(wire.Hello)
    assert (hello.nick, hello.protocol, hello.session) == ("bob", 1, None)
    run.hear(welcome())
    assert [type(one).__name__ for one in run.sent] == ["Hello", "Join", "Join", "Conversations"]
    joins = [one for one in run.sent if isinstance(one, wire.Join)]
    assert [(one.room, one.last, one.after) for one in joins] == [
        ("#lobby", 20, None),
        ("#dev", 20, None),
    ]
    (online,) = run.tells(Online)
    assert (online.resumed, online.back, online.new_epoch, online.held) == (False, False, False, 0)
    assert do.KeepSession("bob", "token") in run.other


def test_without_a_backlog_a_room_is_joined_live() -> None:
    run = Run(backlog=0).start().dialed().hear(welcome())
    join = run.last(wire.Join)
    assert (join.last, join.after) == (None, None)


def test_a_kept_session_is_shown_and_recognised() -> None:
    run = Run(session="token").start().dialed()
    assert run.last(wire.Hello).session == "token"
    assert run.hear(welcome()).tells(Online)[0].resumed


@pytest.mark.parametrize("error", [CannotConnect("no"), NotTrusted("no")])
def test_the_first_failure_to_connect_is_the_end(error: ClientError) -> None:
    run = Run().start().lose(error)
    assert run.ended() is error
    assert run.session.deadline is None


def test_a_patient_plan_tries_again_until_it_is_let_in() -> None:
    run = Run(patient=True).start().lose(CannotConnect("no"))
    (offline,) = run.tells(Offline)
    assert offline.reason == "no"
    run.wait(CAP).dialed().hear(wire.Error(code="server_full", message="full", fatal=True))
    run.wait(CAP).dialed().hear(welcome())
    assert len(run.tells(Online)) == 1


def test_who_is_in_a_hurry_does_not_wait_for_the_next_try() -> None:
    run = Run().start().dialed().hear(welcome())
    for _ in range(8):  # so long has it lasted that half a minute lies between two tries
        run.lose().wait(CAP)
    assert run.lose().tells(Offline)[-1].retry_in == CAP / 2
    run.carry_out(run.session.hurry(run.now))
    assert run.session.phase is Phase.DIALING
    assert run.lose().tells(Offline)[-1].retry_in == BASE / 2
    run.wait(CAP).dialed().hear(welcome())
    before = list(run.sent)
    assert run.session.hurry(run.now) == []
    assert (run.session.phase, run.sent) == (Phase.ONLINE, before)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (NotTrusted("no"), NotTrusted),
        (wire.Error(code="nick_taken", message="taken"), Refused),
        (wire.Error(code="bad_protocol", message="2", fatal=True), Refused),
    ],
)
def test_patience_ends_where_trying_again_is_no_use(
    said: wire.System | ClientError, kind: type[ClientError]
) -> None:
    run = Run(patient=True).start()
    run = run.lose(said) if isinstance(said, ClientError) else run.dialed().hear(said)
    assert type(run.ended()) is kind


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (wire.Error(code="nick_taken", message="taken"), Refused),
        (wire.Error(code="bad_nick", message="bad"), Refused),
        (wire.Error(code="bad_protocol", message="speaks 2", fatal=True), Refused),
        (wire.Error(code="server_full", message="full", fatal=True), Refused),
        (wire.Error(code="new_code", message="new", fatal=True), Refused),
        (wire.Bye(reason="shutdown"), CannotConnect),
        (Refusal("bad_json", "no JSON", fatal=True), CannotConnect),
    ],
)
def test_who_is_not_let_in_the_first_time_is_told_why(
    said: wire.System | Refusal, kind: type[ClientError]
) -> None:
    run = Run().start().dialed().hear(said)
    assert type(run.ended()) is kind
    why = said.reason if isinstance(said, wire.Bye) else getattr(said, "message", "")
    assert why in str(run.ended())


def test_a_server_that_does_not_greet_is_nobody() -> None:
    run = Run(greet_within=10.0).start().dialed().wait(10.0)
    assert isinstance(run.ended(), CannotConnect)


@pytest.mark.parametrize(
    "code", ["server_full", "too_many_connections", "slow_consumer", "timeout", "internal"]
)
def test_some_fatal_errors_are_worth_another_try(code: str) -> None:
    run = Run().online().hear(wire.Error(code=code, message="why", fatal=True, retry_after=4))
    (offline,) = run.tells(Offline)
    assert offline.reason == "why"
    assert offline.retry_in is not None
    assert offline.retry_in >= 4
    assert run.session.phase is Phase.WAITING


@pytest.mark.parametrize("code", ["bad_protocol", "bad_json", "frame_too_large", "banned"])
def test_other_fatal_errors_are_not(code: str) -> None:
    run = Run().online().hear(wire.Error(code=code, message="why", fatal=True))
    assert isinstance(run.ended(), Refused)


def test_bye_is_followed_by_a_return_after_the_time_it_names() -> None:
    run = Run().online().hear(wire.Bye(reason="shutdown", retry_after=5))
    (offline,) = run.tells(Offline)
    assert offline.retry_in == pytest.approx(5 + 0.5 * 5)  # the dice always show one half
    assert "shutdown" in offline.reason
    run.forget().wait(7.4)
    assert not run.other
    run.wait(0.2)
    assert do.Dial() in run.other
    assert run.tells(events.Connecting) == [events.Connecting("h", 55555, 2)]


def test_who_was_replaced_stays_away() -> None:
    run = Run().online().hear(wire.Bye(reason="replaced"))
    assert isinstance(run.ended(), GaveUp)


def test_without_reconnecting_a_lost_link_is_the_end() -> None:
    run = Run(reconnect=False).online().lose()
    assert run.tells(Offline) == [Offline("cut", None)]
    assert isinstance(run.ended(), GaveUp)


def test_a_changed_key_is_the_end_on_coming_back_too() -> None:
    error = KeyChanged("another one")
    run = Run().online().lose().wait(CAP).lose(error)
    assert run.ended() is error


def test_a_lost_certificate_is_retried_on_coming_back() -> None:
    run = Run().online().lose().wait(CAP).lose(NotTrusted("another one"))
    assert run.session.phase is Phase.WAITING
    assert run.tells(Offline)[-1].reason == "another one"


def test_our_nick_is_asked_for_again_on_coming_back() -> None:
    run = Run().online()
    for _ in range(HELLO_RETRIES):
        run.lose().wait(CAP).dialed().hear(wire.Error(code="nick_taken", message="taken"))
        assert run.session.phase is Phase.WAITING
    run.wait(CAP).dialed().hear(wire.Error(code="nick_taken", message="taken"))
    assert isinstance(run.ended(), Refused)


def test_attempts_count_from_the_last_good_link() -> None:
    run = Run().online()
    run.wait(GOOD_AFTER).forget().lose()
    attempts = []
    for _ in range(3):
        run.wait(CAP).lose()
        attempts.append(run.tells(events.Connecting)[-1].attempt)
    assert attempts == [1, 2, 3]


def test_a_link_that_breaks_at_once_does_not_reset_the_backoff() -> None:
    run = Run().online()
    delays = []
    for _ in range(8):
        run.forget().lose()
        delays.append(run.tells(Offline)[0].retry_in)
        run.wait(CAP).dialed().hear(welcome()).join().listed()
    assert delays == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0]


def test_a_server_that_says_when_it_is_back_is_believed_again_and_again() -> None:
    run = Run().online()
    delays = []
    for _ in range(4):
        run.forget().hear(wire.Bye(reason="shutdown", retry_after=1))
        delays.append(run.tells(Offline)[0].retry_in)
        run.wait(CAP).dialed().hear(welcome()).join().listed()
    assert delays == [1.5, 1.5, 1.5, 1.5]


def test_backoff_has_full_jitter_and_a_cap() -> None:
    assert [Backoff(lambda: 1.0).next_delay() for _ in range(1)] == [BASE]
    high, low = Backoff(lambda: 1.0), Backoff(lambda: 0.0)
    assert max(high.next_delay() for _ in range(2_000)) == CAP
    assert {low.next_delay() for _ in range(10)} == {0.0}
    assert low.next_delay(7.0) == 7.0


@pytest.mark.parametrize("phase", ["dialing", "greeting", "waiting"])
def test_quit_without_a_welcome_is_immediate(phase: str) -> None:
    run = Run()
    if phase == "waiting":
        run.online().lose()
    else:
        run.start()
        if phase == "greeting":
            run.dialed()
    run.carry_out(run.session.quit(run.now, None))
    assert run.ended() is None
    assert do.HangUp() in run.other


def test_quit_waits_for_bye() -> None:
    run = Run().online()
    run.carry_out(run.session.quit(run.now, "bed"))
    assert run.last(wire.Quit).reason == "bed"
    run.hear(wire.ServerPing(token="x"), posted(1))
    assert run.seqs() == [1]
    assert not any(isinstance(one, wire.Pong) for one in run.sent)
    run.hear(wire.Bye(reason="quit"))
    assert run.ended() is None


@pytest.mark.parametrize("end", ["silence", "cut", "error", "gap"])
def test_quit_ends_whatever_the_server_does(end: str) -> None:
    run = Run().online()
    run.carry_out(run.session.quit(run.now, None))
    assert run.session.deadline == run.now + QUIT_WITHIN
    match end:
        case "silence":
            run.wait(QUIT_WITHIN)
        case "cut":
            run.lose()
        case "error":
            run.hear(wire.Error(code="bad_json", message="no", fatal=True))
        case _:
            run.hear(posted(9))
    assert run.ended() is None
    assert run.session.heard(run.now, posted(10)) == []


# ------------------------------------------------------------------ moderation


def test_who_is_put_out_does_not_come_back_by_itself() -> None:
    run = Run().online()
    run.hear(wire.Moderated(act="kick", by="ann", room="#lobby", nick="bob"))
    assert run.tells(Heard)[-1].system.act == "kick"
    run.forget().lose()
    run.wait(60).dialed().hear(welcome())
    assert [it for it in run.sent if isinstance(it, wire.Join)] == []


def test_what_is_done_to_others_or_elsewhere_changes_nothing() -> None:
    run = Run().online()
    run.hear(wire.Moderated(act="kick", by="ann", room="#lobby", nick="eve"))
    run.hear(wire.Moderated(act="mute", by="ann", room="#lobby", nick="bob"))
    run.hear(wire.Moderated(act="ban", by="ann", address="::/64"))
    run.hear(posted(1))
    assert run.seqs() == [1]


def test_a_removal_is_told_as_of_the_conversation_that_we_know() -> None:
    run = Run().online()
    run.hear(wire.Removed(to="#lobby", seq=1, nick="eve"))
    run.hear(wire.Removed(to="@eve", seq=2, nick="bob"))
    run.hear(wire.Removed(to="@bob", seq=3, nick="eve"))
    told = [it.system for it in run.tells(Heard) if isinstance(it.system, wire.Removed)]
    assert [(it.to, it.seq) for it in told] == [("#lobby", 1), ("@eve", 2), ("@eve", 3)]


# ------------------------------------------------------------------ being away


def test_a_server_that_forgot_is_told_that_we_are_away() -> None:
    run = Run().online()
    run.ask(wire.GoAway(id="c1", text="lunch"))
    run.hear(wire.AwayIs(re="c1", nick="bob", text="lunch"))
    run.come_back()
    again = run.last(wire.GoAway)
    assert (again.text, again.id != "c1") == ("lunch", True)
    told = len(run.tells(Heard))
    run.hear(wire.AwayIs(re=again.id, nick="bob", text="lunch"))
    run.come_back()
    run.hear(wire.Error(re=run.last(wire.GoAway).id, code="unknown_command", message="What?"))
    assert len(run.tells(Heard)) == told  # nobody asked

    run.hear(wire.AwayIs(nick="carol", text="tea"), wire.AwayIs(nick="bob"))  # from elsewhere
    said = len([one for one in run.sent if isinstance(one, wire.GoAway)])
    run.come_back()
    assert len([one for one in run.sent if isinstance(one, wire.GoAway)]) == said
