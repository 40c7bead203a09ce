"""The full screen over links that are slow, stall and break, in real terminals of every size."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator

import pytest

from securechat.torture.proxy import CALM, Action, Direction, Fault, FaultProxy, Line

from .test_scene import Home, Terminals, home  # noqa: F401 - a fixture

pytestmark = pytest.mark.slow

#: What the connections of a client meet, one after the other; then nothing.
ROUGH = (
    Fault(Direction.DOWN, 9_000, Action.RST, dribble=True),
    Fault(Direction.UP, 1_500, Action.FIN, dribble=True),
    Fault(Direction.DOWN, 4_000, Action.STALL, pause=1.0),
)
#: The last line of a screen of its own: the composer, above it the status bar.
STATUS = re.compile(r"^ #lobby [12] │ (alice │ )?(connected|offline|reconnecting)")


@pytest.fixture
def terminals(home: Home) -> Iterator[Terminals]:  # noqa: F811
    """Terminals of 80 x 24, where tmux is installed."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    terminals = Terminals(home, size=(80, 24))
    yield terminals
    terminals.close()


def faults(*planned: Fault) -> Iterator[Fault]:
    yield from planned
    while True:
        yield CALM


def test_nothing_is_lost_or_doubled_on_a_rough_link_while_the_window_changes(
    home: Home,  # noqa: F811
    terminals: Terminals,
) -> None:
    home.run("gen-certs")
    home.serve()
    plan = faults(*ROUGH)
    lines: list[Line] = []

    def next_fault(line: Line) -> Fault:
        lines.append(line)
        return next(plan)

    proxy = FaultProxy("127.0.0.1", home.port)
    port = proxy.listen(next_fault)
    with proxy:
        terminals.open("alice", port)
        terminals.wait_for("alice", "you are in #lobby")
        sizes = [(200, 60), (40, 12), (80, 24)]
        for number in range(12):
            terminals.type("alice", f"line {number} of alice", "Enter")
            if number % 4 == 2:
                terminals.resize("alice", *sizes[number // 4])
                said = "".join(f"bob {number}.{part} {'x' * 200}\n" for part in range(20))
                assert home.connect("bob", said)[0] == 0
        terminals.wait_for("alice", "✓<alice> line 11 of alice")
        screen = terminals.wait_for("alice", "│ connected │")
        *_, status, composer = screen.splitlines()
        assert STATUS.match(status), screen
        assert composer.strip() == ""
        assert len(lines) >= 3
    server = f"localhost:{home.port}"
    code, out, _ = home.run("export", "lobby", "--nick", "carol", "--host", server)
    assert code == 0
    told = [json.loads(line) for line in out.splitlines()]
    assert [one["text"] for one in told if one["sender"] == "alice"] == [
        f"line {number} of alice" for number in range(12)
    ]


def test_every_size_has_its_parts(home: Home, terminals: Terminals) -> None:  # noqa: F811
    home.run("gen-certs")
    home.serve()
    terminals.open("alice")
    terminals.wait_for("alice", "you are in #lobby")
    typed = ""
    for columns, rows in ((200, 60), (40, 12), (80, 24)):
        terminals.resize("alice", columns, rows)
        terminals.type("alice", "on ")
        typed = f"{typed} on".strip()
        screen = terminals.wait_for("alice", lambda shown: is_whole(shown, rows, typed))  # noqa: B023
        assert max(map(len, screen.splitlines())) <= columns
        assert ("▸1 #lobby" in screen) is (columns >= 50)


def is_whole(screen: str, rows: int, typed: str) -> bool:
    """Whether all of it is there: the status bar, and what is typed in the last row."""
    lines = screen.splitlines()
    return len(lines) == rows and lines[-1].strip() == typed and bool(STATUS.match(lines[-2]))
