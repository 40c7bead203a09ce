"""The command line: `securechat gen-certs`, `serve`, `connect`, `trust`, `db` and more.

`app` holds the commands; one module each says what its options are, and imports what is heavy only
when it runs. The rest is the terminal's front end: `controller` between a person and the client,
`slash` for what they type, `render` for what they see, `line` and `pipe` for where; `jsonpipe`,
`send`, `run`, `tail` and `export` are for scripts (docs/pipes.md).
"""

from __future__ import annotations

import gc
import os
import sys

from .openssl import prefer_modern_groups


def main() -> None:
    """Run the command that `sys.argv` names, and exit with its code."""
    _open_what_is_closed()
    prefer_modern_groups(sys.argv[1:])
    from .app import app

    try:
        app()
    finally:
        # Else the interpreter's last collections walk through all that pydantic and Textual have
        # made: measured, 0.12 to 0.25 s from the last key to the shell's prompt; so, 0.03 s.
        gc.freeze()


def _open_what_is_closed() -> None:
    """Give a process that was started without standard streams (`>&-`) ones that lead nowhere.

    Else the first file or socket that it opens would take their place.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            mode = "r" if number == 0 else "w"
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115
