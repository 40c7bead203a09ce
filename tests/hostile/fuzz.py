"""Fuzzing with atheris, in a process of its own: bytes go in, and what must hold is held.

    python -m tests.hostile.fuzz TARGET RUNS SECONDS SEED [planted]

TARGET is `framing`, `codec`, `connection`, `hub`, or `all` of them in turn. libFuzzer ends with
code 0 when RUNS or SECONDS are over, and prints the input when something fails, takes longer than
100 ms twice, or memory grows beyond 512 MB. With `planted` a fault waits behind a few bytes that
nobody would send by chance: it must be found.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeAlias

import atheris

with atheris.instrument_imports(include=["securechat.protocol", "securechat.chat"]):
    from securechat.chat import hub as _hub  # noqa: F401 - what the stage stands on
    from securechat.protocol import codec, connection, envelopes, framing

from securechat.errors import RemoteProtocolError
from securechat.link_events import Arrived, Levelled, Lost
from tests.chat.stage import Stage

from .attack import frame, hello

HANG: Final = 0.1
Target: TypeAlias = Callable[[bytes], None]
SESSION: Final = (
    hello("bob")
    + frame(type="command", id="j", name="join", room="#lobby", last=10)
    + frame(type="chat", id="m-1", to="#lobby", text="hi \u00fc\U0001f600", reply_to=1)
    + frame(type="command", id="n", name="nick", nick="carol")
    + frame(type="command", id="q", name="quit", reason="bye")
)


# ------------------------------------------------------------------ targets


def cut(data: bytes) -> list[bytes]:
    """`data` in pieces that its own bytes decide."""
    pieces, at = [], 0
    while at < len(data):
        step = 1 + data[at] % 61
        pieces.append(data[at : at + step])
        at += step
    return pieces


def framing_target(data: bytes) -> None:
    """However the stream is cut, the frames are the same, and an end is the same end."""

    def read(pieces: list[bytes]) -> tuple[list[bytes], str]:
        decoder, found = framing.FrameDecoder(512), list[bytes]()
        try:
            for piece in pieces:
                decoder.receive(piece)
                while payloads := decoder.take(3):
                    found += payloads
        except RemoteProtocolError as error:
            return found, error.code
        return found, ""

    whole, cut_up = read([data]), read(cut(data))
    assert whole == cut_up, (whole, cut_up)
    for payload in whole[0]:
        assert framing.only_payload(framing.encode_frame(payload), 512) == payload


def codec_target(data: bytes) -> None:
    """A payload is an envelope, which says the same when it is said again, or a short refusal."""
    for decode in (codec.decode_client, codec.decode_server):
        said: Any = decode(data)
        if isinstance(said, codec.Refusal):
            error = envelopes.Error(code=said.code, message=said.message, re=said.re)
            assert len(codec.encode(error)) < 512
        elif not isinstance(said, envelopes.UnknownEvent):
            assert decode(codec.encode(said)) == said, said


def connection_target(data: bytes) -> None:
    """Whatever comes, in whatever pieces, a connection lives or has ended with one last word."""
    server = connection.Connection(connection.Role.SERVER)
    over = False
    for piece in cut(data):
        server.receive_data(piece)
        while events := server.next_events(7):
            for event in events:
                assert not over, "something came behind the end"
                over = isinstance(event, codec.Refusal) and event.fatal
            if server.state is connection.State.ANSWERING:
                server.note_sent(connection.Signal.WELCOME)
        assert server.closed or server.pending <= len(data)
        assert over == server.closed or server.state is not connection.State.CLOSED


_WORDS: Final = ("#a", "#b", "@ann", "@bob", "ann", "bob", "\u0430nn", "server", "x", "q1", "", "d")


def hub_target(data: bytes) -> None:
    """Any commands of three people, in any batches: the stage holds every effect to its rules."""
    source = atheris.FuzzedDataProvider(data)
    stage = Stage(connections_per_identity=2, presence=source.ConsumeIntInRange(1, 3))
    people = [stage.connection() for _ in range(3)]
    names = sorted(envelopes.COMMANDS)
    batch: list[Any] = []
    while source.remaining_bytes():
        person = people[source.ConsumeIntInRange(0, 2)]
        kind = source.ConsumeIntInRange(0, len(names) + 5)
        word = _WORDS[source.ConsumeIntInRange(0, len(_WORDS) - 1)]
        text = word or source.ConsumeUnicode(12)
        if kind < len(names):
            keys: dict[str, Any] = {"type": "command", "id": "q", "name": names[kind]}
            for key in envelopes.COMMANDS[names[kind]].model_fields:
                if key not in ("type", "id", "name") and source.ConsumeBool():
                    keys[key] = text if source.ConsumeBool() else source.ConsumeIntInRange(0, 3)
        elif kind < len(names) + 3:
            keys = {"type": "chat", "id": text or "d", "to": word, "text": text + "!"}
        else:
            event = (Lost("reset"), Levelled("#a"), Arrived("192.0.2.1"))[kind - len(names) - 3]
            if isinstance(event, Lost):
                people[people.index(person)] = stage.connection()
                batch.append((person.number, event))
            keys = {}
        if keys:
            said = connection.Connection(connection.Role.SERVER)._decode(json.dumps(keys).encode())
            batch.append((person.number, said))
        if source.ConsumeBool():
            stage.batch(*batch)
            batch.clear()
            people = [it if it.open else stage.connection() for it in people]
        if source.ConsumeIntInRange(0, 9) == 0:
            stage.wait(40.0)
    stage.batch(*batch)
    stage.wait(40.0)
    assert len(stage.hub.sessions) <= len(stage.people)


TARGETS: Final[dict[str, Target]] = {
    "framing": framing_target,
    "codec": codec_target,
    "connection": connection_target,
    "hub": hub_target,
}


def all_targets(data: bytes) -> None:
    """One of them, by the first byte."""
    if data:
        list(TARGETS.values())[data[0] % len(TARGETS)](data[1:])


# ------------------------------------------------------------------ around them


@atheris.instrument_func  # type: ignore[untyped-decorator]
def planted(data: bytes) -> None:
    """The negative control: a fault that only who looks for new branches comes upon."""
    if len(data) > 8 and data[0] == 0x5E and data[3] == 0xC5 and data[5] == ord("!"):
        raise IndexError("the planted fault")


def watched(target: Target) -> Target:
    """Hold `target` to the time that a frame may take; who is slow once may have been waiting."""

    def run(data: bytes) -> None:
        began = time.process_time()
        target(data)
        if time.process_time() - began > HANG:
            began = time.process_time()
            target(data)
            took = time.process_time() - began
            assert took <= HANG, f"it hangs: {took:.3f} s"

    return run


def main(name: str, runs: str, seconds: str, seed: str, fault: str = "") -> None:
    """Fuzz."""
    target = TARGETS.get(name, all_targets)
    if fault:
        target = planted
    # A process begins with the peak of the one that made it, and libFuzzer looks at the peak.
    inherited = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    with tempfile.TemporaryDirectory() as folder:
        for index, data in enumerate((SESSION, SESSION[4:80], b"\0\1\2\3" * 20)):
            for first in range(len(TARGETS)):
                prefix = bytes([first]) if name == "all" else b""
                (Path(folder) / f"{index}-{first}").write_bytes(prefix + data)
        atheris.Setup(
            [
                *(sys.argv[0], f"-runs={runs}", f"-max_total_time={seconds}", f"-seed={seed}"),
                *("-max_len=2048", "-timeout=5", "-print_final_stats=1"),
                f"-rss_limit_mb={inherited + 512}",
                *(f"-artifact_prefix={folder}/", folder),
            ],
            watched(target),
        )
        atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
