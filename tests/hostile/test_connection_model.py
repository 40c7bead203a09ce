"""A whole connection against a model of ten lines: any peer, any pieces, any answers of the hub.

The model knows what docs/protocol.md says and nothing of the code: who has said hello, whether it
was answered, how many bad envelopes came in a row, and what has been sent and not yet looked at.
"""

from __future__ import annotations

import json
from collections import deque
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from securechat.protocol import connection as module
from securechat.protocol.codec import Refusal
from securechat.protocol.connection import Connection, Role, Signal, State
from tests.gauntlet import scale

from .attack import frame

pytestmark = scale.MARKS

FULL_STEPS = 1_000_000
_STEPS = 50
_COUNT = round(FULL_STEPS / _STEPS * min(1.0, scale.SCALE / 10)) if scale.GAUNTLET else 40


def command(name: str, **keys: Any) -> bytes:
    return frame(type="command", id="x", name=name, **keys)


#: What a peer may say, and what it is to the model: a kind.
SPEECHES = {
    "hello": command("hello", protocol=1, nick="bob"),
    "say": frame(type="chat", id="m", to="#a", text="hi"),
    "ask": command("time"),
    "bad hello": command("hello", protocol="1", nick="bob"),
    "bad envelope": frame(type="chat", id="m", to="#a", text="hi", seq=5),
    "unknown command": command("fly"),
    "bad json": b"\0\0\0\3{]}",
    "no object": b"\0\0\0\2[]",
    "empty": b"\0\0\0\0",
    "too large": b"\xff\xff\xff\xff",
}
FATAL = {"bad json": "bad_json", "no object": "bad_json"}
LARGE = ("empty", "too large")
#: What is said, and how often: who is cut off at once shows little.
_SAID = [*SPEECHES, *("hello", "say", "ask", "unknown command") * 3]


class Peer(RuleBasedStateMachine):
    """A server's end, and what must come out of it."""

    def __init__(self) -> None:
        super().__init__()
        self.real = Connection(Role.SERVER)
        self.state = "greeting"
        self.bad = 0
        #: Kinds whose frames have arrived whole, and not been looked at.
        self.waiting: deque[str] = deque()
        #: Bytes of frames that are not whole: (kind, the rest).
        self.partial: tuple[str, bytes] | None = None

    @initialize()
    def begin(self) -> None:
        """A fresh connection."""

    @rule(kind=st.sampled_from(_SAID), at=st.one_of(st.just(0), st.integers(0, 200)))
    def speak(self, kind: str, at: int) -> None:
        """The peer says something, all of it or a part."""
        if self.partial is not None:
            self.finish()
        data = SPEECHES[kind]
        if at and kind not in LARGE:
            at = min(at, len(data) - 1)
            self.partial = (kind, data[at:])
            self.feed(data[:at])
        else:
            self.waiting.append(kind)
            self.feed(data)

    @precondition(lambda self: self.partial is not None)
    @rule()
    def finish(self) -> None:
        """The rest comes."""
        assert self.partial is not None
        kind, rest = self.partial
        self.partial = None
        self.waiting.append(kind)
        self.feed(rest)

    @precondition(lambda self: self.state == "answering")
    @rule(signal=st.sampled_from((Signal.WELCOME, Signal.WELCOME, Signal.REFUSED, Signal.FATAL)))
    def answer(self, signal: Signal) -> None:
        """The hub answers hello."""
        self.real.note_sent(signal)
        self.state = {"welcome": "open", "refused": "greeting", "fatal": "closed"}[signal.value]
        self.look()

    @precondition(lambda self: self.state == "open" and not self.waiting)
    @rule(surely=st.sampled_from((False,) * 9 + (True,)))
    def say_bye(self, surely: bool) -> None:
        """The hub ends it, now and then."""
        if not surely:
            return
        self.real.note_sent(Signal.BYE)
        self.state = "closed"

    def feed(self, data: bytes) -> None:
        self.real.receive_data(data)
        self.look()

    def look(self) -> None:
        while events := self.real.next_events(3):
            for event in events:
                self.expect(event)
        if self.state in ("greeting", "open"):
            assert not self.waiting, "something was not looked at"

    def expect(self, event: Any) -> None:
        """Hold one event against what the model says must come."""
        assert self.state in ("greeting", "open"), "it looked at what it must not"
        kind = self.waiting.popleft()
        code, fatal = self.verdict(kind)
        if code is None:
            assert not isinstance(event, Refusal), (kind, event)
            self.bad = 0
            if kind == "hello":
                self.state = "answering"
            return
        assert isinstance(event, Refusal), (kind, event)
        self.bad = self.bad + 1 if code == "bad_envelope" else 0
        fatal = fatal or self.bad >= 20
        assert (event.code, event.fatal) == (code, fatal), (kind, self.state)
        if fatal:
            self.state = "closed"

    def verdict(self, kind: str) -> tuple[str | None, bool]:
        """The error that a kind gets here, and whether it is the end."""
        if kind in LARGE:
            return "frame_too_large", True
        if kind in FATAL:
            return FATAL[kind], True
        if kind == "bad hello":
            return "bad_envelope", False
        if self.state == "greeting":
            return (None, False) if kind == "hello" else ("hello_first", True)
        return {
            "hello": ("hello_twice", False),
            "bad envelope": ("bad_envelope", False),
            "unknown command": ("unknown_command", False),
        }.get(kind, (None, False))

    @invariant()
    def agrees(self) -> None:
        """Both are in the same state."""
        assert self.real.state.value == self.state


def play(count: int, *, shrink: bool = True) -> None:
    run_state_machine_as_test(
        Peer,
        settings=settings(
            max_examples=count,
            stateful_step_count=_STEPS,
            deadline=None,
            phases=list(Phase) if shrink else [Phase.generate],
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_a_connection_does_what_the_model_says(record_property: scale.RecordProperty) -> None:
    play(_COUNT)
    scale.tell(
        record_property, f"model of a connection: {_COUNT:,} peers of up to {_STEPS} steps each"
    )


@pytest.mark.parametrize(
    "fault",
    [
        {(State.GREETING, Signal.SPEECH): State.GREETING},  # who is nobody may speak
        {(State.OPEN, Signal.HELLO): State.ANSWERING},  # and be somebody else later
    ],
    ids=["speech before hello", "hello twice"],
)
def test_a_planted_fault_is_found(
    monkeypatch: pytest.MonkeyPatch, fault: dict[tuple[State, Signal], State]
) -> None:
    """The negative control."""
    table = {state: dict(moves) for state, moves in module.TRANSITIONS.items()}
    for (state, signal), after in fault.items():
        table[state][signal] = after
    monkeypatch.setattr(module, "TRANSITIONS", MappingProxyType(table))
    with pytest.raises(AssertionError):
        play(400, shrink=False)


def test_the_speeches_are_what_they_are_called() -> None:
    for kind, data in SPEECHES.items():
        if kind not in LARGE:
            assert int.from_bytes(data[:4], "big") == len(data) - 4
    assert json.loads(SPEECHES["say"][4:])["type"] == "chat"
