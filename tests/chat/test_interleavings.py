"""Any luck: whatever is done in whatever order, the hub's tables and everyone's view agree.

People come, go, come back, are cut off, talk, repeat themselves and change nicks, in batches of any
cut; the disk fills up, the server stops or crashes. After every batch all that the hub believes is
held against itself, against the store and against what each person was told. The stage adds what it
checks with every effect: messages without gap or repeat, nothing said behind a last word.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from securechat.link_events import Levelled, Lost
from securechat.protocol.envelopes import (
    ChangeNick,
    Draft,
    Error,
    Join,
    Joined,
    Leave,
    Left,
    Posted,
    Quit,
    Renamed,
    Topic,
)

from .stage import Person, Said, Stage

ROOMS = ("#a", "#b")
NICKS = ("ann", "Ann", "b0b", "guy", "hal", "ivy")
ADDRESSES = (*ROOMS, "@ann", "@bob", "@eve", "@guy")
WAITS = (1.0, 6.0, 31.0, 70.0, 400.0, 1000.0)

#: What is done, and small numbers that say by whom and with what.
Step: TypeAlias = tuple[str, int, int, int]
_SMALL = st.integers(0, 5)
_DEEDS = (
    *("hello", "hello", "join", "join", "join", "join", "leave", "say", "say", "say", "say"),
    *("again", "again", "nick", "nick", "topic", "level", "cut", "cut", "quit"),
)
_STEP = st.tuples(st.sampled_from(_DEEDS), _SMALL, _SMALL, _SMALL)
_EVENT = st.tuples(
    st.sampled_from(("wait", "wait", "wait", "wait", "full", "full", "restart")), _SMALL
)
_BATCH = st.lists(_STEP, min_size=1, max_size=6)
RUNS = st.lists(st.one_of(_BATCH, _BATCH, _EVENT), min_size=8, max_size=24)


class Run:
    """One stage, what its people believe, and the checks."""

    def __init__(self, presence: int) -> None:
        self.stage = Stage(connections_per_identity=3, guest_days=0.01, presence=presence)
        self.names = presence > 1  # else rooms are told numbers, from which nobody knows names
        self.sessions: list[str] = []
        self.drafts: list[tuple[str, str, str]] = []  # id, to, text
        #: Connection -> room -> the nicks of those who are there; None: it has joined just now.
        self.views: dict[int, dict[str, set[str] | None]] = {}
        #: Connection -> the draft that has to come first.
        self.refused: dict[int, str] = {}
        for nick, rooms in (("ann", ROOMS), ("bob", ROOMS), ("eve", ROOMS[:1]), ("fay", ())):
            self.sessions.append(self.stage.enter(nick, *rooms).session or "")
        for person in self.stage.people.values():
            person.hears()
            self.views[person.number] = dict.fromkeys(self.stage.hub.sessions[person.number].rooms)
        self.check_views()

    def do(self, step: list[Step] | tuple[str, int]) -> None:
        """One batch, or something that happens to all; then all that must be true."""
        said: list[Said] = []
        if isinstance(step, list):
            for one in step:
                self.say(said, *one)
            self.stage.batch(*said)
        elif step[0] == "wait":
            self.stage.wait(WAITS[step[1]])
        elif step[0] == "full":
            self.stage.book.full = not self.stage.book.full
        elif not self.stage.book.owed:
            self.stage.book.full = False
            self.stage.restart(crash=step[1] % 2 == 0, down=WAITS[step[1]])
        for person in self.stage.people.values():
            self.listen(person, [event for number, event in said if number == person.number])
        check_hub(self.stage)
        check_book(self.stage)
        self.check_views()

    # -------------------------------------------------------------- what is said

    def say(self, said: list[Said], deed: str, who: int, what: int, more: int) -> None:
        """Add a step to a batch, as an envelope of one connection, where it makes sense."""
        if deed == "hello":
            said.append(self.hello(who, what, more))
            return
        here = [person for person in self.stage.people.values() if person.open and person.greeted]
        if not here:
            return
        person, room = here[who % len(here)], ROOMS[what % 2]
        match deed:
            case "join":
                keys: dict[str, Any] = {"after": more} if more < 3 else {}
                address = room if who % 3 else ADDRESSES[what]
                said.append(person.wants(Join, room=address, **keys))
            case "leave":
                said.append(person.wants(Leave, room=room))
            case "nick":
                said.append(person.wants(ChangeNick, nick=NICKS[what]))
            case "topic":
                said.append(person.wants(Topic, room=room, text="x" * (more % 3)))
            case "level":
                said.extend((person.number, Levelled(name)) for name in person.cursors)
            case "cut":
                said.append((person.number, Lost("reset")))
            case "quit":
                said.append(person.wants(Quit))
            case "say":
                address = room if more < 3 else ADDRESSES[what]
                said.append(person.draft(address, f"text {more}"))
                draft = said[-1][1]
                assert isinstance(draft, Draft)
                self.drafts.append((draft.id, draft.to, draft.text))
            case "again" if self.drafts:
                id, to, text = self.drafts[-1 - more % len(self.drafts)]
                if not any(isinstance(it, Draft) and it.id == id for _, it in said):
                    said.append(person.draft(to, text if what else "other", id))

    def hello(self, who: int, what: int, more: int) -> Said:
        """Somebody comes back, mostly under the nick they have, or somebody new comes."""
        session = self.sessions[who % len(self.sessions)]
        identity = self.stage.hub.identities.by_token(session)
        person = self.stage.connection()
        if identity is not None and more:
            return person.hello(identity.nick.text if more > 1 else NICKS[what], session)
        return person.hello(NICKS[what], session if more > 3 else None)

    # -------------------------------------------------------------- what is heard

    def listen(self, person: Person, said: list[Any]) -> None:
        heard = person.hears()
        if not person.open:
            self.views.pop(person.number, None)
            return
        if person.session is not None and person.session not in self.sessions:
            self.sessions.append(person.session)
        view = self.views.setdefault(person.number, {})
        for event in heard:
            if self.names or getattr(event, "re", None):
                _believe(view, event)
        for draft in said:
            if isinstance(draft, Draft):
                self.check_answer(person.number, draft, heard)

    def check_answer(self, number: int, draft: Draft, heard: list[Any]) -> None:
        """Every draft is answered once, and none overtakes the first refused one."""
        [answer] = [
            it
            for it in heard
            if (isinstance(it, Posted) and it.id == draft.id)
            or (isinstance(it, Error) and it.re == draft.id)
        ]
        refused = self.refused.get(number)
        waits = refused is not None and refused != draft.id
        no_room = isinstance(answer, Error) and answer.code == "storage"
        assert no_room is (self.stage.book.full or waits), (answer, refused)
        if no_room:
            self.refused.setdefault(number, draft.id)
        else:
            self.refused.pop(number, None)

    def check_views(self) -> None:
        """Who was told of all comings and goings knows who is there."""
        rooms = self.stage.hub.rooms
        for view in self.views.values():
            for name, nicks in view.items():
                actual = {identity.nick.text for identity in rooms[name].members}
                if nicks is not None and self.names:
                    assert nicks == actual, name
                view[name] = set(actual)


def _believe(view: dict[str, set[str] | None], event: Any) -> None:
    """What somebody knows who listens."""
    if isinstance(event, Joined | Left) and event.re is not None:
        if event.room[0] == "#" and isinstance(event, Joined):
            view[event.room] = None
        elif event.room[0] == "#":
            del view[event.room]
    elif isinstance(event, Joined | Left):
        nicks = view[event.room]
        if nicks is not None:
            assert (event.nick in nicks) is isinstance(event, Left), "news that is none"
            nicks ^= {event.nick}
    elif isinstance(event, Renamed):
        for nicks in view.values():
            if nicks is not None and event.old in nicks:
                nicks.remove(event.old)
                nicks.add(event.nick)


# ------------------------------------------------------------------ what must be true


def check_hub(stage: Stage) -> None:
    """Sessions, identities and rooms tell the same story."""
    hub = stage.hub
    open_numbers = {person.number for person in stage.people.values() if person.open}
    assert set(hub.sessions) == open_numbers
    subscribed: dict[tuple[str, int], list[int]] = {}
    for number, session in hub.sessions.items():
        person = stage.people[number]
        assert session.greeted is person.greeted
        if session.greeted:
            assert session.identity.connections.count(number) == 1
            assert set(person.cursors) == {*session.rooms, *session.direct}
            for name in session.rooms:
                subscribed.setdefault((name, session.identity.number), []).append(number)
    for identity in hub.identities:
        assert hub.identities.by_number(identity.number) is identity
        assert hub.identities.by_nick(identity.nick.text) is identity
        assert len(identity.connections) <= stage.limits.connections_per_identity
        assert all(hub.sessions[number].identity is identity for number in identity.connections)
        assert len(set(identity.rooms or ())) == len(identity.rooms or ())
        for name in identity.rooms or ():
            assert identity in hub.rooms[name].members
    held = set()
    for name, room in hub.rooms.items():
        assert room.name == name
        for identity, numbers in room.members.items():
            assert hub.identities.by_number(identity.number) is identity
            assert name in (identity.rooms or ())
            assert sorted(numbers) == sorted(subscribed.pop((name, identity.number), []))
            if not numbers:
                held.add((identity, name))
    assert subscribed == {}
    assert set(hub.presence._held) == held
    for name in hub.rooms.keys() - hub.presence._emptied.keys():
        assert hub.rooms[name].members or hub.heads.get(name)


def check_book(stage: Stage) -> None:
    """What a new server would find is what this one believes."""
    hub, book = stage.hub, stage.book
    assert hub.heads == {name: len(messages) for name, messages in book.messages.items()}
    if book.owed:
        return
    assert book.identities == {identity.number: identity.record() for identity in hub.identities}
    assert set(book.presence) == {
        (identity.number, name) for name, room in hub.rooms.items() for identity in room.members
    }
    assert book.topics == {name: room.topic for name, room in hub.rooms.items() if room.topic}


@pytest.mark.parametrize("presence", [1, 500])
@given(steps=RUNS)
@settings(max_examples=150, deadline=None)
def test_whatever_happens_everyone_knows_the_truth(
    presence: int, steps: list[list[Step] | tuple[str, int]]
) -> None:
    run = Run(presence)
    for step in steps:
        run.do(step)
