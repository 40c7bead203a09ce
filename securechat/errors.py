"""Every exception that securechat raises on purpose, in one tree.

    SecureChatError
    ├── ProtocolError                 what travels on the wire broke its rules
    │   ├── LocalProtocolError        we tried to send what may not be sent now: a bug on our side
    │   └── RemoteProtocolError       the peer did; carries the `code` and `message` to answer with
    ├── Rejected                      a polite no to one envelope: `code`, `message`; life goes on
    ├── TimedOut                      no answer within the time that the caller gave it
    ├── CertificateError              a certificate or key file that cannot be used
    ├── ServerStartError              the server cannot start: port taken, no such address
    ├── SettingsError                 config.toml or SECURECHAT_*: unreadable, wrong key or value
    ├── StoreError                    the database said no
    │   ├── StoreFull                 no room: refuse now, try again later
    │   ├── StoreBroken               what was written may be lost: stop, never go on
    │   └── StoreRefused              not opened: newer, damaged, foreign or in use; says the cure
    └── ClientError                   what ends a client; carries the exit code of the command line
        ├── CannotConnect             no server reached
        ├── NotTrusted                the server's key or certificate was refused
        │   ├── UnknownSigner         because nobody whom we trust vouches for it
        │   └── KeyChanged            because it is not the one we know
        ├── Refused                   the server said no for good
        └── GaveUp                    the link was lost and was not to be won back

Every message is one sentence for a person: what was wrong, why, and what to do about it.
"""

from __future__ import annotations


class SecureChatError(Exception):
    """Base of all errors raised on purpose; `str()` of it is fit for a person to read.

    `exit_code` is what a command exits with that ends with it.
    """

    exit_code = 1


class ProtocolError(SecureChatError):
    """Base of the two faces of a broken wire rule; never raised itself."""


class LocalProtocolError(ProtocolError):
    """We tried to send what the state of the connection forbids: a bug, not a peer's fault."""


class RemoteProtocolError(ProtocolError):
    """The peer broke the protocol and the connection must end.

    `code` and `message` are those of the `error` event to send before closing.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Rejected(SecureChatError):
    """One envelope is refused and life goes on.

    `code` and `message` make the `error` event; `retry_after` (seconds) tells when another try
    may succeed.
    """

    def __init__(self, code: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry_after = retry_after


class TimedOut(SecureChatError, TimeoutError):
    """Nothing came in time; what was sent may still arrive, or be answered."""


class CertificateError(SecureChatError):
    """A certificate or key cannot be read, trusted or written; the message names file and cure."""


class ServerStartError(SecureChatError):
    """The server cannot start; the message says why and what to do."""


class SettingsError(SecureChatError):
    """A setting is wrong, or cannot be kept; the message names file, line and key."""

    exit_code = 2


class StoreError(SecureChatError):
    """Base of what a store raises."""


class StoreFull(StoreError):
    """Nothing of the batch was stored because there is no room; a later try may succeed."""


class StoreBroken(StoreError):
    """The store can no longer be believed (failed fsync, corrupt page): stop the server."""


class StoreRefused(StoreError):
    """The store was not opened; the message names the path, the reason and the cure."""


class ClientError(SecureChatError):
    """Base of what ends a client."""


class CannotConnect(ClientError):
    """No server answered at the address."""

    exit_code = 3


class NotTrusted(ClientError):
    """The server's key or certificate is not one that we trust; nothing of ours was sent."""

    exit_code = 4


class UnknownSigner(NotTrusted):
    """The certificate is signed by nobody whom we trust; a person may still know the key."""


class KeyChanged(NotTrusted):
    """The server shows another key than the one we know: a hard stop, whenever it happens.

    `known` and `shown` are the fingerprints; `shown` may be what an invite names. "": not told.
    """

    def __init__(self, message: str, *, known: str = "", shown: str = "") -> None:
        super().__init__(message)
        self.known = known
        self.shown = shown


class Refused(ClientError):
    """The server refused us for good: nick taken, wrong password, server full, wrong protocol.

    `code` is that of its `error`, "" where it gave none.
    """

    exit_code = 5

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class GaveUp(ClientError):
    """The link was lost and we were told not to come back, or could not."""

    exit_code = 7
