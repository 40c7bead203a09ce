"""The command line: `securechat gen-certs`, `serve`, `connect`, `trust`, `db` and more.

`app` holds the commands; one module each says what its options are, and imports what is heavy only
when it runs. The rest is the terminal's front end: `controller` between a person and the client,
`slash` for what they type, `render` for what they see, `line` and `pipe` for where; `jsonpipe`,
`send`, `run`, `tail` and `export` are for scripts (docs/pipes.md).
"""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

from .openssl import prefer_modern_groups

_UNWRITABLE: Final = frozenset({errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EIO})
#: The collector looks after so many objects. Imports make tens of thousands, which all stay:
#: looking through them every 700 was a fifth of what a start costs (0.78 s of CPU, now 0.62 s).
_GARBAGE: Final = 50_000

#: With these nobody waits for the screen, or nothing may move on it.
_NO_SIGN: Final = frozenset({"--help", "--json", "--plain"})


def main() -> None:
    """Run the command that `sys.argv` names, and exit with its code."""
    _open_what_is_closed()
    gc.set_threshold(_GARBAGE, 20, 50)
    if "_SECURECHAT_COMPLETE" in os.environ:
        from .shells import answer

        answered = answer()
        if answered is not None:
            print(answered.text)
            sys.exit(answered.code)
    if sys.argv[1:] and sys.argv[1].endswith("-completion"):
        from .shells import teach_typer

        teach_typer()
    prefer_modern_groups(sys.argv[1:])
    _give_a_sign(sys.argv[1:])
    from .app import app

    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        _give_up_output(error)
    finally:
        # Else the interpreter's last collections walk through all that pydantic and Textual have
        # made: measured, 0.12 to 0.25 s from the last key to the shell's prompt; so, 0.03 s.
        gc.freeze()


def _give_a_sign(arguments: Sequence[str]) -> None:
    """Show whoever wants to chat that we are there, before all that takes a while is loaded.

    What comes next stands in its place.
    """
    if arguments[:1] != ["connect"] or _NO_SIGN.intersection(arguments):
        return
    if sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        try:
            print("securechat …", end="\r", flush=True)
        except UnicodeEncodeError:
            print("securechat", end="\r", flush=True)


def _give_up_output(error: OSError) -> NoReturn:
    """What a command has printed cannot be written, for all that it knows."""
    from .report import complain, forget_stdout

    forget_stdout()
    if error.errno != errno.EPIPE:  # nobody reads it: no reason to complain
        complain(f"The output cannot be written: {(error.strerror or str(error)).lower()}.")
    sys.exit(1)


def _open_what_is_closed() -> None:
    """Give a process that was started without standard streams (`>&-`) ones that lead nowhere.

    Else the first file or socket that it opens would take their place.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            mode = "r" if number == 0 else "w"
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115
