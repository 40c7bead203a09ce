"""A look at what a client keeps on this machine: its settings and its state, and who may read them.

Out come `Finding`s; nothing is changed, and nothing is raised for what a disk can be.
"""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path

from ..errors import NotTrusted, SettingsError
from ..findings import Finding, fail, ok, warn
from ..settings import chosen_path, load
from .known_file import KnownFile


def examine_settings(named: Path | None) -> Finding:
    """`config.toml`: whether it can be read, and who else may write it."""
    path = chosen_path(named)
    try:
        settings = load(named)
        mode = path.stat().st_mode
    except SettingsError as error:
        return fail("settings", str(error), f"${{EDITOR:-vi}} {shlex.quote(str(path))}")
    except FileNotFoundError:
        return ok("settings", f"none; they would be in {path}")
    except OSError as error:
        return fail("settings", f"{path}: {error.strerror}")
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        cure = shlex.join(["chmod", "go-w", str(path)])
        return warn("settings", f"others may write {path}", cure)
    profiles = f", profiles {', '.join(settings.profiles)}" if settings.profiles else ""
    return ok("settings", f"{path}{profiles}")


def examine_state(folder: Path) -> Iterator[Finding]:
    """The folder of sessions, keys of servers and unsent lines."""
    try:
        status = folder.stat()
    except FileNotFoundError:
        yield ok("state", f"nothing is kept yet; it would be in {folder}")
        return
    except OSError as error:
        yield fail("state", f"{folder}: {error.strerror}")
        return
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        cure = shlex.join(["mv", str(folder), f"{folder}.old"])
        yield fail("state", f"{folder} is not a folder of yours, so nothing can be kept", cure)
        return
    if status.st_mode & 0o077:
        cure = shlex.join(["chmod", "700", str(folder)])
        yield warn("state", f"others may look into {folder}", cure)
    else:
        yield ok("state", f"{folder}, for you alone")
    yield from _files(folder)
    yield _known(folder)


def _files(folder: Path) -> Iterator[Finding]:
    try:
        open_to_others = [
            path
            for path in sorted(folder.iterdir())
            if path.is_file() and path.stat().st_mode & 0o077
        ]
    except OSError as error:
        yield fail("state", f"{folder}: {error.strerror}")
        return
    for path in open_to_others:
        cure = shlex.join(["chmod", "600", str(path)])
        yield warn("state", f"others may read {path}, so it is not used", cure)


def _known(folder: Path) -> Finding:
    file = KnownFile(folder)
    try:
        known = file.load()
    except NotTrusted as error:
        cure = shlex.join(["mv", str(file.path), f"{file.path}.old"])
        return fail("servers", str(error), cure)
    count = len(known.entries)
    return ok("servers", f"{count} known" if count else "none is known yet")
