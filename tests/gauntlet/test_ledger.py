"""The books of an ordeal: each kind of fault is planted, and found; what is right is let be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from securechat.torture.ledger import Fault, Kind, Ledger, Row, between

ROOM: Final = "#square"
CLIENTS: Final = ("ann", "bob")
#: What was said, in the order of `seq`.
SAID: Final = (
    Row("ann-1", "ann", "one"),
    Row("bob-1", "bob", "two"),
    Row("ann-2", "ann", "three"),
    Row("bob-2", "bob", "four"),
)


class Story:
    """What happened in one run; without a change all of it as it should be."""

    def __init__(self) -> None:
        self.sent = {row.id: (row.sender, ROOM, row.text) for row in SAID}
        self.echoes = [(row.sender, row.id, seq) for seq, row in enumerate(SAID, 1)]
        self.streams = {client: list(enumerate(SAID, 1)) for client in CLIENTS}
        self.stored = {ROOM: dict(enumerate(SAID, 1))}

    def judge(self) -> list[Fault]:
        """What the ledger says of it."""
        ledger = Ledger()
        for client in CLIENTS:
            ledger.began(client, ROOM, 0)
        for id, (sender, conversation, text) in self.sent.items():
            ledger.sent(sender, conversation, id, text)
        for client, stream in self.streams.items():
            for seq, row in stream:
                ledger.delivered(client, ROOM, seq, row)
        for client, id, seq in self.echoes:
            ledger.echoed(client, id, seq)
        ledger.audit(self.stored)
        assert sum(ledger.counts.values()) == len(ledger.faults)
        assert ledger.clean is not bool(ledger.faults)
        return ledger.faults


def kinds(story: Story) -> set[Kind]:
    return {fault.kind for fault in story.judge()}


def test_what_is_right_is_let_be() -> None:
    assert Story().judge() == []


def test_what_was_not_acknowledged_may_be_stored_once_or_not_at_all() -> None:
    story = Story()
    story.echoes.remove(("bob", "bob-2", 4))
    assert story.judge() == []
    del story.stored[ROOM][4]
    for stream in story.streams.values():
        stream.pop()
    assert story.judge() == []


def test_a_stream_may_begin_late() -> None:
    ledger = Ledger()
    for row in SAID:
        ledger.sent(row.sender, ROOM, row.id, row.text)
    ledger.began("carl", ROOM, 3)
    ledger.began("carl", ROOM, 0)  # he comes back; it is the same stream
    ledger.delivered("carl", ROOM, 4, SAID[3])
    ledger.audit({ROOM: dict(enumerate(SAID, 1))})
    assert ledger.clean


# ------------------------------------------------------------------ planted faults


def lose_an_acknowledged_draft(story: Story) -> None:
    """Nobody ever got it, so only the echo tells."""
    del story.stored[ROOM][4]
    for stream in story.streams.values():
        stream.pop()


def acknowledge_with_another_seq(story: Story) -> None:
    story.echoes[0] = ("ann", "ann-1", 2)


def leave_one_behind(story: Story) -> None:
    story.streams["bob"].pop()


def never_deliver(story: Story) -> None:
    story.streams["bob"].clear()


def store_twice(story: Story) -> None:
    story.stored[ROOM][5] = SAID[1]
    for stream in story.streams.values():
        stream.append((5, SAID[1]))


def store_in_two_rooms(story: Story) -> None:
    story.stored["#yard"] = {1: SAID[1]}


def deliver_again(story: Story) -> None:
    story.streams["ann"].insert(2, (2, SAID[1]))


def acknowledge_as_two(story: Story) -> None:
    story.echoes.append(("ann", "ann-1", 3))


def skip_one(story: Story) -> None:
    del story.streams["ann"][1]


def leave_a_hole(story: Story) -> None:
    rows = story.stored[ROOM]
    story.stored[ROOM] = {seq + (seq > 2): row for seq, row in rows.items()}


def number_for_each_otherwise(story: Story) -> None:
    first, second, *rest = story.streams["bob"]
    story.streams["bob"] = [(1, second[1]), (2, first[1]), *rest]


def change_places(story: Story) -> None:
    rows = [SAID[2], SAID[1], SAID[0], SAID[3]]
    story.stored[ROOM] = dict(enumerate(rows, 1))
    story.streams = {client: list(enumerate(rows, 1)) for client in CLIENTS}
    story.echoes = [(row.sender, row.id, seq) for seq, row in enumerate(rows, 1)]


def deliver_what_is_not_stored(story: Story) -> None:
    """Without an echo nothing was promised; and yet it must not have been shown."""
    story.echoes.pop()
    del story.stored[ROOM][4]


def store_another_text(story: Story) -> None:
    story.stored[ROOM][2] = SAID[1]._replace(text="other")
    for stream in story.streams.values():
        stream[1] = (2, story.stored[ROOM][2])


def store_what_nobody_sent(story: Story) -> None:
    row = Row("eve-1", "eve", "boo")
    story.stored[ROOM][5] = row
    for stream in story.streams.values():
        stream.append((5, row))


def store_in_another_room(story: Story) -> None:
    story.sent["bob-2"] = ("bob", "#yard", "four")


@pytest.mark.parametrize(
    ("plant", "kind"),
    [
        (lose_an_acknowledged_draft, Kind.LOST),
        (acknowledge_with_another_seq, Kind.LOST),
        (leave_one_behind, Kind.LOST),
        (never_deliver, Kind.LOST),
        (store_twice, Kind.TWICE),
        (store_in_two_rooms, Kind.TWICE),
        (deliver_again, Kind.TWICE),
        (acknowledge_as_two, Kind.TWICE),
        (skip_one, Kind.ORDER),
        (leave_a_hole, Kind.ORDER),
        (number_for_each_otherwise, Kind.ORDER),
        (change_places, Kind.ORDER),
        (deliver_what_is_not_stored, Kind.PHANTOM),
        (store_another_text, Kind.PHANTOM),
        (store_what_nobody_sent, Kind.PHANTOM),
        (store_in_another_room, Kind.PHANTOM),
    ],
)
def test_a_planted_fault_is_found(plant: Callable[[Story], None], kind: Kind) -> None:
    story = Story()
    plant(story)
    assert kind in kinds(story)


# ------------------------------------------------------------------ what is read from it


def test_it_tells_who_is_behind() -> None:
    ledger = Ledger()
    for client in CLIENTS:
        ledger.began(client, ROOM, 0)
    assert ledger.behind() == []
    ledger.delivered("ann", ROOM, 1, SAID[0])
    assert ledger.behind() == [("bob", ROOM)]
    ledger.delivered("bob", ROOM, 1, SAID[0])
    ledger.sent("ann", ROOM, "ann-2", "three")
    ledger.echoed("ann", "ann-2", 2)
    assert ledger.behind() == [("ann", ROOM), ("bob", ROOM)]


def test_it_counts() -> None:
    ledger = Ledger()
    ledger.sent("ann", ROOM, "ann-1", "one")
    ledger.sent("ann", ROOM, "ann-1", "one")
    ledger.echoed("ann", "ann-1")
    ledger.echoed("ann", "ann-1", 1)
    ledger.echoed("ann", "ann-1")
    ledger.delivered("bob", ROOM, 1, SAID[0])
    assert (ledger.sent_count, ledger.echoed_count, ledger.deliveries) == (1, 1, 1)
    assert ledger.progress == 2
    assert ledger.cursor("bob", ROOM) == 1
    assert ledger.cursor("ann", ROOM) is None


def test_thousands_of_faults_are_counted_and_some_told() -> None:
    ledger = Ledger()
    for number in range(5_000):
        ledger.blame(Kind.LOST, str(number))
    assert ledger.counts == {Kind.LOST: 5_000}
    assert [fault.what for fault in ledger.faults] == [str(number) for number in range(20)]


def test_a_direct_conversation_has_one_name() -> None:
    assert between("bob", "ann") == between("ann", "bob") == "@ann@bob"
