"""What one run of a client starts from."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import SecretStr

from ..protocol.envelopes import DEFAULT_PORT
from .snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Plan:
    """What a session starts from.

    `run` are 128 random bits as text, the same for no other run. `session` and `saved` are what
    earlier runs left. `backlog`: with so many messages from before a conversation begins.
    `password` and `invite` let in who has no session. `greet_within`: seconds for the server to
    answer `hello`. `reads` and `patient` are those of
    `ClientConfig`.
    """

    host: str
    nick: str
    run: str
    port: int = DEFAULT_PORT
    rooms: tuple[str, ...] = ()
    backlog: int = 50
    client_name: str = "securechat"
    reconnect: bool = True
    reads: bool = True
    patient: bool = False
    greet_within: float = 10.0
    session: str | None = None
    password: SecretStr | None = None
    invite: SecretStr | None = None
    saved: tuple[Snapshot, ...] = ()
