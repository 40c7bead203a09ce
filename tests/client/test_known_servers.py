"""The known servers as text and as a value."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securechat.client.known_servers import (
    AUTHORITIES,
    Known,
    KnownServers,
    Server,
    parse_fingerprint,
)

A = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"  # of nothing at all
A_HEX = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
B = "SHA256:" + "A" * 43
TODAY = date(2026, 11, 25)


@pytest.mark.parametrize(
    ("host", "server", "shown", "typed"),
    [
        ("localhost", ("localhost", 55555), "localhost:55555", "localhost"),
        ("Chat.Example.ORG.", ("chat.example.org", 55555), "chat.example.org:55555", None),
        ("::1", ("::1", 55555), "[::1]:55555", "[::1]"),
        ("0:0:0:0:0:0:0:1", ("::1", 55555), "[::1]:55555", "[::1]"),
        ("FE80::1%eth0", ("fe80::1%eth0", 55555), "[fe80::1%eth0]:55555", None),
        ("192.0.2.7", ("192.0.2.7", 55555), "192.0.2.7:55555", "192.0.2.7"),
    ],
)
def test_a_server_has_one_name(
    host: str, server: tuple[str, int], shown: str, typed: str | None
) -> None:
    one = Server.at(host)
    assert (one, str(one)) == (server, shown)
    assert typed is None or one.typed == typed
    assert Server.at(host, 7).typed == shown.replace("55555", "7")


@pytest.mark.parametrize(
    "text", [A, f"{A}=", A_HEX, A_HEX.upper(), bytes.fromhex(A_HEX).hex(":").upper()]
)
def test_a_fingerprint_has_one_form(text: str) -> None:
    assert parse_fingerprint(text) == A


@pytest.mark.parametrize(
    "text",
    ["", "yes", A[:-1], f"{A}A", A[7:], A.lower()[:7] + A[7:], A_HEX[:-2], f" {A}", f"{A}\n"],
)
def test_what_is_no_fingerprint(text: str) -> None:
    with pytest.raises(ValueError, match="a fingerprint is SHA256: and 43 letters"):
        parse_fingerprint(text)


def test_changes_give_new_values() -> None:
    none, here = KnownServers(), Server.at("localhost")
    one = none.with_key(here, A, TODAY)
    other = one.with_key(here, B, TODAY).with_key(Server.at("localhost", 7), A, TODAY)
    assert none.find(here) is None
    assert one.find(here) == Known(A, TODAY)
    assert other.find(here) == Known(B, TODAY)
    assert other.find(Server.at("localhost", 7)) == Known(A, TODAY)  # a port of its own
    assert other.without(here).entries.keys() == {Server.at("localhost", 7)}


def test_the_file_is_a_line_for_each() -> None:
    known = (
        KnownServers()
        .with_key(Server.at("localhost"), A, TODAY)
        .with_key(Server.at("::1", 7), AUTHORITIES, TODAY)
    )
    header, *lines = known.render().splitlines()
    assert header.startswith("#")
    assert lines == ["[::1]:7 authorities 2026-11-25", f"localhost:55555 {A} 2026-11-25"]


@given(
    st.dictionaries(
        st.builds(
            Server.at,
            st.from_regex(r"[a-z][a-z0-9.-]{0,20}[a-z]", fullmatch=True)
            | st.ip_addresses().map(str),
            st.integers(1, 65_535),
        ),
        st.builds(
            Known,
            st.just(AUTHORITIES) | st.binary(min_size=32, max_size=32).map(bytes.hex),
            st.dates(),
        ),
    )
)
def test_what_is_written_is_read(entries: dict[Server, Known]) -> None:
    known = KnownServers()
    for server, (key, since) in entries.items():
        key = key if key == AUTHORITIES else parse_fingerprint(key)
        known = known.with_key(server, key, since)
    assert KnownServers.parse(known.render()).entries == known.entries


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("localhost:1", "line 1 is damaged: it is not HOST:PORT KEY DATE"),
        (f"# x\n\nlocalhost {A} 2026-11-25", "line 3 is damaged: it does not begin with HOST:PORT"),
        (f"localhost:0 {A} 2026-11-25", "begin with HOST:PORT"),
        (f"a:65536 {A} 2026-11-25", "begin with HOST:PORT"),
        (f"localhost:1 {A[:-1]} 2026-11-25", "a fingerprint is"),
        (f"localhost:1 {A} 2026-13-25", "month must be in"),
        (f"a:1 {A} 2026-11-25\nA.:1 {B} 2026-11-25", "line 2 names a:1 a second time"),
        (f"localhost:1 {A} 2026-11-25\nlocalho", "line 2 is damaged"),
    ],
)
def test_what_is_damaged_is_named_and_never_passed_over(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        KnownServers.parse(text)
