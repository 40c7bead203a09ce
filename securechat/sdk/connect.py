"""`securechat.connect`: from what a script says about a server to an open `Chat`."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from pydantic import SecretStr

from ..client.client import ClientConfig
from ..client.first_use import settle
from ..client.known_file import KnownFile
from ..client.state import default_state_dir
from ..client.trust import SYSTEM, Trust
from ..client.trust_policy import Wishes
from ..target import parse_target
from .chat import Chat
from .values import BOT_MARK, Since


def connect(
    host: str = "localhost",
    port: int | None = None,
    *,
    nick: str,
    password: str | None = None,
    rooms: str | Sequence[str] = "#lobby",
    certs: str | PathLike[str] | None = "certs",
    fingerprint: str | None = None,
    since: Since = "now",
    state_dir: str | PathLike[str] | None = None,
    keep: bool = True,
    reconnect: bool = True,
    own: bool = False,
    bot: bool = False,
) -> Chat:
    """Connect, enter `rooms`, and return when we are in all of them.

    `host`: a name or an address, with a port behind it or not, as on the command line
    (`chat.example.org:7000`, `[::1]:7000`); `port`: the same by itself; where none is said, 55555.
    `password`: that of the account `nick`, where no session of it is kept here; read it from where
    others cannot. `fingerprint`: the server's key, as `securechat serve` prints it; it is
    remembered, as for the command line, and a key that is known decides alone. `certs`: the
    server's ca.pem, or a folder that has it; None: whom this machine trusts. `since`: from where on
    messages come (see `Since`).
    `state_dir`: the folder for what must outlive this run, so that the same nick is ours next time;
    None: that of the command line. `keep`: False keeps nothing at all, and the nick is nobody's to
    take for a week. `reconnect`: come back by ourselves when the link is lost. `own`: receive what
    we said, too. `bot`: say of our messages that a program wrote them.

    Raises `CannotConnect`, `NotTrusted`, `Refused`, `Rejected` for a room, `ValueError`.
    """
    host, port = parse_target(host, port)
    rooms = (rooms,) if isinstance(rooms, str) else tuple(rooms)
    after = None if isinstance(since, str) else since
    if since not in ("now", "last") and (after is None or after < 0):
        raise ValueError(f"since={since!r}; it is 'now', 'last' or the number of a message")
    config = ClientConfig(
        host=host,
        port=port,
        nick=nick,
        password=SecretStr(password) if password is not None else None,
        rooms=rooms if after is None else (),
        trust=_trust(host, port, certs, fingerprint),
        reconnect=reconnect,
        backlog=0,
        state_dir=(default_state_dir() if state_dir is None else Path(state_dir)) if keep else None,
        outbox=since == "last",
        mark=BOT_MARK if bot else "",
        acknowledges=since == "last",
    )
    chat = Chat(config, own=own)
    try:
        chat.open()
        if after is not None:  # the client itself knows no such start
            for room in rooms:
                chat.join(room, after=after)
    except BaseException:
        chat.close()
        raise
    return chat


def _trust(
    host: str, port: int, certs: str | PathLike[str] | None, fingerprint: str | None
) -> Trust:
    if certs is None and fingerprint is None:
        return SYSTEM
    wishes = Wishes(ca_file=_ca_file(certs), fingerprint=fingerprint)
    return settle(host, port, wishes, KnownFile(default_state_dir()))


def _ca_file(certs: str | PathLike[str] | None) -> Path | None:
    if certs is None:
        return None
    path = Path(certs)
    return path if path.is_file() else path / "ca.pem"
