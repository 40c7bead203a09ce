"""How a tool of the operator's gets its requests done: by the server that runs, or by itself.

In: the data folder and a request of `chat.admin`. Out: rows. Where a server runs on that folder, it
is asked over its socket; where none does, the folder is locked and its database is worked on with
the same hub, so there is one way in which things are decided. Raised: `OperatorError` with a
sentence for a person, `StoreError`.
"""

from __future__ import annotations

import json
import secrets
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, SecretStr

from ..chat.admin import Asked, password_of
from ..chat.effects import PERSISTENT, Effect, Reply
from ..chat.hub import NOBODY, Hub
from ..config import ChatLimits
from ..errors import SecureChatError
from ..store.lock import holder_of
from ..store.sqlite import open_store
from . import auth
from .admin import MAX_LINE, SOCKET_NAME
from .dispatcher import read_clocks

#: Seconds for a running server to answer.
_PATIENCE: Final = 15.0


class OperatorError(SecureChatError):
    """What was asked for was not done; the message says why and what to do."""


class Answer(NamedTuple):
    """Rows, and what a running server says of itself: `addresses`, `fingerprint`, `status`."""

    rows: list[dict[str, Any]]
    facts: Mapping[str, Any]


def operate(folder: Path, request: BaseModel) -> Answer:
    """Have a request done for the server whose data is in `folder`."""
    if holder_of(folder) is not None:
        return _ask_server(folder / SOCKET_NAME, request)
    if not folder.is_dir():
        raise OperatorError(
            f"{folder}: there is no server's data. Name the folder that `securechat serve` has, "
            "with --data."
        )
    return Answer(_do_alone(folder, request), {})


def ask(folder: Path, request: BaseModel) -> Answer:
    """Have a request answered that only a server can answer which runs on `folder`."""
    if holder_of(folder) is None:
        raise OperatorError(
            f"No server runs on {folder}. Name its data folder with --data; one that keeps nothing "
            "cannot be asked."
        )
    return _ask_server(folder / SOCKET_NAME, request)


def _ask_server(path: Path, request: BaseModel) -> Answer:
    line = json.dumps(_plain(request)).encode() + b"\n"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(_PATIENCE)
            sock.connect(str(path))
            sock.sendall(line)
            heard = b""
            while not heard.endswith(b"\n") and (more := sock.recv(MAX_LINE)):
                heard += more
        said = json.loads(heard)
    except PermissionError as error:
        raise OperatorError(f"{path}: only the user that the server runs as may ask it.") from error
    except (OSError, ValueError) as error:
        raise OperatorError(
            f"{path}: the server runs, but cannot be asked ({error}). Look at its log."
        ) from error
    if "error" in said:
        raise OperatorError(said["error"])
    return Answer(said.pop("rows"), said)


def _plain(request: BaseModel) -> dict[str, Any]:
    return {
        key: value.get_secret_value() if isinstance(value, SecretStr) else value
        for key, value in request.model_dump(mode="json", exclude_none=True).items()
    }


# ------------------------------------------------------------------ where no server runs


def _do_alone(folder: Path, request: BaseModel) -> list[dict[str, Any]]:
    """Do it as a server would that nobody is connected to."""
    password = password_of(request)
    hashed = auth.derive(password.get_secret_value()) if password is not None else None
    store = open_store(folder)
    try:
        hub = Hub(
            ChatLimits(),
            store.load(),
            new_token=lambda: secrets.token_urlsafe(32),
            choose=secrets.choice,
        )
        replies: list[Reply] = []

        def carry_out(effects: list[Effect]) -> None:
            records = [it.record for it in effects if isinstance(it, PERSISTENT)]
            outcomes = iter(store.commit(records, now.ts))
            for effect in effects:
                if isinstance(effect, PERSISTENT):
                    hub.settle(effect, next(outcomes))
                elif isinstance(effect, Reply):
                    replies.append(effect)

        now = read_clocks()
        carry_out(hub.start(now))
        carry_out(hub.decide([(NOBODY, Asked(1, request, hashed))], now))
        while not replies:  # stored first, then answered
            carry_out(hub.tick(now))
    finally:
        store.close()
    if replies[0].error is not None:
        raise OperatorError(replies[0].error)
    return [dict(row) for row in replies[0].rows]
