"""Getting in: by an invite, or with a password that is asked for where the server wants one.

Raised: what `client.accept` and a chat raise; where nobody can be asked, `Refused` says by which
option it could have been told.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeGuard

from ..errors import ClientError, Refused
from . import passwords, trusting
from .options import check_password
from .report import complain

if TYPE_CHECKING:
    from ..client.client import ClientConfig
    from ..client.trust_policy import Wishes

#: So often is a person asked for what the server did not take.
_TRIES: Final = 3
_WANTS_PASSWORD: Final = frozenset({"auth_failed", "auth_required"})
_WANTS_NICK: Final = frozenset({"bad_nick", "nick_taken"})


def asks_for_password(error: ClientError | None) -> TypeGuard[Refused]:
    """Whether a password would let us in."""
    return isinstance(error, Refused) and error.code in _WANTS_PASSWORD


def with_password(config: ClientConfig, chat: Callable[[ClientConfig], int]) -> int:
    """Chat; when the server wants a password, ask for it and chat then. Returns the exit code."""
    for _ in range(_TRIES):
        try:
            return chat(config)
        except Refused as no:
            if not asks_for_password(no):
                raise
            if not passwords.can_ask():
                if config.password is not None:
                    raise
                cure = "Give it with --password-file FILE."
                raise Refused(f"{no} {cure}", no.code) from None
            complain(str(no))
            password = check_password(passwords.ask(f"Password of {config.nick}: "))
        from pydantic import SecretStr

        config = replace(config, password=SecretStr(password))
    return chat(config)


def accept(invite: str, nick: str | None, wishes: Wishes) -> tuple[str, str, str | None]:
    """Accept an invite: where its server is, as whom we go there, and which room it leads to."""
    from ..client import accept as client_accept
    from ..client.invite_link import InviteLink
    from ..client.known_servers import Server
    from ..client.state import default_state_dir

    link = InviteLink.parse(invite)
    pinned = replace(wishes, ca_file=None, fingerprint=link.fingerprint, accept_new=False)
    trust = trusting.settle(link.host, link.port, pinned)
    where = str(Server.at(link.host, link.port))
    for _ in range(_TRIES):
        try:
            found = client_accept.accept(link, nick, trust, default_state_dir(), complain)
        except Refused as no:
            if no.code not in _WANTS_NICK:
                raise
            if not passwords.can_ask():
                raise Refused(f"{no} Give one with --nick NICK.", no.code) from None
            complain(str(no))
            nick = _ask_nick()
        else:
            return where, found.nick, found.room
    raise Refused("No nick was found that the server takes. Start again with another one.")


def _ask_nick() -> str:
    sys.stderr.write("What shall others call you? ")
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        raise Refused("No nick was given. Give one with --nick NICK.")
    return line.strip()[:64]
