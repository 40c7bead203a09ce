"""For those who write scripts and bots: a real server for a test, and a bot without any.

    Harness       what would this bot say? No server, no thread, no clock
    ChatServer    a whole server on a free port, with certificates that nobody keeps
    fixtures.py   `chat_server`, a fresh `ChatServer` for each test, for pytest

In a `conftest.py`: `pytest_plugins = ["securechat.testing.fixtures"]`. The guide is docs/sdk.md.
"""

from .harness import Harness, Said
from .server import ChatServer

__all__ = ["ChatServer", "Harness", "Said"]
