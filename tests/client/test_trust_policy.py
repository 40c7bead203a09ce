"""The order of the reasons to trust, as a table."""

from __future__ import annotations

from datetime import date
from itertools import product
from pathlib import Path

import pytest

from securechat.client.known_servers import AUTHORITIES, Known, Server
from securechat.client.trust_policy import Basis, Wishes, decide, is_public
from securechat.errors import NotTrusted

A, B = "SHA256:" + "A" * 43, "SHA256:" + "B" * 42 + "A"
PINNED, VOUCHED = Known(A, date(2026, 11, 25)), Known(AUTHORITIES, date(2026, 11, 25))
CA = Path("certs/ca.pem")


@pytest.mark.parametrize(
    ("known", "fingerprint", "ca_file", "host", "basis"),
    [
        (PINNED, None, None, "localhost", Basis.PIN),
        (PINNED, A, CA, "chat.example.org", Basis.PIN),
        (PINNED, None, CA, "chat.example.org", Basis.PIN),
        (VOUCHED, A, CA, "chat.example.org", Basis.FINGERPRINT),
        (VOUCHED, None, CA, "chat.example.org", Basis.CA_FILE),
        (VOUCHED, None, None, "chat.example.org", Basis.AUTHORITIES),
        (VOUCHED, None, None, "localhost", Basis.AUTHORITIES),
        (None, A, CA, "localhost", Basis.FINGERPRINT),
        (None, A, None, "chat.example.org", Basis.FINGERPRINT),
        (None, None, CA, "chat.example.org", Basis.CA_FILE),
        (None, None, CA, "localhost", Basis.CA_FILE),
        (None, None, None, "chat.example.org", Basis.PUBLIC_NAME),
        (None, None, None, "localhost", Basis.FIRST_USE),
        (None, None, None, "192.0.2.7", Basis.FIRST_USE),
    ],
)
def test_what_trust_rests_on(
    known: Known | None, fingerprint: str | None, ca_file: Path | None, host: str, basis: Basis
) -> None:
    for accept_new in (False, True):  # which decides nothing before the first meeting
        wishes = Wishes(fingerprint=fingerprint, ca_file=ca_file, accept_new=accept_new)
        assert decide(Server.at(host), wishes, known) is basis


@pytest.mark.parametrize(("ca_file", "accept_new"), [*product((None, CA), (False, True))])
def test_a_named_key_cannot_overrule_the_known_one(ca_file: Path | None, accept_new: bool) -> None:
    wishes = Wishes(fingerprint=B, ca_file=ca_file, accept_new=accept_new)
    with pytest.raises(NotTrusted) as caught:
        decide(Server.at("localhost", 7), wishes, PINNED)
    assert f"known by the key {A}, and you named {B}" in str(caught.value)
    assert str(caught.value).endswith(f"securechat trust replace localhost:7 {B}")


def test_a_named_key_has_the_one_form_or_is_refused() -> None:
    assert Wishes(fingerprint="00" * 32).fingerprint == A
    with pytest.raises(ValueError, match="a fingerprint is"):
        Wishes(fingerprint="yes")


@pytest.mark.parametrize(
    ("host", "public"),
    [
        ("chat.example.org", True),
        ("xn--mnchen-3ya.de", True),
        ("localhost", False),
        ("chat.localhost", False),
        ("printer.local", False),
        ("server.lan", False),
        ("nas.home.arpa", False),
        ("192.0.2.7", False),
        ("2001:db8::7", False),
    ],
)
def test_whom_a_public_authority_can_vouch_for(host: str, public: bool) -> None:
    assert is_public(host) is public
