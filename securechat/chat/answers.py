"""Errors as envelopes: how a polite no and a full disk are told. Nothing is raised."""

from __future__ import annotations

from typing import Final

from ..errors import Rejected
from ..protocol.envelopes import FATAL_CODES, Error

#: Seconds after which it is worth while to send again what could not be stored.
STORAGE_RETRY: Final = 5.0
_NO_ROOM: Final = "The server has no room to store this; it was not accepted. Send it again later."


def refuse(no: Rejected, re: str | None) -> Error:
    """A polite no to what `re` names."""
    fatal = no.code in FATAL_CODES
    return Error(code=no.code, message=no.message, fatal=fatal, retry_after=no.retry_after, re=re)


def storage_error(re: str) -> Error:
    """What `re` names could not be stored."""
    return Error(code="storage", message=_NO_ROOM, retry_after=STORAGE_RETRY, re=re)
