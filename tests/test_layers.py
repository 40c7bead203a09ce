"""The map of the house: every import of the package points down, and the cores stay pure.

    7  cli  tui  gui  web       front ends; testing, for those who write scripts and bots
    6  sdk                      the public API, on the client
    5  client  server           composition, on certs; they never know each other
    4  net  store               sockets / databases; never each other, never chat
    3  chat                     pure
    2  protocol  settings       pure / what a user has chosen, in a file
    1  errors  config  …        leaves, that import nothing of ours

The root package is the door to the public API: it may name what it loads when it is asked for.
All imports count: those inside functions and those for types alone too, for they are knowledge.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "securechat"
#: Below the root package, which is only the version and may be imported by all.
LAYERS = (
    {
        *("config", "errors", "findings", "link_events", "metrics", "penalties", "phrases"),
        *("proofs", "records", "target"),
    },
    {"protocol", "settings"},
    {"chat"},
    {"net", "store"},
    {"certs"},
    {"client", "server"},
    {"sdk"},
    {"cli", "tui", "gui", "web", "torture", "testing", "__main__"},
)
RANKS = {part: rank for rank, parts in enumerate(LAYERS) for part in parts}
#: Down the map, and yet not allowed.
NEVER = {
    ("net", "chat"): "sockets carry bytes and know nobody's rooms",
    ("store", "chat"): "databases never chat: what both know is a value in records.py",
    ("certs", "chat"): "a certificate has no rooms",
    ("certs", "net"): "certificates are made without a network",
    ("certs", "store"): "certificates are files",
    ("sdk", "server"): "scripts and bots are clients",
    ("sdk", "certs"): "a client makes no certificates",
    ("sdk", "net"): "the client does the network",
    ("sdk", "store"): "the server keeps the messages",
}
#: On one layer, or up, and yet allowed: the command line starts the other front ends, and the root
#: package leads to the public API.
SIDEWAYS = {
    *(("cli", front) for front in ("tui", "gui", "web", "torture")),
    ("__main__", "cli"),
    *(("", part) for part in ("sdk", "client", "errors")),
}

#: Whole packages, and modules, that are values and functions, with all that they import of ours.
PURE = (
    *("protocol", "chat", "client/session.py", "client/timeline.py", "sdk/arguments.py"),
    *(
        f"client/{name}.py"
        for name in ("answers", "desks", "log", "recall", "rooms", "typed", "unseen")
    ),
    *(f"gui/{name}.py" for name in ("keys", "links", "look", "page", "pieces", "sides")),
    *(f"tui/{name}.py" for name in ("drawing", "pastes", "sides", "viewport")),
)
NOT_PURE = {
    *("socket", "ssl", "select", "selectors", "asyncio", "subprocess", "multiprocessing"),
    *("threading", "queue", "concurrent", "signal", "sqlite3", "apsw"),
}
#: Functions that read a clock or wait: time is handed in.
CLOCKS = {
    "time": {"sleep", "time", "time_ns", "monotonic", "monotonic_ns", "perf_counter"},
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
}
HEAVY = {"pydantic", "cryptography", "textual", "sqlite3", "apsw", "tkinter"}

FILES = sorted(PACKAGE.rglob("*.py"))


def module_of(path: Path) -> str:
    """`securechat.net.loop` for securechat/net/loop.py."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in FILES}


def imports_in(source: str, module: str, is_package: bool = False) -> Iterator[str]:
    """The full name of everything that `source`, the text of `module`, imports anywhere in it."""
    package = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            yield from (f"{base}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Call) and node.args:
            called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func
            called = called.id if isinstance(called, ast.Name) else called
            name = node.args[0]
            if called in ("import_module", "__import__") and isinstance(name, ast.Constant):
                yield str(name.value)


def imports_of(path: Path) -> set[str]:
    return set(imports_in(path.read_text("utf-8"), module_of(path), path.name == "__init__.py"))


def part_of(module: str) -> str:
    """The part of the house that `module` stands in: `net` for securechat.net.loop."""
    return [*module.split("."), ""][1]


def faults_of(module: str, imports: Iterable[str]) -> list[str]:
    """What is wrong with the imports of one of our modules."""
    here, faults = part_of(module), []
    for name in sorted(imports):
        if name.split(".")[0] != "securechat":
            continue
        there = part_of(name)
        if there == here or there in ("", "__version__") or (here, there) in SIDEWAYS:
            continue
        if there not in RANKS:
            faults.append(f"{module} imports {name}, which is not on the map of this file")
        elif here == "" or RANKS[there] >= RANKS[here]:
            faults.append(f"{module} imports {name}: imports may only point down")
        elif (here, there) in NEVER:
            faults.append(f"{module} imports {name}: {NEVER[here, there]}")
    return faults


# ------------------------------------------------------------------ the map


def test_every_part_of_the_package_is_on_the_map() -> None:
    assert FILES
    parts = {part_of(module) for module in MODULES} - {""}
    assert parts <= RANKS.keys(), "put the new part into LAYERS and into ARCHITECTURE.md"
    page = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    _, _, page = page.partition("## The map")
    drawn = set(re.findall(r"\w+", page.partition("## Threads")[0]))
    assert parts - {"__main__"} <= drawn, "the page has another map"


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module: str) -> None:
    assert faults_of(module, imports_of(MODULES[module])) == []


@pytest.mark.parametrize(
    ("module", "source", "fault"),
    [
        ("securechat.chat.hub", "from ..net import loop", "only point down"),
        ("securechat.chat.hub", "def f():\n    from ..store.base import Store", "only point down"),
        ("securechat.errors", "from .config import X", "only point down"),
        ("securechat.errors", "from . import config", "only point down"),
        ("securechat.net.tls", "import securechat.store.base", "only point down"),
        (
            "securechat.net.tls",
            "if TYPE_CHECKING:\n    from ..chat.hub import Hub",
            "nobody's rooms",
        ),
        ("securechat.store.base", "from securechat.chat import effects", "never chat"),
        ("securechat.client.client", "from ..server.app import App", "only point down"),
        ("securechat.server.app", "from ..client.client import Client", "only point down"),
        ("securechat.server.app", 'import_module("securechat.cli")', "only point down"),
        ("securechat.server.app", 'importlib.import_module("securechat.cli")', "only point down"),
        ("securechat.server.app", '__import__("securechat.cli")', "only point down"),
        ("securechat.cli.main", "from ..attic import x", "not on the map"),
        ("securechat.sdk.bot", "from ..server.app import Server", "are clients"),
        ("securechat.sdk.bot", "from ..testing import Harness", "only point down"),
        ("securechat.client.client", "from ..sdk.chat import Chat", "only point down"),
        ("securechat.client.client", "from .. import connect", "not on the map"),
        ("securechat", "import securechat.server.app", "only point down"),
    ],
)
def test_a_wrong_import_would_be_found(module: str, source: str, fault: str) -> None:
    [found] = faults_of(module, imports_in(source, module))
    assert fault in found


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("securechat.net.loop", "from . import channel\nfrom .ops import Op\nimport ssl"),
        ("securechat.net.loop", "from ..protocol import codec\nfrom .. import __version__"),
        ("securechat.server.app", "from ..certs import ensure\nfrom ..chat.hub import Hub"),
        ("securechat.cli.main", "from ..tui import app\nprint(5)\nlambda: g()()"),
        ("securechat.testing.server", "from ..server.app import Server\nfrom ..sdk import bot"),
    ],
)
def test_a_right_import_is_let_be(module: str, source: str) -> None:
    assert faults_of(module, imports_in(source, module)) == []


def test_a_package_counts_its_dots_from_itself() -> None:
    assert list(imports_in("from . import x", "securechat.net", is_package=True)) == [
        "securechat.net.x"
    ]
    assert list(imports_in("from .. import x", "securechat.net", is_package=True)) == [
        "securechat.x"
    ]


# ------------------------------------------------------------------ the pure cores


def core() -> set[str]:
    """The pure modules, and all of ours that they need."""
    found = {
        module
        for module, path in MODULES.items()
        for pure in PURE
        if path.relative_to(PACKAGE).is_relative_to(pure)
    }
    todo = list(found)
    while todo:
        for name in imports_of(MODULES[todo.pop()]):
            module = name if name in MODULES else name.rpartition(".")[0]
            if module in MODULES and module not in found:
                found.add(module)
                todo.append(module)
    return found


def clocks_in(source: str) -> list[str]:
    """Where `source` reads a clock or waits for one."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            found += [name.name for name in node.names if name.name in CLOCKS["time"]]
        elif isinstance(node, ast.Attribute):
            owner = node.value.attr if isinstance(node.value, ast.Attribute) else node.value
            owner = owner.id if isinstance(owner, ast.Name) else owner
            if isinstance(owner, str) and node.attr in CLOCKS.get(owner, ()):
                found.append(f"{owner}.{node.attr}")
    return found


CORE = sorted(core())


def test_the_pure_cores_are_where_they_were() -> None:
    for pure in PURE:
        assert (PACKAGE / pure).exists(), pure
    assert {"securechat.protocol.codec", "securechat.errors"} <= set(CORE)


@pytest.mark.parametrize("module", CORE)
def test_a_pure_module_knows_no_socket_no_thread_and_no_database(module: str) -> None:
    assert {name.split(".")[0] for name in imports_of(MODULES[module])} & NOT_PURE == set()


@pytest.mark.parametrize("module", CORE)
def test_a_pure_module_reads_no_clock(module: str) -> None:
    assert clocks_in(MODULES[module].read_text("utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.sleep(1)",
        "from time import sleep",
        "from time import gmtime, monotonic",
        "import time\nclock = time.monotonic",
        "from datetime import datetime\ndatetime.now()",
        "import datetime\ndatetime.datetime.now()",
        "from datetime import date\ndate.today()",
    ],
)
def test_a_clock_would_be_found(source: str) -> None:
    assert len(clocks_in(source)) == 1


def test_time_that_is_handed_in_is_no_clock() -> None:
    source = (
        "from time import gmtime\nself.now()\nf().now\nhub.time(now)\ndatetime.fromisoformat(x)"
    )
    assert clocks_in(source) == []


# ------------------------------------------------------------------ what nobody imports


def test_nobody_imports_click() -> None:
    """Typer carries its own: `import click` fails where nothing else happens to bring it."""
    for folder in ("securechat", "scripts", "tests", "benchmarks"):
        for path in (ROOT / folder).rglob("*.py"):
            if "click" in path.read_text("utf-8"):  # few say so, and all others need no parsing
                assert "click" not in {name.split(".")[0] for name in imports_of(path)}, path


def test_the_package_itself_loads_nothing_heavy() -> None:
    code = f"import sys, securechat; print(sorted({HEAVY!r} & sys.modules.keys()))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30
    )
    assert done.stdout == "[]\n", done.stderr


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from securechat.cli import main\n"
        "sys.argv = ['securechat', '--help']\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as end:\n"
        "    assert not end.code, end.code\n"
        f"print(sorted({HEAVY!r} & sys.modules.keys()))\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 0, done.stderr
    *shown, heavy = done.stdout.splitlines()
    assert heavy == "[]", f"import these when they are needed: {heavy}"
    assert any("Usage" in line for line in shown)
