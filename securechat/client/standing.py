"""Whether we are a guest, so that nobody is asked for passwords that the server has no use for.

Pure; a part of `controller`. In: the server's welcome, and what it says of our account.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from ..protocol.envelopes import AccountIs, System, Welcome

_OF_GUESTS: Final = MappingProxyType(
    {"passwd": "You are a guest, and have no password. /register makes an account of your nick."}
)
_OF_ACCOUNTS: Final = MappingProxyType(
    {
        "register": "You have an account: {account}. /passwd sets another password.",
        "login": "You are logged in already, as {account}. /logout first.",
    }
)


class Standing:
    """`account` is the name of ours; None: we are a guest, or nobody has told yet."""

    def __init__(self) -> None:
        self.account: str | None = None
        self._is_known = False

    def greet(self, welcome: Welcome) -> None:
        """The server knows us; one without accounts is to say so itself."""
        self.account = welcome.account
        self._is_known = "accounts" in welcome.features

    def hear(self, event: System) -> None:
        """We have an account from here on."""
        if isinstance(event, AccountIs):
            self.account = event.account

    def refusal(self, command: str) -> str | None:
        """Why the server would refuse this command whatever one types; None: it may not."""
        if not self._is_known:
            return None
        if self.account is None:
            return _OF_GUESTS.get(command)
        told = _OF_ACCOUNTS.get(command)
        return None if told is None else told.format(account=self.account)
