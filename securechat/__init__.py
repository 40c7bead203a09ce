"""securechat: a TLS-secured chat with typed JSON message framing.

The public API for scripts and bots is here, and is loaded when it is first used (PEP 562):
`import securechat` alone is as light as `securechat --help`. See docs/sdk.md.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .client.harmless import harmless_line
    from .errors import (
        CannotConnect,
        ClientError,
        GaveUp,
        NotTrusted,
        Refused,
        Rejected,
        SecureChatError,
        TimedOut,
    )
    from .sdk.bot import Bot
    from .sdk.chat import Chat
    from .sdk.connect import connect
    from .sdk.dispatch import Context
    from .sdk.values import (
        ChatLike,
        Connected,
        Disconnected,
        Event,
        Found,
        Member,
        Message,
        Page,
        Person,
        Receipt,
        Room,
        ServerInfo,
        Since,
    )

__version__ = "0.1.0"

__all__ = [
    "Bot",
    "CannotConnect",
    "Chat",
    "ChatLike",
    "ClientError",
    "Connected",
    "Context",
    "Disconnected",
    "Event",
    "Found",
    "GaveUp",
    "Member",
    "Message",
    "NotTrusted",
    "Page",
    "Person",
    "Receipt",
    "Refused",
    "Rejected",
    "Room",
    "SecureChatError",
    "ServerInfo",
    "Since",
    "TimedOut",
    "connect",
    "harmless_line",
]

_HOMES = {
    "Bot": "sdk.bot",
    "Chat": "sdk.chat",
    "Context": "sdk.dispatch",
    "connect": "sdk.connect",
    "harmless_line": "client.harmless",
    **dict.fromkeys(
        (
            *("CannotConnect", "ClientError", "GaveUp", "NotTrusted", "Refused", "Rejected"),
            *("SecureChatError", "TimedOut"),
        ),
        "errors",
    ),
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES.get(name, 'sdk.values')}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
