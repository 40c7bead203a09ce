"""The life of a link and what is said over it, as values: no socket, no clock, no sleep."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from securechat.client import effects as do
from securechat.client import events
from securechat.client.backoff import BASE, CAP, Backoff
from securechat.client.drafts import Drafts
from securechat.client.events import CaughtUp, DraftState, Heard, Message, Offline, Online
from securechat.client.heartbeat import ASK_AFTER, DEAD_AFTER, Heartbeat, Pulse
from securechat.client.plan import Plan
from securechat.client.session import GOOD_AFTER, HELLO_RETRIES, QUIT_WITHIN, Phase, Session
from securechat.client.snapshot import KeptDraft, Snapshot, Under, fingerprint
from securechat.errors import CannotConnect, ClientError, GaveUp, KeyChanged, NotTrusted, Refused
from securechat.protocol import envelopes as wire
from securechat.protocol.codec import Refusal

RUN = "f" * 32
LIMITS = wire.Limits(
    max_frame=65_536, max_text=4_000, rate=20, burst=100, presence=500, idle_timeout=90
)


def welcome(nick: str = "bob", session: str | None = "token", epoch: str = "e1") -> wire.Welcome:
    return wire.Welcome(
        protocol=1, server="x", version="1", nick=nick, session=session, epoch=epoch, limits=LIMITS
    )


def posted(seq: int, to: str = "#lobby", sender: str = "eve", **keys: Any) -> wire.Posted:
    keys.setdefault("id", f"{sender}-{seq}")
    keys.setdefault("text", f"{to} {seq}")
    return wire.Posted(to=to, sender=sender, seq=seq, ts="2026-01-01T00:00:00.000000Z", **keys)


class Run:
    """One session with a scripted server; what it sends and tells is kept in order."""

    def __init__(self, *, nick: str = "bob", rooms: tuple[str, ...] = ("#lobby",), **keys: Any):
        plan = Plan(host="h", nick=nick, run=RUN, rooms=rooms, **keys)
        self.session = Session(plan, random=lambda: 0.5)
        self.now = 1_000.0
        self.sent: list[Any] = []
        self.told: list[Any] = []
        self.other: list[do.Effect] = []
        self.drafts = 0

    def carry_out(self, effects: list[do.Effect]) -> None:
        for effect in effects:
            if isinstance(effect, do.Send):
                self.sent.append(effect.envelope)
            elif isinstance(effect, do.Tell):
                self.told.append(effect.event)
            else:
                self.other.append(effect)

    def start(self) -> Run:
        self.carry_out(self.session.start(self.now))
        return self

    def dialed(self) -> Run:
        self.carry_out(self.session.dialed(self.now))
        return self

    def hear(self, *said: wire.Posted | wire.System | Refusal) -> Run:
        for one in said:
            self.carry_out(self.session.heard(self.now, one))
        return self

    def lose(self, error: ClientError | None = None) -> Run:
        self.carry_out(self.session.lost(self.now, error or CannotConnect("cut")))
        return self

    def wait(self, seconds: float) -> Run:
        self.now += seconds
        self.carry_out(self.session.tick(self.now))
        return self

    def say(self, text: str, to: str = "#lobby") -> str:
        self.drafts += 1
        draft = wire.Draft(id=f"{RUN}-{self.drafts}", to=to, text=text)
        self.carry_out(self.session.say(draft))
        return draft.id

    def ask(self, command: wire.Command) -> Run:
        self.carry_out(self.session.ask(command))
        return self

    def join(self, seq: int = 0, after: int | None = None, room: str = "#lobby") -> Run:
        """Answer the last unanswered `join` of `room`."""
        asked = self.last(wire.Join, lambda one: one.room == room)
        start = seq if after is None else after
        joined = wire.Joined(room=room, nick="bob", re=asked.id, seq=seq, after=start, count=1)
        return self.hear(joined)

    def listed(self, *rows: tuple[str, int]) -> Run:
        """Answer the last `conversations`."""
        asked = self.last(wire.Conversations)
        listed = tuple(wire.Conversation(to=to, seq=seq, ts="") for to, seq in rows)
        return self.hear(wire.ConversationList(conversations=listed, re=asked.id))

    def online(self, **keys: Any) -> Run:
        """Dial, be welcomed, join the lobby at its head, no direct conversations."""
        return self.start().dialed().hear(welcome(**keys)).join().listed()

    def come_back(self, **keys: Any) -> Run:
        """Lose the link and be welcomed again."""
        return self.lose().wait(CAP).dialed().hear(welcome(**keys))

    def snapshot(self) -> Snapshot:
        """What is kept once the front end has taken everything."""
        self.session.take_cursors()
        return self.session.snapshot()

    def last(self, kind: type[Any], fits: Callable[[Any], bool] = lambda _: True) -> Any:
        return next(one for one in reversed(self.sent) if isinstance(one, kind) and fits(one))

    def tells(self, kind: type[Any]) -> list[Any]:
        return [one for one in self.told if isinstance(one, kind)]

    def states(self, id: str) -> list[DraftState]:
        return [one.state for one in self.tells(events.Draft) if one.id == id]

    def seqs(self, conversation: str = "#lobby") -> list[int]:
        messages = self.tells(Message)
        return [one.posted.seq for one in messages if one.conversation == conversation]

    def drafts_sent(self) -> list[str]:
        return [one.text for one in self.sent if isinstance(one, wire.Draft)]

    def ended(self) -> ClientError | None:
        end = self.other[-1]
        assert isinstance(end, do.End)
        return end.error

    def forget(self) -> Run:
        """Look only at what comes from here on."""
        self.sent.clear()
        self.told.clear()
        self.other.clear()
        return self


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


# ------------------------------------------------------------------ liveness


def test_silence_is_asked_about_and_then_taken_for_death() -> None:
    run = Run().online().forget()
    assert run.session.deadline == run.now + ASK_AFTER
    run.wait(ASK_AFTER)
    assert isinstance(run.last(wire.Ping), wire.Ping)
    run.wait(DEAD_AFTER - ASK_AFTER)
    assert "silent" in run.tells(Offline)[0].reason


def test_any_sign_of_life_ends_the_silence() -> None:
    run = Run().online().forget()
    for _ in range(5):
        run.wait(ASK_AFTER)
        run.session.alive(run.now)
        run.hear(wire.ServerPong(re=run.last(wire.Ping).id))
    assert len([one for one in run.sent if isinstance(one, wire.Ping)]) == 5
    assert not run.told


def test_an_hour_of_sleep_is_death_at_once() -> None:
    heart = Heartbeat(0.0)
    assert heart.check(3_600.0) is Pulse.DEAD


def test_ping_is_answered_with_its_token() -> None:
    run = Run().online().hear(wire.ServerPing(token="t1"))
    assert run.last(wire.Pong).token == "t1"
    run.hear(wire.ServerPing())
    assert run.last(wire.Pong).token is None


# ------------------------------------------------------------------ what is shown


def test_each_message_comes_once_in_order() -> None:
    run = Run().start().dialed().hear(welcome()).join(seq=3, after=1).listed()
    run.hear(posted(2), posted(2), posted(3), posted(1), posted(4))
    assert run.seqs() == [2, 3, 4]
    assert [one.missed for one in run.tells(Message)] == [True, True, False]


def test_a_gap_means_that_we_connect_again_behind_the_cursor() -> None:
    run = Run().online().hear(posted(1), posted(3))
    assert run.seqs() == [1]
    assert "missing" in run.tells(Offline)[0].reason
    run.wait(CAP).dialed().hear(welcome())
    assert run.last(wire.Join).after == 1


def test_a_room_that_we_are_not_in_shows_nothing() -> None:
    run = Run().online().hear(posted(7, "#other"))
    assert run.tells(Message) == []
    assert run.session.phase is Phase.ONLINE


def test_trimmed_history_moves_the_cursor() -> None:
    run = Run().start().dialed().hear(welcome()).join(seq=9, after=0).listed()
    run.hear(wire.Trimmed(to="#lobby", after=5), posted(6))
    assert run.seqs() == [6]
    assert run.tells(Heard)[-1].system == wire.Trimmed(to="#lobby", after=5)


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (wire.Notice(text="hi"), True),
        (wire.Joined(room="#lobby", nick="eve"), True),
        (wire.Left(room="#lobby", nick="eve"), True),
        (wire.Error(code="bad_text", message="no"), True),
        (wire.ConversationList(conversations=()), True),
        (wire.ServerPing(), False),
        (wire.ServerPong(), False),
        (wire.UnknownEvent(event="fireworks"), False),
    ],
)
def test_what_a_front_end_may_show(event: wire.System, shown: bool) -> None:
    run = Run().online().forget().hear(event)
    assert run.told == ([Heard(event)] if shown else [])


def test_answers_of_a_later_server_reach_the_one_who_asked() -> None:
    run = Run().online().ask(wire.Joke(id="c1")).forget()
    run.hear(wire.UnknownEvent(event="limerick", re="c1"))
    assert run.tells(Heard) == [Heard(wire.UnknownEvent(event="limerick", re="c1"))]


# ------------------------------------------------------------------ drafts


def test_an_echo_settles_and_moves_the_cursor() -> None:
    run = Run().online()
    id = run.say("hello")
    run.hear(posted(1, sender="bob", id=id, text="hello"))
    assert run.states(id) == [DraftState.SENDING, DraftState.SENT]
    assert run.tells(Message)[0].own
    assert run.session.pending == 0
    assert do.KeepDraft(run.last(wire.Draft)) in run.other
    assert do.ForgetDraft(id) in run.other


@pytest.mark.parametrize(
    ("sender", "to", "settles"),
    [
        ("bob", "#lobby", True),
        ("eve", "#lobby", False),
        ("bob", "#dev", False),
        ("bob", "@eve", False),
    ],
)
def test_only_our_own_echo_in_its_place_settles(sender: str, to: str, settles: bool) -> None:
    run = Run().online()
    id = run.say("hello")
    run.hear(posted(1, to, sender, id=id))
    assert (DraftState.SENT in run.states(id)) is settles


@pytest.mark.parametrize(("to", "settles"), [("@carol", True), ("#lobby", False)])
def test_a_direct_echo_may_bear_the_other_sides_new_nick(to: str, settles: bool) -> None:
    run = Run().online()
    id = run.say("psst", "@eve")
    run.hear(posted(1, to, "bob", id=id))
    assert (DraftState.SENT in run.states(id)) is settles


def test_an_echo_under_the_nick_that_we_had_then_settles() -> None:
    run = Run().online()
    id = run.say("hello")
    run.ask(wire.ChangeNick(id="c1", nick="bobby"))
    run.hear(wire.Renamed(old="bob", nick="bobby", re="c1"), posted(1, sender="bob", id=id))
    assert run.states(id)[-1] is DraftState.SENT
    assert run.session.nick == "bobby"
    assert do.KeepNick("bobby") in run.other
    assert do.KeepSession("bobby", "token") in run.other
    assert run.come_back(nick="bobby").last(wire.Hello).nick == "bobby"


def test_a_nick_given_up_is_ours_for_a_day() -> None:
    run = Run().online()
    run.hear(wire.Renamed(old="bob", nick="bobby"), posted(1, sender="bob"))
    run.now += 86_401
    run.session.alive(run.now)
    run.hear(posted(2, sender="bob"), posted(1, "@bobby", "bob"))
    assert [one.own for one in run.tells(Message)] == [True, False, False]
    assert run.seqs("@bob") == [1]


def test_a_refused_draft_is_not_sent_again() -> None:
    run = Run().online()
    id = run.say("\x07")
    run.hear(wire.Error(code="bad_text", message="no bells", re=id))
    refused = run.tells(events.Draft)[-1]
    assert (refused.reason, refused.code, refused.seq) == ("no bells", "bad_text", None)
    assert run.states(id)[-1] is DraftState.REFUSED
    assert run.forget().come_back().drafts_sent() == []


def test_a_settled_draft_bears_its_number() -> None:
    run = Run().online()
    id = run.say("hello")
    run.hear(posted(1), posted(2, sender="bob", id=id))
    assert run.tells(events.Draft)[-1].seq == 2


def test_a_draft_too_long_for_a_frame_is_refused_here() -> None:
    run = Run().online()
    id = run.say("long")
    run.carry_out(run.session.refuse(id, "too long", "frame_too_large"))
    run.carry_out(run.session.refuse(id, "too long", "frame_too_large"))
    assert run.states(id) == [DraftState.SENDING, DraftState.REFUSED]
    assert run.tells(events.Draft)[-1].code == "frame_too_large"


def test_drafts_wait_for_the_first_link() -> None:
    run = Run()
    run.start()
    id = run.say("early")
    run.dialed().hear(welcome())
    assert run.states(id) == [DraftState.WAITING, DraftState.SENDING]
    assert [type(one).__name__ for one in run.sent][-3:] == ["Join", "Conversations", "Draft"]


def test_a_lost_link_repeats_what_was_not_echoed_in_first_order() -> None:
    run = Run().online()
    ids = [run.say(text) for text in "abc"]
    run.hear(posted(1, sender="bob", id=ids[0]))
    run.forget().lose()
    late = run.say("d")
    run.wait(CAP).dialed().hear(welcome())
    assert run.drafts_sent() == ["b", "c", "d"]
    assert run.states(ids[1]) == [DraftState.WAITING, DraftState.SENDING]
    # "b" was stored before the link broke; its answer comes out of turn and moves no cursor.
    run.join(seq=3, after=1).listed()
    run.hear(posted(3, sender="bob", id=ids[1]))
    assert run.seqs() == []
    run.hear(posted(2), posted(3, sender="bob", id=ids[1]), posted(4, sender="bob", id=ids[2]))
    assert run.tells(CaughtUp) == []
    run.hear(posted(5, sender="bob", id=late))
    assert run.seqs() == [2, 3, 4, 5]
    assert run.tells(CaughtUp) == [CaughtUp(missed=1, sent=3)]


def test_the_answer_to_a_repeat_may_be_the_next_message() -> None:
    run = Run().online()
    id = run.say("a")
    run.come_back().join(seq=1, after=0).listed()
    echo = posted(1, sender="bob", id=id)
    run.hear(echo, echo, posted(2))
    assert run.seqs() == [1, 2]
    assert run.states(id).count(DraftState.SENT) == 1


def test_an_answer_given_twice_is_no_gap() -> None:
    run = Run().online()
    id = run.say("a")
    run.come_back().join(seq=5, after=0).listed()
    echo = posted(5, sender="bob", id=id)
    run.hear(echo, echo)
    assert run.session.phase is Phase.ONLINE


def test_no_room_on_the_server_keeps_the_order() -> None:
    run = Run().online()
    ids = [run.say(text) for text in "abc"]
    run.hear(posted(1, sender="bob", id=ids[0]))
    full: dict[str, Any] = {"code": "storage", "message": "full", "retry_after": 5.0}
    run.hear(wire.Error(re=ids[1], **full), wire.Error(re=ids[2], **full))
    late = run.say("d")
    assert run.drafts_sent() == ["a", "b", "c"]
    assert [run.states(one)[-1] for one in (*ids[1:], late)] == [DraftState.WAITING] * 3
    assert run.session.deadline == run.now + 5
    run.forget().wait(4.9)
    assert run.drafts_sent() == []
    run.wait(0.2)
    assert run.drafts_sent() == ["b", "c", "d"]
    assert run.session.pending == 3


def test_a_link_lost_while_the_server_is_full_repeats_everything_at_once() -> None:
    run = Run().online()
    id = run.say("a")
    run.hear(wire.Error(code="storage", message="full", re=id))
    run.forget().come_back()
    assert run.drafts_sent() == ["a"]


def test_one_id_is_one_draft() -> None:
    drafts = Drafts()
    draft = wire.Draft(id="a", to="#x", text="t")
    assert drafts.add(draft, None) is drafts.add(draft, None)
    assert len(drafts) == 1
    assert drafts.end_stall() == []


# ------------------------------------------------------------------ commands


def test_a_command_without_a_link_is_answered_here() -> None:
    run = Run().start().ask(wire.Time(id="c1")).ask(wire.Join(id="c2", room="#dev"))
    errors = [one.system for one in run.tells(Heard)]
    assert [(one.code, one.re) for one in errors] == [("offline", "c1"), ("offline", "c2")]
    run.dialed().hear(welcome())
    assert run.last(wire.Join).room == "#dev"


def test_a_command_whose_answer_was_lost_is_answered_here() -> None:
    run = Run().online().ask(wire.Time(id="c1")).ask(wire.Who(id="c2"))
    run.hear(
        wire.Members(members=(), more=True, re="c2"), wire.TimeIs(now="", re="c1")
    ).forget().lose()
    assert [one.system.re for one in run.tells(Heard)] == ["c2"]


def test_rooms_joined_and_left_are_remembered() -> None:
    run = Run().online().ask(wire.Join(id="c1", room="#dev", last=5))
    run.hear(wire.Joined(room="#dev", nick="bob", re="c1", seq=8, after=8))
    run.ask(wire.Leave(id="c2", room="#lobby"))
    run.hear(wire.Left(room="#lobby", nick="bob", re="c2"))
    run.forget().come_back()
    assert [one.room for one in run.sent if isinstance(one, wire.Join)] == ["#dev"]
    assert run.last(wire.Join).after == 8


def test_what_was_said_before_leaving_is_asked_after() -> None:
    """Who is behind and leaves will not see the echo; a repeat is answered all the same."""
    run = Run().online()
    said = run.say("hi")
    run.ask(wire.Leave(id="c1", room="#lobby")).forget()
    run.hear(wire.Left(room="#lobby", nick="bob", re="c1"))
    assert [one.id for one in run.sent if isinstance(one, wire.Draft)] == [said]


def test_nothing_is_asked_after_while_the_server_takes_nothing() -> None:
    run = Run().online()
    said = run.say("hi")
    run.ask(wire.Leave(id="c1", room="#lobby"))
    run.hear(wire.Error(code="storage", message="full", re=said, retry_after=5)).forget()
    run.hear(wire.Left(room="#lobby", nick="bob", re="c1"))
    assert not [one for one in run.sent if isinstance(one, wire.Draft)]


def test_a_room_that_refused_us_is_not_asked_again() -> None:
    run = Run().online().ask(wire.Join(id="c1", room="#dev"))
    run.hear(wire.Error(code="forbidden", message="no", re="c1"))
    run.forget().come_back()
    assert [one.room for one in run.sent if isinstance(one, wire.Join)] == ["#lobby"]


@pytest.mark.parametrize("code", ["already_joined", "bad_envelope"])
def test_a_failed_join_of_a_room_that_we_are_in_changes_nothing(code: str) -> None:
    run = Run().online().ask(wire.Join(id="c1", room="#lobby"))
    run.hear(wire.Error(code=code, message="no", re="c1"), posted(1))
    assert run.seqs() == [1]


def test_a_room_entered_again_goes_on_where_it_was_left() -> None:
    run = Run().online().hear(posted(1)).ask(wire.Leave(id="c1", room="#lobby"))
    run.hear(wire.Left(room="#lobby", nick="bob", re="c1"), posted(2))
    run.ask(wire.Join(id="c2", room="#lobby"))
    assert run.last(wire.Join).after == 1
    run.hear(wire.Joined(room="#lobby", nick="bob", re="c2", seq=3, after=1), posted(2), posted(3))
    assert run.seqs() == [1, 2, 3]


def test_asking_for_old_messages_does_not_show_them_twice() -> None:
    run = Run().start().dialed().hear(welcome()).join(seq=2, after=0).listed()
    run.hear(posted(1), posted(2)).ask(wire.Leave(id="c1", room="#lobby"))
    run.ask(wire.Join(id="c2", room="#lobby", after=0))
    run.hear(wire.Joined(room="#lobby", nick="bob", re="c2", seq=3, after=0))
    run.hear(posted(1), posted(2), posted(3))
    assert run.seqs() == [1, 2, 3]


def test_a_cursor_beyond_the_head_is_taken_back() -> None:
    run = Run().start().dialed().hear(welcome()).join(seq=9, after=9).listed()
    run.come_back().join(seq=4, after=4).listed().hear(posted(5))
    assert run.seqs() == [5]


# ------------------------------------------------------------------ direct conversations


def test_what_was_under_way_under_a_former_nick_is_shown_in_the_conversation_of_now() -> None:
    run = Run().online().hear(posted(1, "@bob"), wire.Renamed(old="eve", nick="mallory"))
    run.hear(posted(2, "@bob", sender="eve"), wire.Renamed(old="mallory", nick="trudy"))
    run.hear(posted(3, "@bob", sender="mallory"), posted(4, "@bob", sender="eve"))
    assert run.seqs("@eve") == [1]
    assert run.seqs("@mallory") == [2]
    assert run.seqs("@trudy") == [3, 4]


def test_direct_messages_are_live_from_welcome_on() -> None:
    run = Run().online().hear(posted(1, "@bob"), posted(2, "@eve", "bob"), posted(3, "@bob"))
    assert run.seqs("@eve") == [1, 2, 3]
    assert [one.own for one in run.tells(Message)] == [False, True, False]


def test_a_direct_conversation_is_joined_behind_its_cursor() -> None:
    run = Run().online().hear(posted(1, "@bob"), posted(1, "@bob", "amy"))
    run.forget().come_back().join()
    run.hear(posted(4, "@bob"))  # live already, but 2 and 3 are still to come
    run.listed(("@eve", 4), ("@amy", 1), ("@new", 2))
    joins = [(one.room, one.after) for one in run.sent if isinstance(one, wire.Join)]
    assert joins[1:] == [("@eve", 1), ("@new", 0)]
    run.join(seq=4, after=1, room="@eve").hear(*(posted(n, "@bob") for n in (2, 3, 4)))
    run.join(seq=2, after=0, room="@new").hear(*(posted(n, "@bob", "new") for n in (1, 2)))
    assert run.seqs("@eve") == [2, 3, 4]
    assert run.tells(CaughtUp) == [CaughtUp(missed=5, sent=0)]
    assert not any(one.system.event == "joined" and one.system.room[0] == "@"
                   for one in run.tells(Heard))  # fmt: skip


def test_a_known_session_without_cursors_begins_with_the_backlog() -> None:
    run = Run(session="token", backlog=30).start().dialed().hear(welcome()).join()
    run.listed(("@eve", 80))
    assert (run.last(wire.Join).room, run.last(wire.Join).last) == ("@eve", 30)


def test_a_known_session_without_cursors_or_backlog_is_live_only() -> None:
    run = Run(session="token", backlog=0).start().dialed().hear(welcome()).join()
    run.hear(posted(81, "@bob")).listed(("@eve", 81), ("@amy", 9))
    run.hear(posted(82, "@bob"), posted(10, "@bob", "amy"))
    assert run.seqs("@eve") == [81, 82]
    assert run.seqs("@amy") == [10]
    assert run.come_back().join().listed(("@eve", 83)).last(wire.Join).after == 82


def test_a_long_list_of_conversations_comes_in_parts() -> None:
    run = Run().online().come_back().join()
    asked = run.last(wire.Conversations)
    row = wire.Conversation(to="@eve", seq=1, ts="")
    run.hear(wire.ConversationList(conversations=(row,), more=True, re=asked.id))
    run.join(seq=1, after=0, room="@eve").hear(posted(1, "@bob"))
    assert run.tells(CaughtUp) == []
    run.hear(wire.ConversationList(conversations=(), re=asked.id))
    assert run.tells(CaughtUp) == [CaughtUp(1, 0)]


def test_a_server_that_cannot_list_is_no_reason_to_wait() -> None:
    run = Run().online().come_back().join()
    asked = run.last(wire.Conversations)
    run.hear(wire.Error(code="unknown_command", message="no", re=asked.id))
    assert run.tells(CaughtUp) == [CaughtUp(0, 0)]


def test_a_partner_who_changes_nick_keeps_the_conversation() -> None:
    run = Run().online().hear(posted(1, "@bob"), wire.Renamed(old="eve", nick="carol"))
    run.hear(posted(2, "@bob", "carol"))
    assert run.seqs("@carol") == [2]
    assert do.MoveCursor("@eve", "@carol") in run.other
    assert run.snapshot().cursors == {"@carol": 2}


def test_a_partner_who_changes_nick_while_we_catch_up() -> None:
    run = Run().online().hear(posted(1, "@bob")).forget().come_back().join().listed(("@eve", 2))
    asked = run.last(wire.Join)
    run.hear(wire.Renamed(old="eve", nick="carol"))
    run.hear(wire.Joined(room="@carol", nick="bob", re=asked.id, seq=2, after=1))
    run.hear(posted(2, "@bob", "carol"))
    assert run.tells(CaughtUp) == [CaughtUp(1, 0)]


def test_a_direct_join_refused_leaves_the_conversation_live() -> None:
    run = Run().online().hear(posted(1, "@bob")).come_back().join().listed(("@eve", 2))
    run.hear(wire.Error(code="no_such_user", message="no", re=run.last(wire.Join).id))
    assert run.tells(CaughtUp) == [CaughtUp(0, 0)]
    assert "missing" in run.hear(posted(3, "@bob")).tells(Offline)[-1].reason


def test_a_conversation_keeps_the_spelling_that_the_server_gave() -> None:
    run = Run().online().hear(posted(1, "@bob", "Eve"))
    run.say("hi", "@EVE")
    assert run.tells(events.Draft)[-1].conversation == "@Eve"


# ------------------------------------------------------------------ another history, another us


def test_a_new_epoch_asks_before_it_sends() -> None:
    run = Run().online().hear(posted(1))
    lost = run.say("lost?")
    run.forget().come_back(epoch="e2", session="other")
    (online,) = run.tells(Online)
    assert (online.back, online.new_epoch, online.resumed, online.held) == (True, True, False, 1)
    assert run.last(wire.Join).last == 50
    run.join(seq=1, after=0).listed().hear(posted(1))
    assert run.seqs() == [1]
    assert run.tells(CaughtUp) == [CaughtUp(missed=1, sent=0)]
    new = run.say("new")
    assert run.drafts_sent() == ["new"]
    run.hear(posted(2, sender="bob", id=new))
    run.carry_out(run.session.confirm_drafts(True))
    assert run.drafts_sent() == ["new", "lost?"]
    run.hear(posted(3, sender="bob", id=lost))
    assert run.states(lost)[-1] is DraftState.SENT


def test_held_drafts_can_be_given_up() -> None:
    run = Run().online()
    id = run.say("lost?")
    run.come_back(epoch="e2").come_back(epoch="e2")
    assert run.tells(Online)[-1].held == 1
    run.carry_out(run.session.confirm_drafts(False))
    run.carry_out(run.session.confirm_drafts(True))
    assert run.states(id)[-1] is DraftState.REFUSED
    assert run.session.pending == 0


def test_held_drafts_confirmed_without_a_link_go_out_with_the_next() -> None:
    run = Run().online()
    run.say("lost?")
    run.come_back(epoch="e2").lose()
    run.carry_out(run.session.confirm_drafts(True))
    run.forget().wait(CAP).dialed().hear(welcome(epoch="e2"))
    assert run.drafts_sent() == ["lost?"]


def test_a_lapsed_session_asks_too_and_begins_its_direct_conversations_anew() -> None:
    run = Run().online().hear(posted(1), posted(1, "@bob"))
    run.say("lost?")
    run.forget().come_back(session="another")
    (online,) = run.tells(Online)
    assert (online.new_epoch, online.resumed, online.held) == (False, False, 1)
    assert run.last(wire.Join).after == 1
    run.join(seq=1).listed().hear(posted(1, "@bob"))
    assert run.seqs("@eve") == [1]


def test_a_session_that_could_not_be_stored_proves_nothing() -> None:
    run = Run().online(session=None)
    run.say("lost?")
    run.come_back(session=None)
    assert run.tells(Online)[-1].held == 1


# ------------------------------------------------------------------ another run


def saved(**keys: Any) -> Snapshot:
    keys.setdefault("under", Under("e1", fingerprint("token")))
    return Snapshot(**keys)


def kept(text: str, number: int, under: Under | None) -> KeptDraft:
    return KeptDraft(wire.Draft(id=f"old-{number}", to="#lobby", text=text), under)


def test_a_new_run_goes_on_where_the_last_one_was() -> None:
    here = Under("e1", fingerprint("token"))
    run = Run(
        session="token",
        backlog=3,
        saved=(
            saved(cursors={"#lobby": 10, "@eve": 4}, drafts=(kept("a", 1, here),)),
            saved(cursors={"#lobby": 8, "@eve": 5}, drafts=(kept("b", 2, here),)),
        ),
    )
    run.start().dialed().hear(welcome())
    assert [one.state for one in run.tells(events.Draft)][:2] == [DraftState.WAITING] * 2
    assert run.drafts_sent() == ["a", "b"]
    assert run.last(wire.Join).after == 7
    run.join(seq=12, after=7).listed(("@eve", 5))
    run.hear(*(posted(seq) for seq in range(8, 13)))
    run.hear(posted(13, sender="bob", id="old-1"), posted(14, sender="bob", id="old-2"))
    assert run.seqs() == list(range(8, 15))
    assert run.tells(CaughtUp) == [CaughtUp(missed=2, sent=2)]
    assert run.snapshot().cursors == {"#lobby": 14, "@eve": 5}


def test_a_cursor_never_falls_behind_what_an_earlier_run_had() -> None:
    run = Run(session="token", backlog=5, saved=(saved(cursors={"#lobby": 10}),))
    run.start().dialed().hear(welcome()).join(seq=10, after=5).listed().hear(posted(6))
    assert run.snapshot().cursors == {"#lobby": 10}
    run.come_back()
    assert run.last(wire.Join).after == 6


def test_a_new_run_without_news_says_nothing_of_it() -> None:
    run = Run(session="token", saved=(saved(cursors={"#lobby": 1}),))
    run.start().dialed().hear(welcome()).join(seq=1, after=0).listed().hear(posted(1))
    assert run.seqs() == [1]
    assert run.tells(CaughtUp) == []


@pytest.mark.parametrize(
    ("under", "epoch", "session", "held", "new_epoch"),
    [
        (Under("e1", fingerprint("token")), "e1", "token", 0, False),
        (Under("e1", fingerprint("token")), "e2", "token", 1, True),
        (Under("e1", fingerprint("token")), "e1", "other", 1, False),
        (None, "e1", "token", 0, False),
    ],
)
def test_drafts_of_an_earlier_run(
    under: Under | None, epoch: str, session: str, held: int, new_epoch: bool
) -> None:
    run = Run(session="token", saved=(saved(under=under, drafts=(kept("a", 1, under),)),))
    run.start().dialed().hear(welcome(epoch=epoch, session=session))
    (online,) = run.tells(Online)
    assert (online.held, online.new_epoch) == (held, new_epoch)
    assert run.drafts_sent() == ([] if held else ["a"])


def test_an_earlier_runs_nick_settles_its_draft() -> None:
    here = Under("e1", fingerprint("token"))
    earlier = saved(nicks=("bobby",), drafts=(kept("a", 1, here),))
    run = Run(session="token", saved=(earlier,)).start().dialed().hear(welcome()).join().listed()
    run.hear(posted(1, sender="bobby", id="old-1"))
    assert run.states("old-1")[-1] is DraftState.SENT
    assert run.snapshot().nicks == ("bob",)


def test_the_snapshot_has_all_that_must_outlive_us() -> None:
    run = Run().online().hear(posted(1))
    run.say("a")
    assert run.session.snapshot().cursors == {}  # not shown yet, for all we know
    assert run.session.cursors_moved
    assert run.session.take_cursors() == {"#lobby": 1}
    assert not run.session.cursors_moved
    snapshot = run.session.snapshot()
    here = Under("e1", fingerprint("token"))
    assert (snapshot.under, snapshot.nicks, snapshot.cursors) == (here, ("bob",), {"#lobby": 1})
    assert [(one.draft.text, one.under) for one in snapshot.drafts] == [("a", here)]


def test_a_draft_said_without_a_link_belongs_to_where_we_were_last() -> None:
    run = Run().online().lose()
    run.say("offline")
    assert run.snapshot().drafts[0].under == Under("e1", fingerprint("token"))


# ------------------------------------------------------------------ who only sends


def test_the_room_of_a_draft_that_was_kept_is_joined_first() -> None:
    under = Under("e1", fingerprint("token"))
    draft = KeptDraft(wire.Draft(id="old-1", to="#garden", text="kept"), under)
    run = Run(session="token", saved=(saved(under=under, drafts=(draft,)),)).start().dialed()
    run.hear(welcome())
    joined = [one.room for one in run.sent if isinstance(one, wire.Join)]
    assert joined == ["#lobby", "#garden"]
    assert run.drafts_sent() == ["kept"]


def test_the_room_of_a_draft_that_was_held_is_joined_when_it_is_sent() -> None:
    under = Under("e0", fingerprint("token"))
    draft = KeptDraft(wire.Draft(id="old-1", to="#garden", text="kept"), under)
    run = Run(session="token", saved=(saved(under=under, drafts=(draft,)),)).start().dialed()
    run.hear(welcome())
    assert [one.room for one in run.sent if isinstance(one, wire.Join)] == ["#lobby"]
    run.carry_out(run.session.confirm_drafts(True))
    assert run.last(wire.Join).room == "#garden"
    assert run.drafts_sent() == ["kept"]


def test_who_does_not_read_begins_now_and_leaves_what_others_have_read() -> None:
    under = Under("e1", fingerprint("token"))
    cursors = {"#lobby": 3, "#garden": 4, "@eve": 5}
    run = Run(
        session="token",
        reads=False,
        backlog=0,
        saved=(saved(under=under, cursors=cursors),),
    )
    run.start().dialed().hear(welcome())
    join = run.last(wire.Join)
    assert (join.after, join.last) == (None, None)
    run.join(seq=9).listed(("@eve", 8))
    assert len([one for one in run.sent if isinstance(one, wire.Join)]) == 1
    run.hear(posted(10), posted(9, to="@bob"))
    assert run.snapshot().cursors == cursors
    run.ask(wire.Join(id="c1", room="#lobby", after=99))
    run.join(seq=10, after=10)
    assert run.snapshot().cursors == cursors


def test_who_does_not_read_can_ask_for_a_direct_conversation_from_anywhere() -> None:
    run = Run(reads=False, backlog=0, rooms=()).start().dialed().hear(welcome())
    run.listed(("@eve", 3))
    run.ask(wire.Join(id="c1", room="@eve", after=1)).join(seq=3, after=1, room="@eve")
    run.hear(posted(2, to="@bob"), posted(3, to="@bob"))
    run.come_back().listed(("@eve", 4))
    assert run.last(wire.Join).after == 3
    run.join(seq=4, after=3, room="@eve").hear(posted(4, to="@bob"))
    assert run.seqs("@eve") == [2, 3, 4]


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
