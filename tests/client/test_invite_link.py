"""An invite as a line: written, read back, and refused where it is not whole."""

from __future__ import annotations

import pytest

from securechat.client.invite_link import InviteLink

KEY = "SHA256:KiMk0krprk/2WuUPclRqS8wLWJpMTdT2WRVUL/nd7D8"
PIN = "KiMk0krprk_2WuUPclRqS8wLWJpMTdT2WRVUL_nd7D8"
TOKEN = "wohw1DXyW9uRWLVXBoKrTi"


@pytest.mark.parametrize(
    ("host", "port", "line"),
    [
        ("chat.example.org", 55_555, f"securechat://chat.example.org:55555/#{TOKEN}.{PIN}"),
        ("10.0.0.7", 7_000, f"securechat://10.0.0.7:7000/#{TOKEN}.{PIN}"),
        ("::1", 1, f"securechat://[::1]:1/#{TOKEN}.{PIN}"),
    ],
)
def test_a_link_says_where_what_and_whom(host: str, port: int, line: str) -> None:
    link = InviteLink(host, port, TOKEN, KEY)
    assert link.render() == line
    assert InviteLink.parse(f" {line}\n") == link


@pytest.mark.parametrize("where", ["chat.example.org", "chat.example.org/", "[::1]"])
def test_the_usual_port_may_be_left_out(where: str) -> None:
    link = InviteLink.parse(f"securechat://{where}#{TOKEN}.{PIN}")
    assert (link.port, link.token, link.fingerprint) == (55_555, TOKEN, KEY)


@pytest.mark.parametrize(
    "line",
    [
        "securechat://chat.example.org/",
        f"securechat://chat.example.org/#{TOKEN}",
        f"securechat://chat.example.org/#{TOKEN}.{PIN[:-1]}",
        f"securechat://chat.example.org/#{TOKEN}.{PIN}x",
        f"securechat://chat.example.org/#.{PIN}",
        f"securechat:///#{TOKEN}.{PIN}",
        f"securechat://me@chat.example.org/#{TOKEN}.{PIN}",
        f"https://chat.example.org/#{TOKEN}.{PIN}",
        f"securechat://chat.example.org:0/#{TOKEN}.{PIN}",
        f"securechat://chat.example.org:70000/#{TOKEN}.{PIN}",
    ],
)
def test_what_is_not_whole_is_refused_and_not_repeated(line: str) -> None:
    with pytest.raises(ValueError) as refusal:
        InviteLink.parse(line)
    assert TOKEN not in str(refusal.value)


def test_the_token_is_not_shown() -> None:
    assert TOKEN not in repr(InviteLink("h", 1, TOKEN, KEY))
