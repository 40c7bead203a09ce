"""Meeting a server for the first time, and ever after, by real handshakes."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from securechat.client.first_use import Ask, settle
from securechat.client.known_file import KnownFile
from securechat.client.known_servers import AUTHORITIES, Server
from securechat.client.trust import SYSTEM, ByAuthority, ByKey, Trust
from securechat.client.trust_policy import Wishes
from securechat.errors import CannotConnect, NotTrusted

from .impostors import Authority, Impostor, impostor

LOCAL, PUBLIC = "127.0.0.1", "chat.example.org"
UNSEEN = "SHA256:" + "A" * 43


class Meeting:
    """A user with a state folder of their own, at a terminal or not."""

    def __init__(self, folder: Path) -> None:
        self.file = KnownFile(folder)
        self.asked: list[tuple[str, str]] = []
        self.warned: list[str] = []

    def says(self, answer: bool) -> Ask:
        def ask(server: Server, fingerprint: str) -> bool:
            self.asked.append((str(server), fingerprint))
            return answer

        return ask

    def settle(self, port: int, host: str = LOCAL, ask: Ask | None = None, **wishes: Any) -> Trust:
        return settle(host, port, Wishes(**wishes), self.file, ask=ask, warn=self.warned.append)

    def key_of(self, port: int, host: str = LOCAL) -> str | None:
        known = self.file.load().find(Server.at(host, port))
        return None if known is None else known.key


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def user(tmp_path: Path) -> Meeting:
    return Meeting(tmp_path / "state")


@pytest.fixture
def server(authority: Authority) -> Iterator[Impostor]:
    """Vouched for by an authority that this machine knows only if a test says so."""
    with impostor(authority.issue(LOCAL, PUBLIC)) as server:
        yield server


@pytest.fixture
def the_internet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where every name is this machine, and nobody is vouched for."""
    found = socket.getaddrinfo

    def look_up(host: str, *rest: Any, **keys: Any) -> Any:
        return found(LOCAL if host == PUBLIC else host, *rest, **{**keys, "flags": 0})

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
    monkeypatch.setenv("SSL_CERT_DIR", "/dev/null")


# ------------------------------------------------------------------ the first meeting


def test_a_person_compares_and_it_is_remembered(user: Meeting, server: Impostor) -> None:
    shown = server.leaf.fingerprint
    assert user.settle(server.port, ask=user.says(True)) == ByKey(shown)
    assert user.asked == [(f"{LOCAL}:{server.port}", shown)]
    assert user.settle(server.port) == ByKey(shown)  # no question, and no meeting
    assert (server.met, user.key_of(server.port)) == (1, shown)
    assert (server.heard, user.warned) == (b"", [])


def test_a_person_who_says_no(user: Meeting, server: Impostor) -> None:
    with pytest.raises(NotTrusted, match="was not accepted"):
        user.settle(server.port, ask=user.says(False))
    assert user.key_of(server.port) is None
    assert server.heard == b""


def test_without_a_person_the_line_says_what_to_do(user: Meeting, server: Impostor) -> None:
    with pytest.raises(NotTrusted) as caught:
        user.settle(server.port)
    said = str(caught.value)
    assert f"its key is {server.leaf.fingerprint}" in said
    assert f"--fingerprint {server.leaf.fingerprint}" in said
    assert "--accept-new" in said
    assert "\n" not in said
    assert user.key_of(server.port) is None


def test_accepting_unseen_asks_nobody(user: Meeting, server: Impostor) -> None:
    shown = server.leaf.fingerprint
    assert user.settle(server.port, ask=user.says(False), accept_new=True) == ByKey(shown)
    assert (user.asked, user.key_of(server.port)) == ([], shown)


def test_the_named_key_is_remembered_once_it_was_shown(user: Meeting, server: Impostor) -> None:
    with pytest.raises(NotTrusted, match="NOT the one you trust"):
        user.settle(server.port, ask=user.says(True), fingerprint=UNSEEN)
    assert user.key_of(server.port) is None
    shown = server.leaf.fingerprint
    assert user.settle(server.port, fingerprint=shown) == ByKey(shown)
    assert (user.asked, user.key_of(server.port)) == ([], shown)


def test_nobody_there(user: Meeting, unused_port: int) -> None:
    with pytest.raises(CannotConnect, match="No securechat server answers"):
        user.settle(unused_port, ask=user.says(True))
    # What is strict needs no meeting: the client may wait for the server by itself.
    assert user.settle(unused_port, fingerprint=UNSEEN) == ByKey(UNSEEN)
    assert user.key_of(unused_port) is None


def test_a_folder_that_cannot_be_written_is_told_and_no_more(
    tmp_path: Path, server: Impostor
) -> None:
    (tmp_path / "state").write_text("")  # below a file nothing can be known
    (tmp_path / "readonly").mkdir()
    (tmp_path / "readonly" / "known_servers.lock").mkdir()
    for folder in (tmp_path / "state" / "below", tmp_path / "readonly"):
        user = Meeting(folder)
        assert user.settle(server.port, accept_new=True) == ByKey(server.leaf.fingerprint)
        [warning] = user.warned
        assert "could not be written down" in warning


# ------------------------------------------------------------------ ever after


def test_a_changed_key_is_never_new(user: Meeting, authority: Authority, server: Impostor) -> None:
    known = user.settle(server.port, accept_new=True)
    server.leaf = authority.issue(LOCAL)
    for wishes in ({}, {"accept_new": True}, {"ca_file": authority.ca_file}):
        assert user.settle(server.port, ask=user.says(True), **wishes) == known
    assert user.asked == []
    with pytest.raises(NotTrusted, match="securechat trust replace"):
        user.settle(server.port, fingerprint=server.leaf.fingerprint)


def test_the_named_authority_needs_no_meeting(
    user: Meeting, authority: Authority, server: Impostor
) -> None:
    assert user.settle(server.port, ca_file=authority.ca_file) == ByAuthority(authority.ca_file)
    assert (server.met, user.key_of(server.port)) == (0, None)


# ------------------------------------------------------------------ public names


@pytest.mark.usefixtures("the_internet")
def test_this_machines_authorities_vouch_for_a_public_name_and_must_go_on(
    user: Meeting, authority: Authority, server: Impostor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))
    for _ in range(2):
        assert user.settle(server.port, PUBLIC, accept_new=True) == SYSTEM
    assert (server.met, user.key_of(server.port, PUBLIC)) == (1, AUTHORITIES)
    # Somebody in between has no such signature, and does not get a first meeting by that.
    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
    assert user.settle(server.port, PUBLIC, ask=user.says(True), accept_new=True) == SYSTEM
    assert user.asked == []


@pytest.mark.usefixtures("the_internet")
def test_a_public_name_that_nobody_vouches_for_is_met(user: Meeting, server: Impostor) -> None:
    shown = server.leaf.fingerprint
    assert user.settle(server.port, PUBLIC, ask=user.says(True)) == ByKey(shown)
    assert user.asked == [(f"{PUBLIC}:{server.port}", shown)]
    assert server.heard == b""


@pytest.mark.usefixtures("the_internet")
@pytest.mark.parametrize(
    ("issue", "why"),
    [
        (lambda ca: ca.issue(PUBLIC, end=-0.5), "has expired"),
        (lambda ca: ca.issue("other.example.org"), "for another host"),
        (lambda ca: ca.issue(PUBLIC, is_authority=True), "an authority's own"),
    ],
)
def test_a_vouched_certificate_with_a_fault_is_refused_not_met(
    user: Meeting,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    issue: Callable[[Authority], Any],
    why: str,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))
    with impostor(issue(authority)) as server:
        with pytest.raises(NotTrusted, match=why):
            user.settle(server.port, PUBLIC, ask=user.says(True), accept_new=True)
        assert (user.asked, server.heard) == ([], b"")


@pytest.mark.usefixtures("the_internet")
def test_a_public_server_that_is_away_must_be_vouched_for_when_it_comes(
    user: Meeting, unused_port: int
) -> None:
    assert user.settle(unused_port, PUBLIC, accept_new=True) == SYSTEM
    assert user.key_of(unused_port, PUBLIC) is None


@pytest.fixture
def unused_port() -> int:
    with socket.create_server((LOCAL, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
