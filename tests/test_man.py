"""man/securechat.1 is what the script makes, says what `--help` says, and is clean mdoc."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from typer.testing import CliRunner

from scripts.command_tree import Command, commands
from scripts.make_man import TARGET, render
from securechat.cli.app import app
from securechat.cli.report import EXIT_CODES

PAGE = TARGET.read_text("utf-8")


def test_the_page_is_what_the_script_makes() -> None:
    assert render() == PAGE, "run: make generated"


def section(command: Command) -> str:
    """The part of the page about one command."""
    start = f".Ss {' '.join(command.path)}\n" if command.path else "The options before a command:\n"
    return re.split(r"^\.S[sh] ", PAGE.partition(start)[2], flags=re.MULTILINE)[0]


@pytest.mark.parametrize(
    "command", [*commands()], ids=lambda one: " ".join(one.path) or "securechat"
)
def test_each_command_says_what_its_help_says(command: Command) -> None:
    done = CliRunner().invoke(app, [*command.path, "--help"], env={"COLUMNS": "200"})
    assert done.exit_code == 0
    here = section(command)
    help_ = done.stdout.partition("Options:\n")[2].partition("Commands:\n")[0]
    listed = re.findall(r"^  (-[^\s].*?)(?:  |$)", help_, re.MULTILINE)
    options = {word for line in listed for word in re.findall(r"-{1,2}[a-z][a-z-]*", line)}
    shown = {f"-{name}" for name in re.findall(r"(?:It|,) Fl (\S+)", here)}
    assert options - {"--help", "-h"} == shown
    flat = " ".join(here.replace("\\(aq", "'").replace("\\(ga", "`").split())
    flat = re.sub(r"\\\[u([0-9A-F]{4})\]", lambda found: chr(int(found[1], 16)), flat)
    for one in command.parameters:
        summary = one.summary.partition(" [default: ")[0]
        assert summary in flat
        assert summary[:40] in " ".join(done.stdout.split())
    for example in command.examples if command.path else ():
        assert " ".join(example.split()) in flat
        assert " ".join(example.split()) in " ".join(done.stdout.split())


def test_every_exit_code_is_there() -> None:
    for code, meaning in EXIT_CODES.items():
        assert f".It {code}\n" in PAGE
        assert meaning[1:20].replace("'", "\\(aq") in PAGE


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")
def test_mandoc_has_no_complaint() -> None:
    done = subprocess.run(
        ["mandoc", "-Tlint", str(TARGET)], capture_output=True, text=True, check=False, timeout=30
    )
    assert (done.returncode, done.stdout) == (0, "")
