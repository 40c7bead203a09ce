"""Addresses of peers, as the log shows them and as many connections share them."""

from __future__ import annotations

import sys
from socket import socket


def show(host: str, port: int) -> str:
    """An address for a person: `127.0.0.1:5` or `[::1]:5`."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def host_of(shown: str) -> str:
    """The host of what `show` made; one string for all who come from there."""
    return sys.intern(shown.rpartition(":")[0].strip("[]"))


def show_peer(sock: socket, host: str) -> str:
    """Who is on the other side; without the port where the system has forgotten it already.

    A string for each connection would be 64 bytes, for a log line that few will ever cause.
    """
    try:
        return show(host, sock.getpeername()[1])
    except OSError:
        return host
