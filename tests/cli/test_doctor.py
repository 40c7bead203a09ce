"""`securechat doctor`: its lines, its JSON and its exit code, with a server and without one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from securechat.cli.surface import Surface, examine
from securechat.testing import ChatServer

ROOT = Path(__file__).parents[2]


def doctor(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "securechat", "doctor", *words],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "XDG_STATE_HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder),
            **environ,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=30,
    )


def test_nobody_there_is_1_and_what_lies_behind_is_not_reached(tmp_path: Path) -> None:
    done = doctor(tmp_path, "localhost:1")
    assert (done.returncode, done.stderr) == (1, "")
    lines = done.stdout.splitlines()
    where = "localhost:1: nothing listens there -> securechat serve --port 1"
    assert f"fail tcp          {where}" in lines
    assert lines[-7:] == [
        f"-    {topic:<12} not reached"
        for topic in ("tls", "certificate", "key", "protocol", "clock", "round trip", "limits")
    ]


def test_settings_that_cannot_be_read_are_a_finding_not_the_end(tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    config.write_text("[ui]\nbel = 1\n")
    done = doctor(tmp_path, "localhost:1", "--config", str(config), "--json")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert found[0] == {
        "event": "finding",
        "mark": "fail",
        "topic": "settings",
        "text": f'{config}:2: [ui] has no key "bel"; did you mean "bell"?',
        "cure": f"${{EDITOR:-vi}} {config}",
    }
    assert found[-1]["topic"] == "limits"


def test_the_c_locale_and_a_reader_that_leaves(tmp_path: Path) -> None:
    done = doctor(tmp_path, "localhost:1", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert done.returncode == 1
    assert "warn encoding" in done.stdout
    script = f"{sys.executable} -m securechat doctor localhost:1 | head -1"
    piped = subprocess.run(
        ["sh", "-c", script],
        env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert piped.stdout.startswith("ok   settings")
    assert piped.stderr == ""


@pytest.mark.slow
def test_a_server_that_is_well(tmp_path: Path) -> None:
    with ChatServer(tmp_path) as server:
        done = doctor(tmp_path, f"localhost:{server.port}", "--certs", str(server.certs))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "fail" not in [line.split()[0] for line in done.stdout.splitlines()]
    assert "ok   round trip" in done.stdout


@pytest.mark.slow
def test_a_server_that_lets_no_guest_in_is_well_all_the_same(tmp_path: Path) -> None:
    with ChatServer(tmp_path) as server, server.connect("bob"):
        who = ["--client-cert", str(_certificate(server.certs)), "--nick", "bob"]
        trust = ["--certs", str(server.certs)]
        done = doctor(tmp_path, f"localhost:{server.port}", *trust, *who)
    assert done.returncode == 0, done.stdout
    assert "warn protocol     no guest is let in: " in done.stdout
    assert done.stdout.endswith("-    limits       not reached\n")


def _certificate(folder: Path) -> Path:
    """A certificate of the server's own, shown as ours: it asks for none."""
    path = folder / "mine.pem"
    path.touch(0o600)
    path.write_bytes((folder / "cert.pem").read_bytes() + (folder / "key.pem").read_bytes())
    return path


@pytest.mark.slow
def test_the_machine_of_a_server(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[serve]\ndata = "db"\ncerts = "pair"\n')
    config = str(tmp_path / "config.toml")
    done = doctor(tmp_path, "--server", "--config", config)
    assert done.returncode == 1
    assert f"fail data         there is no folder {tmp_path}/db" in done.stdout
    (tmp_path / "db").mkdir()
    done = doctor(tmp_path, "--server", "--config", config)
    assert done.returncode == 0, done.stdout
    assert f"warn certificate  there is none in {tmp_path}/pair; `serve` makes it" in done.stdout
    assert f"ok   data         {tmp_path}/db\n" in done.stdout


@pytest.mark.slow
def test_the_most_connections_are_those_that_the_server_is_told(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[serve]\nlimit = "chat.connections=100"\n')
    done = doctor(tmp_path, "--server", "--config", str(config))
    assert "enough for the 100 connections that it may take" in done.stdout
    config.write_text('[serve]\nlimit = "chat.conections=100"\n')
    done = doctor(tmp_path, "--server", "--config", str(config))
    [line] = [line for line in done.stdout.splitlines() if line.startswith("fail limits")]
    assert "did you mean chat.connections?" in line
    assert line.endswith(f" -> ${{EDITOR:-vi}} {config}")


# ------------------------------------------------------------------ the terminal


def marks(surface: Surface) -> dict[str, str]:
    return {one.topic: one.mark.value for one in examine(surface)}


def test_a_good_terminal() -> None:
    surface = Surface((80, 24), "utf-8", {"TERM": "xterm-256color"}, has_screen=True)
    assert set(marks(surface).values()) == {"ok"}
    assert marks(surface).keys() == {"encoding", "terminal", "colours", "full screen"}


@pytest.mark.parametrize(
    ("changed", "topic", "words"),
    [
        ({"encoding": "ascii"}, "encoding", "ascii: what it cannot show is written as \\u…"),
        ({"environ": {"TERM": "dumb"}}, "terminal", "TERM=dumb: line mode"),
        ({"environ": {}}, "terminal", "TERM=(not set)"),
        ({"size": (30, 24)}, "terminal", "30 x 24: too small"),
        ({"environ": {"TERM": "linux"}}, "colours", "8: nicks share them"),
        ({"has_screen": False}, "full screen", "is not installed"),
    ],
)
def test_what_a_terminal_lacks(changed: dict[str, object], topic: str, words: str) -> None:
    good = Surface((80, 24), "utf-8", {"TERM": "xterm-256color"}, has_screen=True)
    found = {one.topic: one for one in examine(good._replace(**changed))}  # type: ignore[arg-type]
    assert found[topic].mark.value == "warn"
    assert words in found[topic].text
    assert found[topic].cure


def test_no_colour_is_a_wish_and_no_terminal_no_fault() -> None:
    plain = Surface((80, 24), "UTF-8", {"TERM": "vt100", "NO_COLOR": "1"}, has_screen=True)
    assert marks(plain)["colours"] == "ok"
    assert marks(Surface(None, "UTF-8", {}, has_screen=False)) == {
        "encoding": "ok",
        "terminal": "ok",
    }
