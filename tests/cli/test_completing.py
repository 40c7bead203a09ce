"""Tab in a shell: the shells themselves, with what `--install-completion` installs; offline."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
import typer

from scripts.command_tree import commands
from scripts.make_words import SOURCES, TARGET, _formatted, render
from securechat.cli import completing
from securechat.cli.app import app
from securechat.cli.completing import Words, joined, offers
from securechat.cli.shells import ASKED, Answer, answer, parted
from securechat.client.remembered import Remembered, remember

ROOT = Path(__file__).parents[2]
KEY = f"SHA256:{'A' * 43}"
CONFIG = """
[connect]
nick = "bobby"
[profiles.work]
server = "work.example:7000"
room = "ops"
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user who has been here before."""
    tmp_path = tmp_path_factory.mktemp("home")
    state = tmp_path / ".local" / "state" / "securechat"
    state.mkdir(parents=True)
    lines = f"localhost:55555 {KEY} 2026-11-01\nchat.example.org:7000 {KEY} 2026-11-02\n"
    (state / "known_servers").write_text(lines)
    (state / "session-1.json").write_text(json.dumps({"version": 1, "nick": "bob"}))
    (state / "session-2.json").write_text("damaged")
    (state / "bookmark-1.json").write_text(json.dumps({"conversation": "#garden"}))
    outbox = [
        {"begin": {"version": 1, "cursors": {"#lobby": 3, "@carol": 1}}},
        {"seen": {"#ops": 2}},
        {"say": {"to": "@carl"}},
        ["nonsense"],
    ]
    text = "\n".join(map(json.dumps, outbox))
    (state / "outbox-1-2.jsonl").write_text(f"{text}\nhalf a li")
    config = tmp_path / ".config" / "securechat"
    config.mkdir(parents=True)
    (config / "config.toml").write_text(CONFIG)
    return tmp_path


def environ(home: Path) -> dict[str, str]:
    names = {"XDG_STATE_HOME", "XDG_CONFIG_HOME", "SECURECHAT_CONFIG"}
    kept = {key: value for key, value in os.environ.items() if key not in names}
    return {**kept, "HOME": str(home), "PATH": f"{home / 'bin'}:{os.environ['PATH']}"}


@pytest.fixture(scope="module")
def program(home: Path) -> Path:
    """The program, on the PATH of that user."""
    program = home / "bin" / "securechat"
    program.parent.mkdir()
    program.write_text(
        f"#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -c "
        '\'import sys; from securechat.cli import main; sys.argv[0] = "securechat"; main()\' "$@"\n'
    )
    program.chmod(0o755)
    return program


def install(program: Path, shell: str) -> None:
    """Have the program installed for a shell, if there is one."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    done = subprocess.run(
        [program, "--install-completion", shell],
        env={**environ(program.parents[1]), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def bash(home: Path, program: Path) -> Path:
    """The same, with completion installed for bash."""
    install(program, "bash")
    assert (home / ".bash_completions" / "securechat.sh").is_file()
    return home


#: Reads what was typed, parts it as readline does, and prints what bash would offer.
_DRIVE = r"""
source "$HOME/.bash_completions/securechat.sh"
COMP_LINE=$1 COMP_POINT=${#1}
COMP_WORDS=() word=
for ((i = 0; i < ${#COMP_LINE}; i++)); do
  char=${COMP_LINE:i:1}
  case $char in
    " ") [[ -n $word ]] && COMP_WORDS+=("$word"); word= ;;
    [:@=]) [[ -n $word ]] && COMP_WORDS+=("$word"); COMP_WORDS+=("$char"); word= ;;
    *) word+=$char ;;
  esac
done
[[ -n $word || $char == " " ]] && COMP_WORDS+=("$word")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
declare -F | grep -o '_securechat[a-z_]*' | head -1 > /dev/null
"$(complete -p securechat | sed 's/.*-F \([^ ]*\).*/\1/')" securechat
printf '%s\n' "${COMPREPLY[@]}"
"""


def offered(home: Path, line: str) -> list[str]:
    done = subprocess.run(
        ["bash", "--norc", "-c", _DRIVE, "bash", line],
        env=environ(home),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("securechat con", ["connect"]),
        ("securechat connect w", ["work", "work.example:7000"]),
        ("securechat connect chat.example.org:", ["7000"]),
        ("securechat trust forget ", ["chat.example.org:7000", "localhost"]),
        ("securechat connect --nick=bo", ["bobby", "bob"]),
        ("securechat send @ca", ["@carol", "@carl"]),
        ("securechat export ops --format ", ["jsonl", "md", "html"]),
        ("securechat connect --certs ", []),
        ("securechat run ops -- ma", []),
    ],
)
def test_bash_offers(bash: Path, line: str, expected: list[str]) -> None:
    assert offered(bash, line) == expected


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_tab_in_a_real_shell(home: Path, program: Path, shell: str) -> None:
    """At a prompt, in a terminal: what Tab puts there, whatever the shell parts words at."""
    install(program, shell)
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    name = f"securechat-{uuid.uuid4().hex[:8]}"
    env = {**environ(home), "SHELL": str(shutil.which(shell)), "HISTFILE": os.devnull}

    def tmux(*arguments: str) -> str:
        command = ["tmux", "-L", name, "-f", "/dev/null", *arguments]
        return subprocess.run(command, env=env, text=True, capture_output=True, check=True).stdout

    def wait_for(text: str) -> None:
        deadline = time.monotonic() + 30
        while text not in (screen := tmux("capture-pane", "-p")):
            assert time.monotonic() < deadline, screen
            time.sleep(0.05)

    tmux("new-session", "-d", "-x", "100", "-y", "30", f"{shell} -i")
    try:
        tmux("send-keys", "-l", "printf '%s\\n' rea''dy")
        tmux("send-keys", "Enter")
        wait_for("\nready")
        for typed, whole in (
            ("securechat sen", "securechat send "),
            ("securechat send @caro", "securechat send @carol "),
            ("securechat trust forget chat.example.org:7", "forget chat.example.org:7000 "),
            ("securechat connect --prof", "securechat connect --profile "),
            ("securechat connect --nick=bobb", "--nick=bobby "),
            ("securechat connect --nick bobb", "--nick bobby "),
            ("securechat tail '#gard", "tail '#garden' "),
            ("securechat connect wor", "securechat connect work"),
        ):
            tmux("send-keys", "-l", typed)
            tmux("send-keys", "Tab")
            wait_for(whole.rstrip())
            tmux("send-keys", "C-u", "C-l")  # no C-c: it takes away what is typed behind it, too
    finally:
        tmux("kill-server")


@pytest.mark.parametrize(
    ("line", "words", "typed"),
    [
        ("securechat send @ca", ["securechat", "send"], "@ca"),
        ("securechat tail #ga", ["securechat", "tail"], "#ga"),
        ("securechat tail '#ga", ["securechat", "tail"], "#ga"),
        ("securechat tail \\#ga", ["securechat", "tail"], "#ga"),
        ("securechat tail ", ["securechat", "tail"], ""),
        ("securechat send ops 'two words' ", ["securechat", "send", "ops", "two words"], ""),
        ("", [], ""),
    ],
)
def test_a_command_line_is_parted(line: str, words: list[str], typed: str) -> None:
    assert parted(line) == (words, typed)


def test_each_shell_is_answered_in_its_form(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", environ(home))
    asked = {ASKED: "complete_zsh", "_TYPER_COMPLETE_ARGS": "securechat connect --nick=bo"}
    assert answer(asked) == Answer("compadd -- --nick=bobby --nick=bob")
    assert answer({**asked, "_TYPER_COMPLETE_ARGS": "securechat connect --ca "}) == ("_files", 0)
    asked[ASKED] = "complete_fish"
    assert answer({**asked, "_TYPER_COMPLETE_FISH_ACTION": "is-args"}) == ("", 0)
    assert answer({**asked, "_TYPER_COMPLETE_FISH_ACTION": "get-args"}) == (
        "--nick=bobby\n--nick=bob",
        0,
    )
    files = {"_TYPER_COMPLETE_ARGS": "securechat connect --ca ", "_TYPER_COMPLETE_FISH_ACTION": ""}
    assert answer({**asked, **files, "_TYPER_COMPLETE_FISH_ACTION": "is-args"}) == ("", 1)
    assert answer({ASKED: "complete_powershell"}) is None


def test_a_key_is_answered_at_once(home: Path) -> None:
    """Under 150 ms of CPU, with the start of Python; the least of a few, for busy machines."""
    took = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, "-m", "securechat"],
            env={
                **environ(home),
                "PYTHONPATH": str(ROOT),
                "_SECURECHAT_COMPLETE": "complete_bash",
                "COMP_WORDS": "securechat\nsend\n",
                "COMP_CWORD": "2",
            },
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert "@carol" in done.stdout.split()
        took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(took) < 0.15, took


def test_nothing_heavy_and_no_network_is_loaded(home: Path) -> None:
    code = (
        "import sys; from securechat.cli.completing import complete;"
        "[*complete({'COMP_WORDS': 'securechat\\nsend\\n', 'COMP_CWORD': '2'})];"
        "print({'pydantic', 'typer', 'ssl', 'socket', 'cryptography'} & sys.modules.keys())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**environ(home), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert done.stdout == "set()\n"


# ------------------------------------------------------------------ what is remembered


def test_what_files_name(home: Path) -> None:
    assert remember(home / ".local" / "state" / "securechat") == Remembered(
        servers=("chat.example.org:7000", "localhost"),
        nicks=("bob",),
        rooms=("#garden", "#lobby", "#ops"),
        people=("@carol", "@carl"),
    )


def test_a_user_without_a_past(tmp_path: Path) -> None:
    assert remember(tmp_path / "none") == Remembered((), (), (), ())


def test_settings_that_cannot_be_read_offer_nothing_and_say_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.toml").write_text("[ui\n")
    monkeypatch.setenv("SECURECHAT_CONFIG", str(tmp_path / "c.toml"))
    assert completing.profiles("") == []
    assert capfd.readouterr() == ("", "")


# ------------------------------------------------------------------ words


@pytest.mark.parametrize(
    ("parts", "at", "words", "where", "kept"),
    [
        (("s", "send", "@", "ca"), 3, ("s", "send", "@ca"), 2, ""),
        (("s", "send", "@"), 2, ("s", "send", "@"), 2, ""),
        (("s", "connect", "host", ":", "70"), 4, ("s", "connect", "host:70"), 2, "host:"),
        (("s", "connect", "host", ":"), 3, ("s", "connect", "host:"), 2, "host:"),
        (("s", "c", "--nick", "=", "b"), 4, ("s", "c", "--nick=b"), 2, "--nick="),
        (("s", "c", "host", ":", "70", ""), 5, ("s", "c", "host:70", ""), 3, ""),
        (("s", "send", "@", "ca", "he"), 4, ("s", "send", "@ca", "he"), 3, ""),
        (("s",), 1, ("s",), 1, ""),
    ],
)
def test_what_bash_parts_is_joined(
    parts: tuple[str, ...], at: int, words: tuple[str, ...], where: int, kept: str
) -> None:
    assert joined(parts, at) == Words(words, where, kept)


@pytest.mark.parametrize(
    ("before", "typed", "expected"),
    [
        ((), "gen", ["gen-certs"]),
        (("--config", "x"), "gen", ["gen-certs"]),
        (("connect", "--plain"), "--no-l", ["--no-line"]),
        (("export", "ops"), "--format=m", ["--format=md"]),
        (("db",), "b", ["backup"]),
        (("nosuch",), "x", []),
        (("trust",), "", ["list", "forget", "replace"]),
        (("connect",), "--pl", ["--plain"]),
        (("send", "ops", "--"), "--co", []),
    ],
)
def test_what_fits(before: tuple[str, ...], typed: str, expected: list[str]) -> None:
    assert offers(before, typed) == expected


def test_the_table_is_what_the_script_makes() -> None:
    made = _formatted(render())
    assert TARGET.read_text("utf-8") == made, "run: make generated"


def test_the_other_shells_are_offered_the_same() -> None:
    """Whoever has a function that Typer calls is offered the same by the table."""
    root = typer.main.get_command(app)
    found = set()
    for command in commands():
        node: object = root
        for name in command.path:
            node = node.commands[name]  # type: ignore[attr-defined]
        for one in node.params:  # type: ignore[attr-defined]
            if getattr(one, "_custom_shell_complete", None) is not None:
                assert one.metavar in SOURCES, (command.path, one.name)
                found.add(one.metavar)
    assert found == SOURCES.keys()
