"""Drafts on their way: over the link or not, sent again, refused, given up."""

from __future__ import annotations

import pytest

from securechat.client import effects as do
from securechat.client import events
from securechat.client.delivery import STORAGE_RETRY, Delivery
from securechat.client.snapshot import KeptDraft, Snapshot, Under
from securechat.protocol import envelopes as wire

HERE = Under("e1", "s1")


def draft(id: str) -> wire.Draft:
    return wire.Draft(id=id, to="#a", text=f"text of {id}")


def refusal(id: str, code: str, retry_after: float | None = None) -> wire.Error:
    error = wire.Error(re=id, code=code, message="No.", fatal=False)
    return error.model_copy(update={"retry_after": retry_after})


class Desk:
    """A delivery, and what came out of it since the last look."""

    def __init__(self, *saved: Snapshot) -> None:
        self.given_up: list[str] = []
        self._effects: list[do.Effect] = []
        self.delivery = Delivery(saved, self._effects.append, str.upper, self.given_up.append)

    def came(self) -> list[str]:
        """The ids that were sent and the states that were told, in order."""
        out = []
        for effect in self._effects:
            if isinstance(effect, do.Send):
                assert isinstance(effect.envelope, wire.Draft)
                out.append(f"send {effect.envelope.id}")
            elif isinstance(effect, do.Tell):
                assert isinstance(effect.event, events.Draft)
                out.append(f"{effect.event.state.name.lower()} {effect.event.id}")
            else:
                out.append(type(effect).__name__)
        self._effects.clear()
        return out


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_without_a_link_a_draft_is_kept_and_waits(desk: Desk) -> None:
    desk.delivery.say(draft("1"))
    assert desk.came() == ["KeepDraft", "waiting 1"]
    assert not desk.delivery.open


def test_over_a_link_it_is_sent_at_once_and_its_echo_settles_it(desk: Desk) -> None:
    desk.delivery.begin(HERE)
    desk.delivery.say(draft("1"))
    assert desk.came() == ["KeepDraft", "sending 1", "send 1"]
    echo = wire.Posted(id="1", to="#a", sender="ann", seq=4, ts="x", text="text of 1")
    assert not desk.delivery.settle(echo, {"bob"})
    assert desk.delivery.settle(echo, {"ann"})
    desk.delivery.show_sent(echo, "#a")
    assert desk.came() == ["ForgetDraft", "sent 1"]
    assert not desk.delivery.drafts


def test_a_lost_link_has_what_was_on_its_way_wait(desk: Desk) -> None:
    desk.delivery.begin(HERE)
    desk.delivery.say(draft("1"))
    desk.came()
    desk.delivery.interrupt()
    assert desk.came() == ["waiting 1"]
    desk.delivery.say(draft("2"))
    assert desk.came() == ["KeepDraft", "waiting 2"]


def test_only_what_was_on_a_wire_before_is_a_repeat_and_only_over_this_link() -> None:
    desk = Desk(Snapshot(HERE, ("ann",), {}, (KeptDraft(draft("old"), HERE),)))
    desk.delivery.begin(HERE)
    desk.delivery.say(draft("new"))
    for pending in desk.delivery.drafts.sendable():
        if pending.draft.id == "old":
            desk.delivery.send(pending)
    assert [desk.delivery.was_repeated(id) for id in ("old", "new")] == [True, False]
    desk.delivery.interrupt()
    assert not desk.delivery.was_repeated("old")


def test_a_refused_draft_is_given_up_once(desk: Desk) -> None:
    desk.delivery.begin(HERE)
    desk.delivery.say(draft("1"))
    desk.came()
    assert desk.delivery.hear_refused(0.0, refusal("1", "bad_text"))
    assert desk.came() == ["ForgetDraft", "refused 1"]
    assert desk.given_up == ["1"]
    assert not desk.delivery.hear_refused(0.0, refusal("1", "bad_text"))
    assert desk.came() == []


@pytest.mark.parametrize(("named", "waits"), [(None, STORAGE_RETRY), (2.0, 2.0)])
def test_where_there_is_no_room_all_wait_and_go_again_in_order(
    desk: Desk, named: float | None, waits: float
) -> None:
    desk.delivery.begin(HERE)
    desk.delivery.say(draft("1"))
    desk.came()
    assert desk.delivery.hear_refused(10.0, refusal("1", "storage", named))
    desk.delivery.say(draft("2"))
    assert desk.came() == ["waiting 1", "KeepDraft", "waiting 2"]
    desk.delivery.retry(10.0 + waits - 0.1)
    assert desk.came() == []
    desk.delivery.retry(10.0 + waits)
    assert desk.came() == ["sending 1", "send 1", "sending 2", "send 2"]


@pytest.mark.parametrize("send", [True, False])
def test_what_was_held_is_sent_behind_its_room_or_given_up(desk: Desk, send: bool) -> None:
    entered: list[str] = []
    desk.delivery.say(draft("1"))
    desk.delivery.drafts.hold_all()
    desk.delivery.begin(HERE)
    desk.came()
    desk.delivery.confirm(send, lambda pending: entered.append(pending.draft.to))
    if send:
        assert desk.came() == ["sending 1", "send 1", "KeepAll"]
        assert (entered, desk.given_up) == (["#a"], [])
    else:
        assert desk.came() == ["ForgetDraft", "refused 1", "KeepAll"]
        assert (entered, desk.given_up) == ([], ["1"])


def test_after_leaving_a_room_only_its_drafts_on_the_way_go_again(desk: Desk) -> None:
    desk.delivery.begin(HERE)
    desk.delivery.say(draft("1"))
    desk.delivery.say(wire.Draft(id="2", to="#b", text="hi"))
    desk.came()
    desk.delivery.send_again("#b")
    assert desk.came() == ["sending 2", "send 2"]
