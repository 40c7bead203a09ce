"""The window in the menu of the desktop, where a click on an invite opens it, too.

A desktop entry (freedesktop.org, Desktop Entry Specification 1.5) and its icon, in the folder of
the user's applications. An invite that is clicked fills the form in and waits: a page of the web
shall not connect anybody. Raised: `SecureChatError` where it cannot be written.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ..errors import SecureChatError
from .aside import call_aside

#: Seconds that the desktop may take to notice.
_PATIENCE: Final = 10.0
_PLAIN: Final = re.compile(r"[A-Za-z0-9_./+:@-]+")
_ICON: Final = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">
<path fill="#005fb8" d="M12 8h40a8 8 0 0 1 8 8v24a8 8 0 0 1-8 8H30L16 60V48h-4a8 8 0 0 1-8-8V16\
a8 8 0 0 1 8-8z"/>
<path fill="#fff" d="M24 27v-4a8 8 0 0 1 16 0v4h2v13H22V27zm4 0h8v-4a4 4 0 0 0-8 0z"/>
</svg>
"""


def entry_of(command: Sequence[str]) -> str:
    """The text of the entry that starts `command`."""
    started = " ".join([*map(_quoted, command), "gui", "--fill-in", "%u"])
    return (
        "[Desktop Entry]\n"
        "Type=Application\n"
        "Name=securechat\n"
        "GenericName=Chat\n"
        "Comment=Talk with people you know, private on the way\n"
        f"Exec={started}\n"
        "Icon=securechat\n"
        "Terminal=false\n"
        "Categories=Network;Chat;InstantMessaging;\n"
        "MimeType=x-scheme-handler/securechat;\n"
        "StartupWMClass=Securechat\n"
    )


def command_of_ours() -> list[str]:
    """How this program is started from anywhere."""
    started = Path(sys.argv[0])
    if started.name == "securechat" and os.access(started, os.X_OK):
        return [str(started.resolve())]
    return [sys.executable, "-m", "securechat"]


def add_to_menu() -> Path:
    """Write entry and icon; the entry's path."""
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
    entry = data / "applications/securechat.desktop"
    icon = data / "icons/hicolor/scalable/apps/securechat.svg"
    try:
        for path, text in ((icon, _ICON), (entry, entry_of(command_of_ours()))):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    except OSError as error:
        why = (error.strerror or "").lower()
        raise SecureChatError(f"{error.filename} cannot be written ({why}).") from error
    _tell("update-desktop-database", str(entry.parent))
    _tell("xdg-mime", "default", entry.name, "x-scheme-handler/securechat")
    return entry


def _tell(*command: str) -> None:
    """Tell the desktop at once, where it has that command; else it notices by itself."""
    if shutil.which(command[0]) is not None:
        call_aside(command, _PATIENCE)


def _quoted(word: str) -> str:
    """One word of `Exec`: quoted as there, then escaped as in any value, a % doubled."""
    word = word.replace("%", "%%")
    if _PLAIN.fullmatch(word):
        return word
    quoted = re.sub(r'(["`$\\])', r"\\\1", word)
    return '"' + quoted.replace("\\", "\\\\") + '"'
