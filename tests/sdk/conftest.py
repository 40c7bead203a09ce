"""A real server for each test that wants one."""

from securechat.testing.fixtures import chat_server

__all__ = ["chat_server"]
