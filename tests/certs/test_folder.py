"""A set is made whole, replaced whole, and made once where many start at once."""

from __future__ import annotations

import errno
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

from securechat import certs
from securechat.certs import CertificateSet, files

if TYPE_CHECKING:
    from tests.certs.conftest import AtOnce, Failing, Forge, Handshake, Refusal

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
#: In the order in which they are placed.
FILES = ("ca-key.pem", "ca.pem", "key.pem", "cert.pem")


@pytest.fixture
def ours(folder: Path) -> CertificateSet:
    return certs.make(folder, now=NOW)


def snapshot(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def reach(made: CertificateSet, name: str, handshake: Handshake) -> None:
    """Shake hands as a client that trusts `ca.pem`."""
    cert, key, ca = (path.read_bytes() for path in (made.cert, made.key, made.ca))
    handshake(cert, key, ca, name)


# Made...


def test_a_set_is_what_clients_trust_and_nobody_else_reads(
    folder: Path, handshake: Handshake
) -> None:
    made = certs.make(folder, ["chat.example", "192.0.2.7"], now=NOW)
    assert made.hosts == (*certs.LOCAL_HOSTS, "chat.example", "192.0.2.7")
    for name in made.hosts:
        reach(made, name, handshake)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {"ca.pem": 0o644, "ca-key.pem": 0o600, "cert.pem": 0o644, "key.pem": 0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_what_is_no_host_is_refused_before_anything_is_written(
    folder: Path, refusal: Refusal
) -> None:
    line = refusal(lambda: certs.make(folder, ["fine.example", "no host"], now=NOW))
    assert "white space" in line
    assert not folder.exists()


def test_what_is_there_is_replaced_only_by_force(
    ours: CertificateSet, refusal: Refusal, handshake: Handshake
) -> None:
    before = snapshot(ours.directory)
    line = refusal(lambda: certs.make(ours.directory, now=NOW))
    assert "holds ca-key.pem and 3 more already" in line
    assert "--force" in line
    assert snapshot(ours.directory) == before
    made = certs.make(ours.directory, ["new.example"], force=True, now=NOW)
    after = snapshot(ours.directory)
    assert after.keys() == before.keys() == set(FILES)
    assert all(after[name] != before[name] for name in FILES)
    reach(made, "new.example", handshake)


@pytest.mark.parametrize(
    ("name", "at"),
    [
        *(("fsync", at) for at in range(1, 6)),
        *(("link", at) for at in range(1, 5)),
        *(("replace", at) for at in range(1, 5)),
    ],
)
def test_a_failed_force_leaves_the_old_set(
    ours: CertificateSet,
    refusal: Refusal,
    failing: Failing,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    at: int,
) -> None:
    before = snapshot(ours.directory)
    broken = OSError(errno.EIO, "I/O error")
    monkeypatch.setattr(os, name, failing(getattr(os, name), at, broken))
    assert "I/O error" in refusal(lambda: certs.make(ours.directory, force=True, now=NOW))
    assert snapshot(ours.directory) == before
    assert certs.check_server_pair(ours.directory, now=NOW) == ours


def test_the_certificate_is_replaced_last(
    ours: CertificateSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed: list[str] = []
    real_replace = os.replace

    def spy(source: str, target: str, **options: int) -> None:
        placed.append(target)
        real_replace(source, target, **options)

    monkeypatch.setattr(os, "replace", spy)
    certs.make(ours.directory, force=True, now=NOW)
    assert placed == list(FILES)


@pytest.mark.parametrize("new", range(5))
def test_a_mix_of_two_sets_is_healed_by_force(
    ours: CertificateSet, tmp_path: Path, handshake: Handshake, new: int
) -> None:
    """What a loss of power leaves: the first `new` of four files are those of the other set."""
    other = certs.make(tmp_path / "other", now=NOW)
    for name in FILES[:new]:
        ours.directory.joinpath(name).write_bytes(other.directory.joinpath(name).read_bytes())
    made = certs.make(ours.directory, force=True, now=NOW)
    assert snapshot(ours.directory).keys() == set(FILES)
    assert certs.check_server_pair(ours.directory, now=NOW) == made
    assert certs.renew(ours.directory, now=NOW).key_fingerprint == made.key_fingerprint
    reach(made, "localhost", handshake)


# Made on first use...


@pytest.mark.parametrize("found", [None, (), ("README.md", ".gitkeep", "lost+found")])
def test_a_set_is_made_where_there_is_none(
    folder: Path, handshake: Handshake, found: tuple[str, ...] | None
) -> None:
    if found is not None:
        folder.mkdir()
        for name in found:
            folder.joinpath(name).touch()
    made, new = certs.ensure(folder, now=NOW)
    assert new
    reach(made, "localhost", handshake)
    assert certs.ensure(folder, now=NOW) == (made, False)


@pytest.mark.parametrize("there", [False, True])
def test_of_many_that_start_at_once_one_makes_the_set_that_all_use(
    folder: Path, at_once: AtOnce, there: bool
) -> None:
    if there:
        folder.mkdir()
    done = at_once(6, lambda: certs.ensure(folder, now=NOW))
    made = certs.check_server_pair(folder, now=NOW)
    assert sorted(done, key=lambda one: bool(one[1])) == [(made, False)] * 5 + [(made, True)]


def test_a_set_that_is_just_being_replaced_is_looked_at_again(
    ours: CertificateSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two renamings the key is the new one and the certificate the old one."""
    other = certs.make(tmp_path / "other", now=NOW)
    ours.key.write_bytes(other.key.read_bytes())
    real_lock = files._lock

    def finish_first(path: Path, descriptor: int) -> bool:
        ours.cert.write_bytes(other.cert.read_bytes())
        return real_lock(path, descriptor)

    monkeypatch.setattr(files, "_lock", finish_first)
    pair, new = certs.ensure(ours.directory, now=NOW)
    assert (pair.fingerprint, new) == (other.fingerprint, False)


def test_a_pair_from_elsewhere_is_used_and_never_touched(
    folder: Path, refusal: Refusal, forge: Forge
) -> None:
    issued = trustme.CA().issue_cert("chat.example.org")
    folder.mkdir()
    folder.joinpath("cert.pem").write_bytes(issued.cert_chain_pems[0].bytes())
    forge.write_key(folder / "key.pem", issued.private_key_pem.bytes())
    before, now = snapshot(folder), datetime.now(UTC)
    pair, new = certs.ensure(folder, now=now)
    assert (pair.hosts, new) == (("chat.example.org",), False)
    assert certs.renew_if_due(folder, now=pair.not_after) is None
    assert "ca.pem is missing" in refusal(lambda: certs.renew(folder, now=now))
    assert snapshot(folder) == before


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (["notes.txt"], "holds notes.txt but no cert.pem: name another folder"),
        (["a", "b", "c"], "holds a and 2 more but no cert.pem: name another folder"),
        (["key.pem"], "holds key.pem but no cert.pem: bring it back"),
        (["ca-key.pem", "x\x1b[2J"], "holds ca-key.pem and 1 more but no cert.pem: bring it back"),
        (["\x1b[2J"], r"holds \x1b[2J but no cert.pem"),
    ],
)
def test_a_folder_with_other_files_is_not_taken_for_an_empty_one(
    folder: Path, refusal: Refusal, found: list[str], why: str
) -> None:
    folder.mkdir()
    for name in found:
        folder.joinpath(name).touch()
    assert why in refusal(lambda: certs.ensure(folder, now=NOW))
    assert snapshot(folder).keys() == set(found)


def test_what_is_there_is_checked(ours: CertificateSet, refusal: Refusal) -> None:
    ours.key.chmod(0o644)
    assert "mode 0644" in refusal(lambda: certs.ensure(ours.directory, now=NOW))
    ours.cert.unlink()
    ours.cert.symlink_to("nowhere")
    assert "cert.pem is missing" in refusal(lambda: certs.ensure(ours.directory, now=NOW))


def test_no_key_beside_the_pair_may_be_read_by_others(
    ours: CertificateSet, refusal: Refusal
) -> None:
    ours.ca_key.chmod(0o640)
    line = refusal(lambda: certs.ensure(ours.directory, now=NOW))
    assert line.startswith(f"{ours.ca_key} can be read by others")
    assert f"chmod 600 {ours.ca_key}" in line
    ours.ca_key.chmod(0o000)  # whoever serves need not be able to read it
    assert certs.ensure(ours.directory, now=NOW) == (ours, False)


def test_a_file_where_the_folder_should_be_is_named(folder: Path, refusal: Refusal) -> None:
    folder.write_bytes(b"")
    assert "name a folder" in refusal(lambda: certs.ensure(folder, now=NOW))


# Told to the person at the keyboard...


def test_the_description_of_the_default_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = certs.make(Path("certs"), ["chat.example"], now=datetime(2026, 1, 31, 12, tzinfo=UTC))
    assert (
        certs.describe(made)
        == f"""\
Certificate for localhost, 127.0.0.1, ::1, chat.example, valid until 2026-05-01:

  certs/ca.pem      clients need it to trust the server: hand it out freely
  certs/ca-key.pem  makes certificates that your clients trust: keep it secret
  certs/cert.pem    the server shows it to clients
  certs/key.pem     the server needs it: keep it secret

Fingerprint of the server's key, for people to compare; a renewal does not change it:
  {made.key_fingerprint}

Next, in two terminals:
  securechat serve
  securechat connect --nick bob"""
    )


def test_the_description_of_another_folder_can_be_typed(tmp_path: Path) -> None:
    made = certs.make(tmp_path / "my certs", now=NOW)
    lines = certs.describe(made).splitlines()
    assert lines[-2:] == [
        f"  securechat serve --certs '{made.directory}'",
        f"  securechat connect --nick bob --certs '{made.directory}'",
    ]
