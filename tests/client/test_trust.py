"""Whom a client lets in: real handshakes with everything that can be wrong about a certificate.

Whatever it is, the server is refused before a byte of ours was sent, with the reason and the cure.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from securechat.client.client import ChatClient, ClientConfig
from securechat.client.events import Ended, Online
from securechat.client.trust import ByAuthority, ByKey, Trust
from securechat.errors import ClientError, KeyChanged, NotTrusted, UnknownSigner

from .impostors import Authority, Impostor, Leaf, impostor

LOCAL = "127.0.0.1"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def end_of_a_client(server: Impostor, trust: Trust) -> ClientError:
    """Why a client with a session to lose ended."""
    client = ChatClient(
        ClientConfig(host=LOCAL, port=server.port, nick="bob", trust=trust, reconnect=False)
    )
    client.say("#lobby", "a secret")
    client.start()
    while not isinstance(event := client.events.get(timeout=10), Ended):
        assert not isinstance(event, Online)
    client.close()
    assert event.error is not None
    return event.error


@pytest.mark.parametrize(
    ("issue", "why", "cure"),
    [
        (lambda ca: ca.issue(LOCAL, start=-30, end=-1), "has expired", "gen-certs --renew"),
        (lambda ca: ca.issue(LOCAL, start=1), "not valid yet", "this machine's clock"),
        (lambda ca: ca.issue("192.0.2.7"), "for another host", "gen-certs --host"),
        (lambda ca: ca.issue("localhost"), "for another host", "gen-certs --host"),
        (lambda ca: ca.issue(), "names none", "gen-certs --host"),
        (lambda ca: Authority(ca.folder).issue(LOCAL), "it is not signed by", "name the right one"),
        (lambda ca: ca.issue(LOCAL, is_authority=True), "an authority's own", "gen-certs"),
        (lambda ca: Leaf(ca.certificate, ca.key, ca.folder), "an authority's own", "gen-certs"),
    ],
    ids=["expired", "early", "host", "address", "no SAN", "wrong CA", "CA:TRUE", "the CA itself"],
)
def test_a_faulty_certificate_is_refused_before_anything_is_sent(
    authority: Authority, issue: Callable[[Authority], Leaf], why: str, cure: str
) -> None:
    with impostor(issue(authority)) as server:
        error = end_of_a_client(server, ByAuthority(authority.ca_file))
    assert isinstance(error, NotTrusted)
    assert error.exit_code == 4
    said = str(error)
    assert why in said
    assert cure in said
    assert said.endswith("Nothing was sent to it.")
    assert "\n" not in said
    assert (server.met, server.heard) == (1, b"")


def test_only_a_signer_that_we_do_not_know_is_called_one(authority: Authority) -> None:
    with impostor(Authority(authority.folder).issue(LOCAL)) as server:
        assert isinstance(end_of_a_client(server, ByAuthority(authority.ca_file)), UnknownSigner)
    with impostor(authority.issue(LOCAL, end=-0.5)) as server:
        error = end_of_a_client(server, ByAuthority(authority.ca_file))
    assert not isinstance(error, UnknownSigner)


def test_another_key_than_the_known_one_is_a_hard_stop(authority: Authority) -> None:
    known, shown = authority.issue(LOCAL), authority.issue(LOCAL)  # same CA, same name, other key
    with impostor(shown) as server:
        error = end_of_a_client(server, ByKey(known.fingerprint))
    assert isinstance(error, KeyChanged)
    assert error.exit_code == 4
    assert f"You trust {known.fingerprint}, it shows {shown.fingerprint}" in str(error)
    command = f"securechat trust replace {LOCAL}:{server.port} {shown.fingerprint}"
    assert str(error).endswith(command)
    assert (server.met, server.heard) == (1, b"")


@pytest.mark.parametrize(
    "keys",
    [{}, {"names": ("other.example",)}, {"end": -0.5}, {"is_authority": True}],
    ids=["renewed", "renamed", "expired", "CA:TRUE"],
)
def test_the_known_key_is_let_in_whatever_is_around_it(
    authority: Authority, keys: dict[str, Any]
) -> None:
    known = authority.issue(LOCAL)
    names = keys.pop("names", (LOCAL,))
    with impostor(authority.issue(*names, key=known.key, **keys)) as server:
        client = ChatClient(
            ClientConfig(host=LOCAL, port=server.port, nick="bob", trust=ByKey(known.fingerprint))
        )
        client.start()
        server.wait_for(b'"bob"')
        client.close()


def test_a_trust_is_valid_or_none() -> None:
    assert ByKey("00" * 32) == ByKey("SHA256:" + "A" * 43)
    with pytest.raises(ValueError, match="a fingerprint is"):
        ByKey("SHA256:none")


@pytest.mark.parametrize("content", [None, "", "-----BEGIN CERTIFICATE-----\nnone\n"])
def test_a_ca_file_of_no_use_is_named(
    authority: Authority, tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with impostor(authority.issue(LOCAL)) as server:
        error = end_of_a_client(server, ByAuthority(path))
    assert isinstance(error, NotTrusted)
    assert str(path) in str(error)
    assert server.met == 0
