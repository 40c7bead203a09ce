"""`securechat gui`: the window, or one line that says what to install for it."""

from __future__ import annotations

import platform
from importlib.util import find_spec
from typing import Annotated, Final

import typer

from ..errors import SecureChatError
from . import trusting
from .configuring import ConfigOption, ProfileOption, settings_of
from .connect import check_server_or_invite
from .options import check_room
from .report import reported

_BUILT_IN: Final = "localhost"
_PACKAGES: Final = (
    ("debian", "apt install python3-tk"),
    ("fedora", "dnf install python3-tkinter"),
    ("rhel", "dnf install python3-tkinter"),
    ("suse", "zypper install python3-tk"),
    ("arch", "pacman -S tk"),
    ("alpine", "apk add python3-tkinter"),
)


def _check_server(context: typer.Context, text: str | None) -> str | None:
    return None if text is None else check_server_or_invite(context, text)


def gui(
    context: typer.Context,
    server: Annotated[
        str | None,
        typer.Argument(
            metavar="INVITE|HOST[:PORT]",
            help="An invite, where the server is, or the name of a profile.",
            callback=_check_server,
        ),
    ] = None,
    *,
    nick: Annotated[str, typer.Option("--nick", metavar="NICK", help="What others call you.")] = "",
    room: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Room to enter; may be repeated.  [default: where you were last, or lobby]",
        ),
    ] = None,
    fill_in: Annotated[
        bool, typer.Option("--fill-in", help="Only fill the form in, and wait for Connect.")
    ] = False,
    add_to_menu: Annotated[
        bool,
        typer.Option(
            "--add-to-menu", help="Put it into the menu of your desktop, and open no window."
        ),
    ] = False,
    certs: trusting.Certs = None,
    ca: trusting.CaFile = None,
    fingerprint: trusting.Fingerprint = None,
    accept_new: trusting.AcceptNew = False,
    _config: ConfigOption = None,
    _profile: ProfileOption = None,
) -> None:
    """Chat in a window. Without arguments it asks where to, and as whom.

    \b
    Examples:
      securechat gui
      securechat gui 'securechat://chat.example.org:55555/#…'
      securechat gui chat.example.org --nick bob
    """
    with reported():
        _need_tkinter()
        if add_to_menu:
            _add_to_menu()
            return
        from ..gui.app import run

        rooms = [check_room(one) for one in room or ()]
        wishes = trusting.wishes(certs, ca, fingerprint, accept_new=accept_new)
        source = context.get_parameter_source("server")
        is_typed = source is not None and source.name == "COMMANDLINE"
        if not is_typed and server == _BUILT_IN:
            server = None  # nobody has chosen it; the window knows better what to suggest
        code = run(
            settings_of(context), wishes, server, nick, rooms, goes_in=is_typed and not fill_in
        )
    raise typer.Exit(code)


def _add_to_menu() -> None:
    from ..gui.desktop import add_to_menu

    if platform.system() == "Darwin":
        raise SecureChatError("There is no such menu on macOS: keep `securechat gui` in the Dock.")
    print(f"securechat is in the menu now, and opens invites that are clicked ({add_to_menu()})")


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
