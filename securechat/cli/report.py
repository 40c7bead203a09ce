"""How commands fail: one line on stderr that says what was wrong and what to do, and a code."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Final, TextIO

import typer

from ..errors import SecureChatError

EXIT_CODES: Final[Mapping[int, str]] = MappingProxyType(
    {
        0: "all went well",
        1: "something was refused or went wrong",
        2: "the command line or a setting is wrong",
        3: "the server cannot be reached",
        4: "the server's key or certificate is not trusted",
        5: "the server refused to let us in",
        7: "the connection was lost and not won back",
        75: "not sent yet, but kept: the next command that reaches the server sends it",
        130: "stopped by Ctrl-C",
        143: "stopped by SIGTERM",
    }
)

#: Codes of a refusal for which a script needs a password.
_WANTS_PASSWORD: Final = frozenset({"auth_failed", "auth_required"})
_PASSWORD_CURE: Final = " A password is given with --password-file FILE."

KEPT: Final = 75  # EX_TEMPFAIL of sysexits.h
INTERRUPTED: Final = 130
TERMINATED: Final = 143


class Terminated(BaseException):
    """SIGTERM came; raised by the handler that `connect` sets."""


@contextmanager
def reported() -> Iterator[None]:
    """Turn what a user can cause into one line and an exit code; let bugs through."""
    try:
        yield
    except SecureChatError as error:
        wants_password = getattr(error, "code", "") in _WANTS_PASSWORD
        complain(f"{error}{_PASSWORD_CURE if wants_password else ''}")
        raise typer.Exit(error.exit_code) from None
    except BrokenPipeError:  # nobody reads what we print: no reason to complain, nor to go on
        forget_stdout()
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except Terminated:
        raise typer.Exit(TERMINATED) from None


def complain(text: str) -> None:
    """Say what went wrong on stderr, as one line without anything that a terminal obeys."""
    from ..client.harmless import encodable, harmless_line

    print(f"securechat: {encodable(harmless_line(text), sys.stderr.encoding)}", file=sys.stderr)


class OutputFailed(SecureChatError):
    """What we print cannot be written, and not because nobody reads it."""


def put(lines: Iterable[str]) -> None:
    """Print lines and flush them; raises `BrokenPipeError`, or `OutputFailed` (a full disk)."""
    try:
        for line in lines:
            sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        forget_stdout()
        why = (error.strerror or str(error)).lower()
        raise OutputFailed(f"The output cannot be written: {why}.") from error


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person may sit at the other end of a standard stream."""
    return stream is not None and stream.isatty()


def forget_stdout() -> None:
    """Send the rest to nowhere: Python flushes stdout when it ends, and would complain again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
