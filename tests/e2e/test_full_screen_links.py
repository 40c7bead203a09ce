"""The full screen over links that are slow, stall and break, in real terminals of every size."""

from __future__ import annotations

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
STATUS = re.compile(r"^ #lobby [12] │ .*alice │ (connected|offline|reconnecting)")


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
    code, out, _ = home.connect("carol", "/history 100\n")
    assert code == 0
    for number in range(12):
        assert out.count(f"<alice> line {number} of alice") == 1
    told = [int(found) for found in re.findall(r"<alice> line (\d+) of", out)]
    assert told == list(range(12))


@pytest.mark.parametrize(("columns", "rows"), [(200, 60), (80, 24), (40, 12)])
def test_every_size_has_its_parts(
    home: Home,  # noqa: F811
    terminals: Terminals,
    columns: int,
    rows: int,
) -> None:
    home.run("gen-certs")
    home.serve()
    terminals.open("alice")
    terminals.wait_for("alice", "you are in #lobby")
    terminals.resize("alice", columns, rows)
    terminals.type("alice", "typed on")
    screen = terminals.wait_for(
        "alice", lambda shown: shown.splitlines()[-1].strip() == "typed on" if shown else False
    )
    shown = screen.splitlines()
    assert len(shown) == rows
    assert STATUS.match(shown[-2]), screen
    assert max(map(len, shown)) <= columns
    assert ("▸1 #lobby" in screen) is (columns >= 50)
