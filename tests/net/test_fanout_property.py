"""Whatever the order of reading, writing, joining and leaving: each message once, in its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from securechat.net import fanout, feed
from securechat.net.channel import Channel, Phase

if TYPE_CHECKING:
    from tests.net.conftest import World

ROOMS = ("a", "b", "c")
PEOPLE = 3


class Step(NamedTuple):
    """Something that happens; what `amount` means is up to what happens."""

    kind: str
    who: int
    room: str
    amount: int


class Model:
    """Random life: every frame says what it is, so that what was heard can be judged."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.log: dict[str, list[int]] = {room: [] for room in ROOMS}  # the length of each message
        self.people = [world.connect(0) for _ in range(PEOPLE)]
        self.marks = 0
        self.fell: set[tuple[int, str]] = set()

    @staticmethod
    def frame(kind: str, room: str, seq: int, mark: int = 0, length: int = 20) -> bytes:
        return f"{kind},{room},{seq},{mark},".encode().ljust(length - 1, b".") + b"\n"

    def say(self, step: Step) -> None:
        log = self.log[step.room]
        first, frames = len(log) + 1, []
        for _ in range(1 + step.amount % 3):
            log.append(20 + step.amount)
            frames.append(self.frame("m", step.room, len(log), length=log[-1]))
        self.world.say(*frames, first=first, conversation=step.room)

    def notice(self, step: Step) -> None:
        self.marks += 1
        data = self.frame("n", step.room, len(self.log[step.room]), self.marks)
        self.world.notice(data, conversation=step.room)

    def join(self, step: Step) -> None:
        channel, head = self.people[step.who], len(self.log[step.room])
        after = max(0, head - step.amount % 8)
        self.fell.discard((channel.number, step.room))
        self.world.fanout.write(channel, self.frame("j", step.room, after))
        if channel.phase is Phase.TALKING:
            self.world.join(step.room, after, head, channel)

    def leave(self, step: Step) -> None:
        channel = self.people[step.who]
        self.fell.discard((channel.number, step.room))
        self.world.fanout.write(channel, self.frame("l", step.room, 0))
        self.world.leave(channel, step.room)

    def drain(self, step: Step) -> None:
        self.world.drain(self.people[step.who], step.amount * 4)

    def page(self, step: Step) -> None:
        wishes = self.world.wishes
        if not wishes:
            return
        wish = wishes[0]
        last = min(wish.upto, wish.after + step.amount % 7)
        log = self.log[wish.conversation]
        frames = [
            self.frame("m", wish.conversation, seq, length=log[seq - 1])
            for seq in range(wish.after + 1, last + 1)
        ]
        page = self.world.read(*frames, last=last, wish=0)
        del wishes[0]
        self.world.fanout.take_page(self.people[wish.number - 1], page)

    def fence(self, step: Step) -> None:
        channel = self.people[step.who]
        self.world.fence(channel, self.frame("f", step.room, len(self.log[step.room])))

    def cut(self, step: Step) -> None:
        self.world.sockets[step.who + 1].broken = True

    def look(self) -> None:
        """Note who fell, and that the books are in order."""
        for channel in self.people:
            if channel.phase is Phase.TALKING:
                assert channel.out_bytes == sum(map(len, channel.out or ()))
            assert sum(cursor.asked for cursor in (channel.behind or {}).values()) <= 1
            for room, cursor in (channel.behind or {}).items():
                if cursor.fell:
                    self.fell.add((channel.number, room))
        while self.world.levelled:
            self.fell.remove(self.world.levelled.pop())
        feeds = self.world.fanout._feeds.values()
        assert self.world.fanout._ring_bytes == sum(feed.ring_bytes for feed in feeds)
        assert all(feed.behind or feed.ring is None for feed in feeds)

    def settle(self) -> None:
        """Everyone reads, and every page comes; who has nothing waiting is not heard of."""
        for channel in self.people:
            self.world.drain(channel)
        for _ in range(2000):
            for channel in self.people:
                if channel.out is not None:
                    self.world.drain(channel)
            if not self.world.wishes:
                return
            self.page(Step("page", 0, "", 5))
            self.look()
        pytest.fail("some are behind for ever")

    def judge(self, channel: Channel) -> None:
        """What one connection heard: each message behind its `after`, once, and in its place."""
        last: dict[str, int] = {}
        seen: list[int] = []
        for line in self.world.heard(channel).splitlines():
            kind, room, number, mark, _ = line.decode().split(",")
            seq = int(number)
            if kind == "j":
                last[room] = seq
            elif kind == "l":
                last.pop(room, None)
            elif kind == "m":
                assert seq == last[room] + 1
                last[room] = seq
            elif kind == "n":
                assert seq == last[room]  # exactly between the messages that it was said between
                seen.append(int(mark))
            else:
                assert last.get(room, seq) >= seq
        assert seen == sorted(set(seen))
        if channel.phase is Phase.TALKING:
            assert last == {room: len(self.log[room]) for room in last}
            assert set(channel.feeds) == last.keys()
            assert channel.fences is None


KINDS = ["say"] * 8 + ["drain"] * 4 + ["page"] * 3 + ["join"] * 2
STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from([*KINDS, "notice", "leave", "fence"]),
        st.integers(0, PEOPLE - 1),
        st.sampled_from(ROOMS),
        st.integers(0, 200),
    ),
    min_size=20,
    max_size=150,
)
CUTS = st.none() | st.tuples(st.integers(0, 150), st.integers(0, PEOPLE - 1))
SMALL: dict[str, Any] = {"HIGH_WATER": 900, "LOW_WATER": 300, "RING_BUDGET": 1500}


@settings(max_examples=150, deadline=None)
@given(STEPS, CUTS)
def test_everyone_gets_every_message_once_and_in_order(
    new_world: Callable[[], World], steps: list[Step], cut: tuple[int, int] | None
) -> None:
    if cut is not None:
        steps.insert(cut[0], Step("cut", cut[1], "", 0))
    with patch.multiple(fanout, **SMALL), patch.object(feed, "RING_BYTES", 1000):
        model = Model(new_world())
        for who in range(PEOPLE):
            model.join(Step("join", who, "a", 0))
        for step in steps:
            getattr(model, step.kind)(step)
            model.look()
        model.settle()
        model.look()
        for channel in model.people:
            model.judge(channel)
        assert {number for number, _ in model.fell} <= set(model.world.broken)
        assert model.world.fanout._ring_bytes == 0
        for channel in model.people:
            model.world.fanout.drop(channel)
        assert (model.world.fanout._feeds, model.world.fanout._addresses) == ({}, {})
