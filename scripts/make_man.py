"""Makes man/securechat.1 from the commands' own help, and from what is written here by hand.

    python scripts/make_man.py [--check]

In mdoc(7), which mandoc and groff read. Commands, options, exit codes and variables come from the
code, so the page cannot say anything else than `--help`.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from scripts.command_tree import Command, Parameter, commands  # noqa: E402
from securechat.cli.report import EXIT_CODES  # noqa: E402
from securechat.settings.reading import PREFIX, VARIABLES  # noqa: E402

TARGET = ROOT / "man" / "securechat.1"
DATE = "November 27, 2026"

HEAD = f"""\
.\\" Made by scripts/make_man.py: do not edit.
.Dd {DATE}
.Dt SECURECHAT 1
.Os
.Sh NAME
.Nm securechat
.Nd chat over TLS: a server, and clients for terminals and pipes
.Sh SYNOPSIS
.Nm
.Op Fl -config Ar FILE
.Ar COMMAND
.Op Ar ARGUMENTS
.Nm
.Fl h | Fl -help | Fl -version
.Sh DESCRIPTION
.Nm
is a chat for 5 to 500 people on one small machine, over TLS 1.3 from the first byte.
When a line comes back, it is on the server's disk; nothing is lost, nothing comes twice, nothing
out of order.
.Pp
On a terminal,
.Cm connect
opens a full screen where it is installed, else it reads and writes line by line; with
.Fl -plain
it moves no cursor and shows no colour, which is for screen readers, serial consoles and slow
links.
Without a terminal it is a pipe: each line in is a message, each line out is an event.
.Pp
A server is known by its public key, which is asked about at the first meeting and remembered;
another key is a hard stop.
"""

FILES = """\
.Sh FILES
Paths are those of Linux; XDG_CONFIG_HOME, XDG_STATE_HOME and XDG_DATA_HOME move them.
.Bl -tag -width Ds
.It Pa ~/.config/securechat/config.toml
What would else be typed again and again: see
.Sx CONFIGURATION .
.It Pa ~/.local/state/securechat/known_servers
The servers whose keys are remembered.
.It Pa ~/.local/state/securechat/session-*.json
What proves that a nick is yours, readable by you alone.
.It Pa ~/.local/state/securechat/outbox-*.jsonl
What was said and is not yet known to be stored, and how far each conversation was read.
.It Pa ~/.local/state/securechat/rooms-*.json
The rooms in which one was last.
.It Pa ~/.local/state/securechat/bookmark-*.json
How far
.Cm tail Fl -after Ar last
has printed.
.It Pa ~/.local/share/securechat/securechat.db
The history of a server that was given no
.Fl -data .
.It Pa certs/ca.pem , certs/ca-key.pem , certs/cert.pem , certs/key.pem
What
.Cm gen-certs
makes: hand out the first, keep both keys secret.
.El
"""

CONFIGURATION = """\
.Sh CONFIGURATION
What is typed counts before the environment, the environment before
.Pa config.toml ,
the file before what is built in.
A key that is not known, or a value that cannot be, is refused with its line.
.Bd -literal -offset indent
[connect]                 # for all commands that reach a server
nick = "bob"
server = "chat.example.org"

[profiles.work]           # securechat connect work
server = "chat.work.example:7000"
nick = "bob.smith"

[ui]
bell = "mentions"

[keys]
jump = ["ctrl+k", "f3"]

[serve]
keep_days = 90
.Ed
"""

EXAMPLES = """\
.Sh EXAMPLES
A server and two people, in three terminals:
.Bd -literal -offset indent
$ securechat gen-certs
$ securechat serve
$ securechat connect --nick bob
.Ed
.Pp
A report into a room; the exit code says whether it is on the server's disk:
.Bd -literal -offset indent
$ df -h | securechat send ops --nick cron --code
.Ed
.Pp
A build that tells a room how it went:
.Bd -literal -offset indent
$ securechat run ci --nick ci -- make test
.Ed
.Pp
Each message once, for a job that runs every hour:
.Bd -literal -offset indent
$ securechat tail ops --nick mailer --after last | mail -E -s "#ops" me@example.org
.Ed
.Pp
What is wrong between here and a server:
.Bd -literal -offset indent
$ securechat doctor chat.example.org
.Ed
.Sh SECURITY CONSIDERATIONS
The server reads everything: there is no end-to-end encryption.
Who holds
.Pa ca-key.pem
can pose as the server to all who trust
.Pa ca.pem .
A command line is seen by other users of a machine, and
.Cm run
tells it to a room: pass secrets another way.
"""


def render() -> str:
    """The page."""
    listed = list(commands())
    parts = [HEAD, *_general(listed[0]), ".Sh COMMANDS\n"]
    for command in listed[1:]:
        parts += _command(command)
    parts += [CONFIGURATION, *_environment(), FILES, *_exit_status(), EXAMPLES]
    return "".join(_wrapped("".join(parts)))


def _wrapped(page: str) -> Iterator[str]:
    """No line of text longer than 80 bytes; what is literal stays."""
    is_literal = False
    for line in page.splitlines():
        if line.startswith("."):
            is_literal = line.startswith(".Bd -literal") or (is_literal and line != ".Ed")
            yield f"{line}\n"
        elif is_literal:
            yield f"{line}\n"
        else:
            for piece in textwrap.wrap(line, 78, break_long_words=False, break_on_hyphens=False):
                yield f"\\&{piece}\n" if piece.startswith(".") else f"{piece}\n"


def _general(root: Command) -> Iterator[str]:
    yield ".Pp\nThe options before a command:\n"
    yield from _options(root.parameters)


def _command(one: Command) -> Iterator[str]:
    yield f".Ss {' '.join(one.path)}\n"
    yield from _synopsis(one)
    yield _paragraphs(one.text)
    if one.groups:
        yield f"Its commands are {', '.join(one.groups)}.\n"
    yield from _options(one.parameters)
    if one.examples:
        yield ".Pp\nFor example:\n.Bd -literal -offset indent\n"
        yield from (f"{_text(line)}\n" for line in one.examples)
        yield ".Ed\n"


def _synopsis(one: Command) -> Iterator[str]:
    yield ".Bd -ragged -offset indent\n.Nm\n"
    yield f".Cm {' '.join(one.path)}\n"
    if any(each.names for each in one.parameters):
        yield ".Op Ar OPTIONS\n"
    if one.groups:
        yield ".Ar COMMAND\n"
    for each in one.parameters:
        if not each.names:
            word = _bare(each.metavar)
            if each.metavar.startswith("-- "):
                yield ".Fl -\n"
            yield f".Ar {word}\n" if each.required else f".Op Ar {word}\n"
    yield ".Ed\n.Pp\n"


def _bare(metavar: str) -> str:
    """`[TEXT...]` and `-- COMMAND...` without what the synopsis says itself."""
    word = metavar.removeprefix("-- ")
    return _text(word[1:-1] if word.startswith("[") else word)


def _options(parameters: Iterable[Parameter]) -> Iterator[str]:
    listed = [one for one in parameters if one.names or one.summary]
    if not listed:
        return
    yield ".Bl -tag -width Ds\n"
    for one in listed:
        value = f" Ar {_text(one.metavar)}" if one.metavar else ""
        if one.names:
            names = sorted((*one.names, *one.off), key=lambda name: name in one.off)
            yield f".It {' , '.join(f'Fl {name[1:]}{value}' for name in names)}\n"
        else:
            yield f".It Ar {_bare(one.metavar)}\n"
        summary, bracket, default = one.summary.partition(" [default: ")
        default = default.removesuffix("]") if bracket else one.default
        yield _sentences(summary)
        if default:
            yield _sentences(f"Without it: {default}.")
    yield ".El\n"


def _environment() -> Iterator[str]:
    yield ".Sh ENVIRONMENT\n.Bl -tag -width Ds\n"
    yield f".It Ev {PREFIX}CONFIG\nSettings, instead of those in your config folder.\n"
    yield f".It Ev {PREFIX}PROFILE\nThe profile that counts where none is named.\n"
    for prefix, section in VARIABLES.items():
        for row in section.rows().values():
            yield f".It Ev {PREFIX}{prefix}{row.key.upper()}\n"
            yield _sentences(f"{row.about[0].upper()}{row.about[1:]}: {row.kind.shown}.")
    yield ".It Ev NO_COLOR\nNo colours, whatever it is set to.\n"
    yield ".It Ev TERM , Ev COLORTERM\nWhat the terminal can show; dumb: as with\n.Fl -plain .\n"
    yield ".El\n"


def _exit_status() -> Iterator[str]:
    yield ".Sh EXIT STATUS\n.Bl -tag -width Ds\n"
    for code, meaning in EXIT_CODES.items():
        yield f".It {code}\n"
        yield _sentences(f"{meaning[0].upper()}{meaning[1:]}.")
    yield ".El\n.Pp\n.Cm run\nexits with the code of its command.\n"


def _paragraphs(text: str) -> str:
    blocks = (" ".join(block.split()) for block in text.split("\n\n"))
    return ".Pp\n".join(_sentences(block) for block in blocks if block)


def _sentences(text: str) -> str:
    """A sentence a line, as mdoc wants it."""
    lines = re.split(r"(?<=[.:;])\s+(?=[A-Z])", text.strip())
    return "".join(f"{_text(line)}\n" for line in lines if line)


def _text(text: str) -> str:
    """Nothing in it is taken for a macro or an escape."""
    text = text.replace("\\", "\\e").replace("`", "\\(ga").replace("'", "\\(aq")
    text = "".join(char if char.isascii() else f"\\[u{ord(char):04X}]" for char in text)
    return f"\\&{text}" if text.startswith(".") else text


def main() -> None:
    """Write it, or see that it is what would be written."""
    made = render()
    if "--check" in sys.argv:
        sys.exit(not TARGET.exists() or TARGET.read_text("utf-8") != made)
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(made, "utf-8")


if __name__ == "__main__":
    main()
