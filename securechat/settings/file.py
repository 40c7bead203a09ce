"""`config.toml` on the disk: found, read, and changed so that nothing else in it changes.

A file is replaced whole or not at all, under its own mode; a symbolic link (dotfiles in a
repository) stays one. Two who save at once are both heard: the folder is locked meanwhile.
Raised is `SettingsError`.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from ..errors import SettingsError
from .document import Document, NotEditable
from .model import Settings
from .reading import Misfit, settings_of

NAME: Final = "config.toml"
VARIABLE: Final = "SECURECHAT_CONFIG"

_LIMIT: Final = 1 << 18


def default_path() -> Path:
    """Where a user's settings are unless they say otherwise."""
    from platformdirs import user_config_path

    return user_config_path("securechat", appauthor=False) / NAME


def chosen_path(named: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """The file that counts: the one that is named, or the environment's, or the default."""
    if named is not None:
        return named
    by_environment = environ.get(VARIABLE)
    return Path(by_environment) if by_environment else default_path()


def load(named: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """All settings; a file that was named must be there."""
    path = chosen_path(named, environ)
    is_wanted = named is not None or bool(environ.get(VARIABLE))
    return _settings(_text(path, is_wanted=is_wanted), path, environ)


def save(path: Path, section: str, **values: object) -> None:
    """Set keys of a section in the file at `path`, which is made if it is not there."""
    target = path.resolve()
    try:
        with _locked(target.parent):
            text = _text(path, is_wanted=False)
            document = _settings(text, path, {}).document
            assert document is not None
            for key, value in values.items():
                document = document.with_value((section, key), value)
            _settings(document.text, path, {})  # nothing is written that cannot be read
            if document.text != text:
                _replace(target, document.text)
    except NotEditable as problem:
        raise SettingsError(f"{path}:{problem.line}: not saved: {problem}.") from None
    except OSError as error:
        raise SettingsError(f"{path} could not be written: {_why(error)}.") from error


def _settings(text: str, path: Path, environ: Mapping[str, str]) -> Settings:
    try:
        document = Document.parse(text)
    except tomllib.TOMLDecodeError as problem:
        raise SettingsError(f"{path}: this is no TOML: {problem}.") from None
    except ValueError:  # tomllib lets out what int() says of more than 4,300 digits
        raise SettingsError(f"{path}: a number in it has thousands of digits.") from None
    try:
        return settings_of(document, path, environ)
    except Misfit as problem:
        if not problem.path:  # the environment's
            raise SettingsError(f"{problem.why}.") from None
        raise Settings(path, document=document).fault(*problem.path, why=problem.why) from None


def _text(path: Path, *, is_wanted: bool) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_LIMIT + 1)
    except FileNotFoundError:
        if is_wanted:
            raise SettingsError(f"{path} is not there; name another file, or none.") from None
        return ""
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {_why(error)}.") from error
    if len(data) > _LIMIT:
        raise SettingsError(f"{path} is longer than {_LIMIT:,} bytes: that is no config.toml.")
    try:
        return data.decode()
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise SettingsError(f"{path}:{line}: this is not UTF-8.") from None


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _replace(target: Path, text: str) -> None:
    temporary = target.with_name(f"{target.name}.{secrets.token_hex(8)}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            with suppress(FileNotFoundError):
                os.fchmod(descriptor, target.stat().st_mode & 0o777)
            file.write(text.encode())
            file.flush()
            os.fsync(descriptor)
        temporary.replace(target)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
