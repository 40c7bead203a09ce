"""What a user has chosen for good, as the defaults of options: `config.toml` and `SECURECHAT_*`.

A command that takes `ConfigOption` gets what was not typed from there: an option's key is its long
name. Who takes `ProfileOption` and names a server may name a profile instead. Raised within the
parsing of a command line: `typer.Exit(2)`, after one line that says what is wrong in which line of
which file.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

import typer

from ..errors import SettingsError
from . import completing
from .report import reported

if TYPE_CHECKING:
    from ..settings import Connect, Settings

_FILE: Final = "securechat.file"
_SETTINGS: Final = "securechat.settings"
_PROFILE: Final = "securechat.profile"
_LENIENT: Final = "securechat.lenient"

#: Commands that are for who runs a server; the others reach one. All but `serve` want to know of it
#: only where its folders are.
_OF_SERVERS: Final = frozenset({"serve", "reload", "db", "admin", "invite", "audit"})
_FOLDERS: Final = frozenset({"data", "certs"})


def settings_of(context: typer.Context) -> Settings:
    """The settings that a command goes by; raises SettingsError."""
    from ..settings import Settings, chosen_path, load

    found: Settings | None = context.meta.get(_SETTINGS)
    if found is None:
        try:
            found = load(file_of(context))
        except SettingsError:
            if not context.meta.get(_LENIENT):
                raise
            found = Settings(chosen_path(file_of(context)))
        context.meta[_SETTINGS] = found
    return found


def file_of(context: typer.Context) -> Path | None:
    """The file that `--config` names."""
    path: Path | None = context.meta.get(_FILE)
    return path


def check_server(context: typer.Context, text: str) -> str:
    """HOST[:PORT], or that of the profile whose name was given instead."""
    from .options import check_target

    if not context.resilient_parsing:
        with reported():
            profile = settings_of(context).profiles.get(text)
            if profile is not None:
                context.meta[_PROFILE] = text
                return profile.server or _connecting(context).server or text
    return check_target(text)


def _remember_file(context: typer.Context, path: Path | None) -> Path | None:
    if path is not None:
        context.meta[_FILE] = path
    return path


def _use_file(context: typer.Context, path: Path | None) -> Path | None:
    if not context.resilient_parsing:
        context.default_map = _Defaults(context)
    return _remember_file(context, path)


def _use_sound_file(context: typer.Context, path: Path | None) -> Path | None:
    context.meta[_LENIENT] = True
    return _use_file(context, path)


def _use_profile(context: typer.Context, name: str | None) -> str | None:
    if name is not None and not context.resilient_parsing:
        with reported():
            context.meta[_PROFILE] = _known_profile(settings_of(context), name)
    return name


def _known_profile(settings: Settings, name: str) -> str:
    if name in settings.profiles:
        return name
    from ..settings.reading import nearest

    hint = nearest(name, settings.profiles)
    raise SettingsError(f'{settings.path} has no profile "{name}"{hint or "."}')


def _config(callback: Callable[..., Path | None]) -> Any:
    """The option that names the file; Typer calls `callback` with it before all others."""
    return typer.Option(
        "--config",
        metavar="FILE",
        help="Settings, instead of those in your config folder.",
        is_eager=True,
        callback=callback,
    )


#: Before the command it means the same; there are no options there that have defaults.
EarlyConfigOption: TypeAlias = Annotated[Path | None, _config(_remember_file)]
ConfigOption: TypeAlias = Annotated[Path | None, _config(_use_file)]
#: For who tells of what is wrong with the file itself: then it counts as empty.
LenientConfigOption: TypeAlias = Annotated[Path | None, _config(_use_sound_file)]
ProfileOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="PROFILE",
        help="The settings of one server among several.",
        callback=_use_profile,
        autocompletion=completing.profiles,
    ),
]


class _Defaults(dict[str, Any]):
    """What a command line leaves open; looked up when all that was typed is known."""

    def __init__(self, context: typer.Context) -> None:
        super().__init__()
        self._context = context
        self._keys = {param.name: _key(param) for param in context.command.params}

    def get(self, name: str, default: Any = None) -> Any:
        """The default of one parameter; None: its own."""
        from ..settings import Connect, Serve

        context = self._context
        commands = {one.info_name for one in (context, context.parent) if one is not None}
        is_for_server = commands & _OF_SERVERS or context.params.get("of_server")
        section = Serve if is_for_server else Connect
        key = self._keys.get(name, "")
        if section is Connect and key == "host":
            key = "server"
        if key not in section.__slots__:
            return default
        if section is Serve and "serve" not in commands and key not in _FOLDERS:
            return default
        with reported():
            settings = settings_of(context)
            value = getattr(settings.serve if section is Serve else _connecting(context), key)
        return default if value is None else list(value) if isinstance(value, tuple) else value


def _key(param: Any) -> str:
    """The key of an option is its long name; the argument `server` has one, too."""
    names = [one for one in param.opts if one.startswith("--")]
    if not names:
        return "server" if param.name == "server" else ""
    if names == ["--server"]:  # of `doctor`: what to look at, not where
        return ""
    return str(max(names, key=len)).removeprefix("--").replace("-", "_")


def is_invite(server: str) -> bool:
    """Whether this was meant as an invite, whole or not."""
    return server.lower().startswith("securechat:")


def _place(typed: str | None) -> str | None:
    """Where that is: an invite names the place of its server."""
    if typed is None or not is_invite(typed):
        return typed
    from ..client.invite_link import InviteLink
    from ..client.known_servers import Server

    link = InviteLink.parse(typed)  # whole: it was looked at when it was parsed
    return str(Server.at(link.host, link.port))


def _connecting(context: typer.Context) -> Connect:
    settings = settings_of(context)
    typed = _place(context.params.get("server") or context.params.get("host"))
    profile = context.meta.get(_PROFILE)
    if profile is not None:  # it was typed, and so was its server
        typed = typed or settings.profiles[profile].server
    elif name := os.environ.get("SECURECHAT_PROFILE"):
        profile = _known_profile(settings, name)
    return settings.connecting(profile, typed)
