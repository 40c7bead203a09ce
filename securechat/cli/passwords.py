"""Where a password comes from: a terminal that does not show it, a file, or standard input.

Never from an option's value or the environment, which others on the machine can read (`ps e`).
Raised: `NoPassword` with the cure; `KeyboardInterrupt` as ever.
"""

from __future__ import annotations

import os
import stat
import sys
from typing import Annotated, Final, TypeAlias

import typer

from ..errors import SecureChatError
from .report import complain, is_terminal

_LONGEST: Final = 4_096
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO

PasswordFile: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--password-file",
        metavar="FILE",
        help="Read the password from the first line of FILE; -: of standard input.",
    ),
]


class NoPassword(SecureChatError):
    """There is no password to be had; the message says where it could come from."""


def can_ask() -> bool:
    """Whether somebody sits at a terminal, to be asked."""
    return is_terminal(sys.stdin) and is_terminal(sys.stderr)


def read_password(file: str | None, prompt: str, *, is_new: bool = False) -> str:
    """The password from `file`, or typed by whoever is asked with `prompt`; a new one twice."""
    if file is not None:
        return _from_file(file)
    if not can_ask():
        raise NoPassword(
            "A password is needed and there is no terminal to type it on. Put it into a file that "
            "only you can read, and name that with --password-file; - stands for standard input."
        )
    password = ask(f"{prompt}: ")
    if is_new and ask("The same once more: ") != password:
        raise NoPassword("Those were two different passwords. Nothing was changed; try again.")
    return password


def ask(prompt: str) -> str:
    """Have it typed on the terminal, where it is not shown."""
    import getpass
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)  # it would be shown
        try:
            return getpass.getpass(prompt)
        except (getpass.GetPassWarning, EOFError) as error:
            raise NoPassword(
                "This terminal cannot hide what is typed, or was closed. Use --password-file."
            ) from error


def _from_file(file: str) -> str:
    try:
        if file == "-":
            line = _first_line(sys.stdin.fileno())
        else:
            descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
            try:
                if os.fstat(descriptor).st_mode & _OTHERS:
                    complain(f"{file}: others can read this password; `chmod 600` helps.")
                line = _first_line(descriptor)
            finally:
                os.close(descriptor)
        password = line.decode()
    except OSError as error:
        raise NoPassword(f"{file}: the password cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError:
        raise NoPassword(f"{file}: the password is no UTF-8.") from None
    if not password:
        raise NoPassword(f"{file}: there is no password in its first line.")
    return password


def _first_line(descriptor: int) -> bytes:
    """Up to the first line end, and not one byte more: what follows is for others to read."""
    line = bytearray()
    while len(line) < _LONGEST and (byte := os.read(descriptor, 1)) not in (b"", b"\n"):
        line += byte
    return bytes(line).removesuffix(b"\r")
