"""Every number that can be typed, or stand in config.toml or the environment, has its bounds.

What no server, clock or thread could take is refused in one line, with exit code 2, before anything
is opened; what is at a bound is taken.
"""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
import typer

from securechat.cli.app import app
from securechat.cli.limits import settle
from securechat.config import (
    BOUNDS,
    MOST,
    SECTIONS,
    SLOWEST,
    Figure,
    ServerConfig,
    name_figures,
)
from securechat.errors import SettingsError
from securechat.settings import Settings, load
from securechat.settings.model import Connect, Section, Serve

#: What is no number that anybody can mean, for any option.
ABSURD: Final = ("-1", "nan", "inf", "-inf", "1e400", "1" + "0" * 400, "9" * 5_000, "", "x", "0x10")
_NOWHERE: Final = "127.0.0.1:1"
_REACHING: Final = ("--nick", "bob", "--host", _NOWHERE)

#: Command lines that end where a number goes, and what else is refused there.
NUMBERS: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    **{f"serve --{key.replace('_', '-')}": ((), ()) for key in BOUNDS if key != "wait"},
    "bench --clients": ((_NOWHERE,), ("1", "501")),
    "bench --seconds": ((_NOWHERE,), ("0", "3601")),
    "torture --minutes": ((), ("0", "10081", "1e25")),
    "torture --seed": ((), (str(2**63),)),
    "torture --clients": ((), ("1", "1001")),
    "tail --after": (("lobby", *_REACHING), ("1.5", "٣", str(2**53))),
    "tail --lines": (("lobby", *_REACHING), ("501",)),
    "export --after": (("lobby", *_REACHING), (str(2**53), "10000-01-01")),
    "export --before": (("lobby", *_REACHING), (str(2**53), "0000-01-01")),
    "search --limit": (("x", *_REACHING), ("0", str(MOST + 1))),
    "send --wait": (("lobby", "x", *_REACHING), (str(MOST + 1), "1e25")),
    "run --wait": (("lobby", *_REACHING), (str(MOST + 1), "1e25")),
    "run --lines": (("lobby", *_REACHING), ("501",)),
    "doctor --timeout": ((_NOWHERE,), ("0", "61")),
    "audit --last": ((), ("0", str(MOST + 1))),
    "invite --uses": ((), ("0", "10001")),
    "invite --ttl": ((), ("0d", "-1d", "2", "3651d", "999999w", "9" * 5_000 + "d")),
    "admin cut --connection": ((), ("0", str(2**53))),
    "connect": ((), tuple(f"127.0.0.1:{port}" for port in ("-1", "0", "65536", "9" * 5_000, "x"))),
}


_COMMAND: Final = typer.main.get_command(app)  # once: it takes longer than what is tested


class Ended(NamedTuple):
    """How a command ended."""

    exit_code: int
    output: str


def run(*words: str) -> Ended:
    """A command line, in this process; raises what it lets out."""
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said), pytest.raises(SystemExit) as ended:
        _COMMAND(list(words), prog_name="securechat")
    return Ended(int(ended.value.code or 0), said.getvalue())


def typed(command: str, value: str) -> Ended:
    """What comes of a command with a number at its end."""
    words, (before, _) = command.split(), NUMBERS[command]
    option = [words.pop()] if words[-1].startswith("--") else []
    behind = ["--", "true"] if words == ["run"] else []
    return run(*words, *before, *option, value, *behind)


def assert_refused(result: Ended) -> None:
    assert result.exit_code == 2, result.output[-300:]
    *_, line = result.output.strip().splitlines()
    assert line.startswith("Error: ")
    assert len(line) < 250


@pytest.mark.parametrize("command", NUMBERS)
def test_what_cannot_be_meant_is_refused(served: list[ServerConfig], command: str) -> None:
    values = NUMBERS[command][1] + (ABSURD if command != "connect" else ())
    for value in values:
        assert_refused(typed(command, value))
    assert served == []


def test_every_option_that_is_a_number_is_among_them() -> None:
    found = _numeric(_COMMAND, "")
    assert len(found) > 20
    assert set(found) <= set(NUMBERS)


def _numeric(command: Any, path: str) -> list[str]:
    if hasattr(command, "commands"):
        return [
            one for name, sub in command.commands.items() for one in _numeric(sub, f"{path} {name}")
        ]
    return [
        f"{path} {max(param.opts, key=len)}".strip().replace("invite make", "invite")
        for param in command.params
        if _is_number(param.type_descriptor.annotation)
    ]


def _is_number(annotation: object) -> bool:
    members = getattr(annotation, "__args__", (annotation,))
    return any(member in (int, float) for member in members)


# ------------------------------------------------------------------ serve

FREE: Final = [figure for figure in name_figures().values() if not figure.option]
_PARTS: Final[dict[str, Any]] = {name: kind() for name, kind in SECTIONS.items()}


def serve(*words: str) -> Ended:
    return run("serve", *words)


@pytest.mark.parametrize("key", [key for key in BOUNDS if key != "wait"])
def test_what_is_at_a_bound_is_taken(served: list[ServerConfig], key: str) -> None:
    bounds, option = BOUNDS[key], f"--{key.replace('_', '-')}"
    least = bounds.smallest if bounds.zero else bounds.least
    values = {least, bounds.smallest or least, bounds.most}
    assert [serve(option, str(value)).exit_code for value in values] == [0] * len(values)
    assert len(served) == len(values)
    assert_refused(serve(option, str(bounds.most + 1)))


@pytest.mark.parametrize("key", [key for key, bounds in BOUNDS.items() if bounds.smallest])
def test_what_is_all_but_nothing_is_refused(served: list[ServerConfig], key: str) -> None:
    result = serve(f"--{key.replace('_', '-')}", "1e-300")
    assert_refused(result)
    assert "at least" in result.output
    assert served == []


@pytest.mark.parametrize("option", ["--keep-days", "--keep-mb"])
def test_nobody_loses_all_by_a_0_that_is_no_off(served: list[ServerConfig], option: str) -> None:
    result = serve(option, "0")
    assert_refused(result)
    assert "0 would remove every message" in result.output
    assert served == []


@pytest.mark.parametrize(
    "said",
    [
        *("lobby=-1", "lobby=nan", "lobby=inf", "lobby=0", "lobby=,0", "lobby=,inf", "lobby=,1e25"),
        *("lobby=x", "lobby=1.2.3", "lobby", "=3", "lobby=" + "9" * 5_000, "lobby=1,2,3"),
    ],
)
def test_what_a_room_cannot_keep_is_refused(served: list[ServerConfig], said: str) -> None:
    assert_refused(serve("--keep-room", said))
    assert served == []


@pytest.mark.parametrize("figure", FREE, ids=lambda figure: figure.name)
def test_a_limit_has_bounds(served: list[ServerConfig], figure: Figure) -> None:
    assert_refused(serve("--limit", f"{figure.name}=" + "9" * 5_000))
    assert served == []
    for value in (*ABSURD, f"{MOST + 1}"):
        with pytest.raises(typer.BadParameter, match=f"^{figure.name} is a .* from "):
            settle(_PARTS, [f"{figure.name}={value}"])
    for bound in (figure.least, MOST):
        settle(_PARTS, [f"{figure.name}={bound}"])


# ------------------------------------------------------------------ the file, the environment

_SECTIONS: Final[dict[str, tuple[type[Section], str]]] = {
    "serve": (Serve, "SERVE_"),
    "connect": (Connect, ""),
}
_KEYS: Final = [
    (section, key)
    for section, (kind, _) in _SECTIONS.items()
    for key in BOUNDS
    if key in kind.rows()
]


def of_file(tmp_path: Path, section: str, key: str, value: str) -> Settings:
    """What a file says that has one number."""
    path = tmp_path / "config.toml"
    path.write_text(f"[{section}]\n{key} = {value}\n", "utf-8")
    return load(path, {})


@pytest.mark.parametrize(("section", "key"), _KEYS)
def test_the_file_has_the_same_bounds(tmp_path: Path, section: str, key: str) -> None:
    bounds = BOUNDS[key]
    values = ["-1", "nan", "inf", "-inf", "1e400", "1" + "0" * 400, "9" * 5_000, '""', '"x"']
    values += [f"{bounds.most + 1}"] + (["1e-300"] if bounds.smallest else [])
    values += ["0"] if bounds.zero or bounds.least > 0 else []
    for value in values:
        with pytest.raises(SettingsError) as caught:
            of_file(tmp_path, section, key, value)
        assert "\n" not in str(caught.value)
    assert getattr(getattr(of_file(tmp_path, section, key, f"{bounds.most}"), section), key)


@pytest.mark.parametrize(("section", "key"), _KEYS)
def test_so_has_the_environment(section: str, key: str) -> None:
    name = f"SECURECHAT_{_SECTIONS[section][1]}{key.upper()}"
    for value in (*(one for one in ABSURD if one), f"{BOUNDS[key].most + 1}", " "):
        with pytest.raises(SettingsError, match=f"^{name} must be a (whole )?number .*[.]$"):
            load(None, {name: value, "SECURECHAT_CONFIG": "/dev/null"})


def test_a_pace_is_none_or_one_that_moves() -> None:
    assert BOUNDS["rate"].refusal(0) == BOUNDS["rate"].refusal(SLOWEST) == ""
    assert BOUNDS["rate"].refusal(SLOWEST / 2) == "0.001 at least, or 0"
    assert BOUNDS["rate"].refusal(float("nan")) == "from 0 to 1,000,000,000"
