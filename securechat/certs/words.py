"""What is said to people about certificates: the commands to type, and every no in one line.

The context managers translate what others raise into `CertificateError`: what was wrong, why, and
what to do. The functions make the parts of such lines.
"""

from __future__ import annotations

import errno
import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from ..errors import CertificateError
from .x509 import UNREADABLE

DEFAULT_DIRECTORY = Path("certs")

_CURES = {
    errno.EACCES: "choose another folder, or run as the user that owns this one",
    errno.EPERM: "choose another folder, or run as the user that owns this one",
    errno.EROFS: "choose a folder that can be written to",
    errno.ENOSPC: "free some space, then try again",
    errno.EDQUOT: "free some space, then try again",
    errno.ENOTDIR: "name a folder, not a file",
    errno.EEXIST: "something else is writing there; see what it made, then try again",
}


@contextmanager
def bordering(failure: str) -> Iterator[None]:
    """Translate what the operating system says no with."""
    try:
        yield
    except OSError as error:
        cure = _CURES.get(error.errno or 0, "check the folder and its file system")
        raise CertificateError(f"{failure} ({error.strerror or error}): {cure}") from error


@contextmanager
def parsing(path: Path, expected: str) -> Iterator[None]:
    """Translate what `x509` raises over the content of a file."""
    try:
        yield
    except UNREADABLE as error:
        raise CertificateError(
            f"{path} is no {expected} that we can use: {new_set(path.parent)}"
        ) from error


def new_set(directory: Path) -> str:
    """The cure where a file of the set is missing or wrong."""
    command = gen_certs(directory, "--force")
    return f"bring back the right file, or make a new set with `{command}`"


def gen_certs(directory: Path, *options: str) -> str:
    """The command that makes certificates in `directory`, to be typed in a shell."""
    return shlex.join(["securechat", "gen-certs", *options, *option("--out", directory)])


def option(name: str, directory: Path) -> list[str]:
    """The option that names `directory`, where one is needed."""
    return [] if directory == DEFAULT_DIRECTORY else [name, str(directory)]


def listed(names: Iterable[str]) -> str:
    """At least one name, made harmless, and how many more there are."""
    first, *others = names
    return ascii(first)[1:-1] + (f" and {len(others)} more" if others else "")


def day(moment: datetime) -> str:
    """The day of `moment` in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d}"
