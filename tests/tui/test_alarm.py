"""Who has the terminal in front of them hears a bell; who has not is shown a notice."""

from __future__ import annotations

from datetime import timedelta

from securechat.tui.alarm import IDLE, Alarm

from .entries import NOON, message

CALL = message("bob: come", mention=True)
NOTICE = "\x1b]777;notify;carol in #lobby;bob: come\x1b\\"


def rung(alarm: Alarm, written: list[str], after: timedelta = timedelta(0)) -> str:
    alarm.ring(CALL, NOON + after)
    return written.pop()


def test_the_terminal_tells_whether_somebody_looks() -> None:
    written: list[str] = []
    alarm = Alarm(written.append, {"TERM": "foot"}, NOON)
    assert rung(alarm, written) == "\a"
    alarm.focus(False)
    assert rung(alarm, written) == "\a" + NOTICE
    alarm.key(NOON)  # keys come to who has the keyboard
    assert rung(alarm, written) == "\a"
    assert rung(alarm, written, 2 * IDLE) == "\a"


def test_where_it_never_tells_who_touches_no_key_is_away() -> None:
    written: list[str] = []
    alarm = Alarm(written.append, {"TERM": "foot"}, NOON)
    assert rung(alarm, written, IDLE) == "\a" + NOTICE
    alarm.key(NOON + IDLE)
    assert rung(alarm, written, IDLE) == "\a"


def test_a_terminal_that_knows_no_notices_has_the_bell() -> None:
    written: list[str] = []
    alarm = Alarm(written.append, {"TERM": "xterm"}, NOON)
    alarm.focus(False)
    assert rung(alarm, written) == "\a"


def test_a_word_to_us_alone_is_told_by_who_said_it() -> None:
    written: list[str] = []
    alarm = Alarm(written.append, {"TERM": "foot"}, NOON)
    alarm.focus(False)
    alarm.ring(message("psst", conversation="@carol"), NOON)
    assert written == ["\a\x1b]777;notify;carol;psst\x1b\\"]
