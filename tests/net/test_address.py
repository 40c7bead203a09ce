"""Addresses as the log shows them."""

from __future__ import annotations

import socket

import pytest

from securechat.net.address import host_of, show, show_peer


@pytest.mark.parametrize(
    ("host", "shown"),
    [("127.0.0.1", "127.0.0.1:5"), ("::1", "[::1]:5"), ("fe80::1", "[fe80::1]:5")],
)
def test_what_is_shown_tells_the_host_again(host: str, shown: str) -> None:
    assert show(host, 5) == shown
    assert host_of(shown) == host
    assert host_of(shown) is host_of(show(host, 6)), "one string for all who come from there"


def test_a_peer_is_shown_with_its_port_while_it_is_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with socket.create_connection(listener.getsockname()) as far:
            near, address = listener.accept()
            assert show_peer(near, "127.0.0.1") == show(*address) == show(*far.getsockname())
        near.close()
        assert show_peer(near, "127.0.0.1") == "127.0.0.1"
