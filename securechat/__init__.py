"""securechat: a TLS-secured chat with typed JSON message framing."""

__version__ = "0.1.0"
