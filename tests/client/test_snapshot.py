"""What outlives a run, and how the next one goes on from it."""

from __future__ import annotations

from typing import Any

import pytest

from securechat.client import events
from securechat.client.events import CaughtUp, DraftState, Online
from securechat.client.snapshot import KeptDraft, Snapshot, Under, fingerprint
from securechat.protocol import envelopes as wire

from .runs import Run, posted, welcome


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
