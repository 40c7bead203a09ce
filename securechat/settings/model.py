"""The settings as frozen values. Each field is a row: what it may be, and what it is for.

A key of the file is a field here: `[connect]`, `[profiles.NAME]`, `[ui]`, `[serve]`; `[keys]` has
the names of a front end's actions, which that front end knows. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    Literal,
    NamedTuple,
    Self,
    TypeAlias,
    get_args,
    get_type_hints,
)

from ..errors import SettingsError
from ..target import parse_target
from . import kinds

if TYPE_CHECKING:
    from .document import Document

Bell: TypeAlias = Literal["off", "mentions", "private", "all"]
Theme: TypeAlias = Literal["system", "dark", "light", "high-contrast"]
Joins: TypeAlias = Literal["fold", "show", "hide"]

#: Keys that say how a server is trusted, and what it is shown of us: they are for the server that
#: stands beside them.
TRUST: Final = frozenset(
    {"certs", "ca", "fingerprint", "accept_new", "client_cert", "password_file"}
)


class Row(NamedTuple):
    """A field, for who reads, explains or completes it."""

    key: str
    kind: kinds.Kind
    about: str
    default: object


@dataclass(frozen=True, slots=True)
class Section:
    """What the sections of the file have in common; None: nothing was said."""

    @classmethod
    def rows(cls) -> Mapping[str, Row]:
        """The fields by their keys."""
        hints = get_type_hints(cls, include_extras=True)
        found = {}
        for one in fields(cls):
            kind, about = hints[one.name].__metadata__
            found[one.name] = Row(one.name, kind, about, one.default)
        return MappingProxyType(found)

    def over(self, values: Mapping[str, Any]) -> Self:
        """The same with `values` above it."""
        return replace(self, **values)


_Path: TypeAlias = Path | None
_Text: TypeAlias = str | None
_Flag: TypeAlias = bool | None
_Amount: TypeAlias = float | None
_Width: TypeAlias = int | None
_Several: TypeAlias = tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Connect(Section):
    """Defaults of all commands that reach a server: their options by their names."""

    server: Annotated[_Text, kinds.TARGET, "where the server is"] = None
    nick: Annotated[_Text, kinds.NICK, "what others call you"] = None
    room: Annotated[_Several, kinds.several(kinds.ROOM), "rooms that connect enters"] = None
    certs: Annotated[_Path, kinds.PATH, "trust servers that ca.pem in it has signed"] = None
    ca: Annotated[_Path, kinds.PATH, "the same, by the file's own name"] = None
    fingerprint: Annotated[_Text, kinds.FINGERPRINT, "trust the server with this key"] = None
    password_file: Annotated[_Path, kinds.PATH, "file whose first line is the password"] = None
    accept_new: Annotated[_Flag, kinds.FLAG, "trust an unknown server unseen"] = None
    client_cert: Annotated[_Path, kinds.PATH, "your own certificate and key"] = None
    line: Annotated[_Flag, kinds.FLAG, "line by line, instead of the full screen"] = None
    plain: Annotated[_Flag, kinds.FLAG, "as line, without colours and cursor moves"] = None
    no_color: Annotated[_Flag, kinds.FLAG, "no colours"] = None
    no_reconnect: Annotated[_Flag, kinds.FLAG, "end when the connection is lost"] = None
    wait: Annotated[_Amount, kinds.number("wait"), "seconds to wait for a silent server"] = None


@dataclass(frozen=True, slots=True)
class Ui(Section):
    """How the clients for people look and ring."""

    bell: Annotated[Bell, kinds.word(*get_args(Bell)), "what rings; /bell sets it"] = "mentions"
    notices: Annotated[bool, kinds.FLAG, "a notice on the desktop with what rings"] = True
    theme: Annotated[Theme, kinds.word(*get_args(Theme)), "colours"] = "system"
    font_size: Annotated[int | None, kinds.integer(6, 72), "of the window, in points"] = None
    joins: Annotated[Joins, kinds.word(*get_args(Joins)), "who comes and goes"] = "fold"
    words: Annotated[tuple[str, ...], kinds.several(kinds.WORD), "call you, beside your nick"] = ()
    rooms_width: Annotated[_Width, kinds.integer(5, 200), "left side, in heights of text"] = None
    people_width: Annotated[_Width, kinds.integer(5, 200), "right side, likewise"] = None


@dataclass(frozen=True, slots=True)
class Serve(Section):
    """Defaults of `serve`: its options by their names."""

    host: Annotated[_Text, kinds.TEXT, "where to listen"] = None
    port: Annotated[int | None, kinds.number("port", int), "the port; 0: any free one"] = None
    certs: Annotated[_Path, kinds.PATH, "folder with cert.pem and key.pem"] = None
    client_ca: Annotated[_Path, kinds.PATH, "let in only whom this authority signed"] = None
    data: Annotated[_Path, kinds.DATA, "folder for history"] = None
    keep_days: Annotated[
        _Amount, kinds.number("keep_days"), "remove messages older than N days"
    ] = None
    keep_mb: Annotated[_Amount, kinds.number("keep_mb"), "remove the oldest beyond N megabytes"] = (
        None
    )
    keep_room: Annotated[_Several, kinds.several(kinds.KEEP), "what single rooms keep"] = None
    guest_days: Annotated[
        _Amount, kinds.number("guest_days"), "how long an unused guest keeps a nick"
    ] = None
    guests: Annotated[_Text, kinds.word("yes", "no"), "who has no account comes in"] = None
    io_threads: Annotated[
        int | None, kinds.number("io_threads", int), "threads for connections"
    ] = None
    rate: Annotated[
        _Amount, kinds.number("rate"), "frames a second and connection; 0: no limit"
    ] = None
    burst: Annotated[int | None, kinds.number("burst", int), "frames that may come at once"] = None
    grace: Annotated[_Amount, kinds.number("grace"), "seconds until a lost link is a departure"] = (
        None
    )
    trust_loopback: Annotated[_Text, kinds.word("yes", "no"), "free this machine of these"] = None
    per_address: Annotated[
        int | None, kinds.number("per_address", int), "connections of one address; 0: no limit"
    ] = None
    new_per_address: Annotated[
        _Amount, kinds.number("new_per_address"), "new ones of an address a second"
    ] = None
    handshakes: Annotated[
        _Amount, kinds.number("handshakes"), "handshakes begun in all a second"
    ] = None
    greeting: Annotated[
        int | None, kinds.number("greeting", int), "connections without hello yet, in all"
    ] = None
    messages_per_address: Annotated[
        _Amount, kinds.number("messages_per_address"), "frames of an address a second"
    ] = None
    limit: Annotated[_Several, kinds.several(kinds.LIMIT), "any other limit"] = None
    json_log: Annotated[_Flag, kinds.FLAG, "log one JSON object a line"] = None


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Settings:
    """All of it. `environment` is what SECURECHAT_* say for `connect`; in the rest it is included.

    `path` is where it was read, or will be written.
    """

    path: Path
    connect: Connect = Connect()
    profiles: Mapping[str, Connect] = field(default_factory=_nothing)
    ui: Ui = Ui()
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=_nothing)
    serve: Serve = Serve()
    environment: Connect = Connect()
    document: Document | None = field(default=None, repr=False, compare=False)

    def connecting(self, profile: str | None = None, server: str | None = None) -> Connect:
        """What counts when we reach for `server` (None: the one that is set), with `profile`.

        The environment is above the profile, the profile above `[connect]`. What says how a server
        is trusted counts only where it stands beside that server, or beside none. Raises KeyError
        for a profile that is not there.
        """
        chosen = () if profile is None else (self.profiles[profile],)
        sections = (self.environment, *chosen, self.connect)
        server = server or _first(sections, "server") or "localhost"
        values = {
            key: _first([one for one in sections if key not in TRUST or _is_for(one, server)], key)
            for key in Connect.__slots__
        }
        return Connect(**{**values, "server": server})

    def fault(self, *way: str, why: str) -> SettingsError:
        """The error about the key to which `way` leads; a front end may know what we do not."""
        where = f":{self.document.line_of(way)}" if self.document is not None else ""
        return SettingsError(f"{self.path}{where}: {why}.".replace("?.", "?"))


def _first(sections: Any, key: str) -> Any:
    return next((value for one in sections if (value := getattr(one, key)) is not None), None)


def _is_for(section: Connect, server: str) -> bool:
    if section.server is None:
        return True
    return _place(section.server) == _place(server)


def _place(server: str) -> tuple[str, int]:
    host, port = parse_target(server)
    return host.lower().removesuffix("."), port
