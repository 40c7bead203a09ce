"""Which command an answer belongs to, and what is said of those that get none."""

from __future__ import annotations

from securechat.client.asked import Asked, Questions, without_link
from securechat.protocol import envelopes as wire

JOIN = wire.Join(id="c1", room="@carol")


def test_a_command_waits_for_the_last_frame_of_its_answer() -> None:
    questions = Questions()
    who = wire.Who(id="c1", room="#lobby")
    questions.ask(who, ours=False)
    asked = Asked(who, ours=False)
    assert questions.answered_by(wire.Members(members=(), more=True, re="c1")) == asked
    assert questions.answered_by(wire.Members(members=(), re="c2")) is None
    assert questions.answered_by(wire.Members(members=())) is None
    assert questions.answered_by(wire.Members(members=(), re="c1")) == asked
    assert questions.answered_by(wire.Members(members=(), re="c1")) is None


def test_who_takes_another_nick_is_joined_under_that() -> None:
    questions = Questions()
    questions.ask(JOIN, ours=True)
    questions.rename("@carol", "@caro")
    assert list(questions.joining()) == ["@caro"]
    asked = questions.answered_by(wire.Error(code="no_such_user", message="?", re="c1"))
    assert asked == Asked(JOIN.model_copy(update={"room": "@caro"}), ours=True, renamed=True)


def test_a_lost_link_leaves_what_a_person_asked_without_an_answer() -> None:
    questions = Questions()
    questions.ask(JOIN, ours=True)
    time = wire.Time(id="c2")
    questions.ask(time, ours=False)
    assert questions.lose_link() == [time]
    assert questions.lose_link() == []
    error = without_link(time, "There is no link to the server")
    assert (error.re, error.code) == ("c2", "offline")
    assert error.message == "There is no link to the server. Try again when it is back."
    assert "will be joined" in without_link(JOIN, "There is no link").message
