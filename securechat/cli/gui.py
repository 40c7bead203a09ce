"""`securechat gui`: the window, or one line that says what to install for it."""

from __future__ import annotations

import platform
from importlib.util import find_spec
from typing import Annotated, Final

import typer

from ..errors import SecureChatError
from . import trusting
from .options import check_room
from .report import reported

_PACKAGES: Final = (
    ("debian", "apt install python3-tk"),
    ("fedora", "dnf install python3-tkinter"),
    ("rhel", "dnf install python3-tkinter"),
    ("suse", "zypper install python3-tk"),
    ("arch", "pacman -S tk"),
    ("alpine", "apk add python3-tkinter"),
)


def gui(
    server: Annotated[str | None, typer.Argument(metavar="HOST[:PORT]")] = None,
    *,
    nick: Annotated[str, typer.Option("--nick", metavar="NICK", help="What others call you.")] = "",
    room: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Room to enter; may be repeated.  [default: lobby]"),
    ] = None,
    certs: trusting.Certs = None,
    ca: trusting.CaFile = None,
    fingerprint: trusting.Fingerprint = None,
    accept_new: trusting.AcceptNew = False,
) -> None:
    """Chat in a window. Without arguments it asks where to, and as whom.

    \b
    Examples:
      securechat gui
      securechat gui chat.example.org --nick bob
    """
    with reported():
        _need_tkinter()
        from ..gui.app import run
        from ..settings import load

        rooms = [check_room(one) for one in room or ["lobby"]]
        wishes = trusting.wishes(certs, ca, fingerprint, accept_new=accept_new)
        raise typer.Exit(run(load(), wishes, server, nick, rooms))


def _need_tkinter() -> None:
    if find_spec("tkinter") is not None and find_spec("_tkinter") is not None:
        return
    raise SecureChatError(
        f"The window needs tkinter, which this Python has not. Install it: {_how_to_install()}. "
        "`securechat connect` does without."
    )


def _how_to_install() -> str:
    """The command of this system's packages, or where Python comes with it."""
    if platform.system() == "Darwin":
        return "brew install python-tk"
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    names = f"{release.get('ID', '')} {release.get('ID_LIKE', '')}".split()
    found = [command for system, command in _PACKAGES if system in names]
    return found[0] if found else "apt install python3-tk, dnf install python3-tkinter"
