"""What a server shows: prepared at the start, loaded again, renewed in time; and what it logs."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from securechat import certs
from securechat.errors import CertificateError
from securechat.server import certificates

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


def test_a_pair_is_made_where_there_is_none(tmp_path: Path, log: pytest.LogCaptureFixture) -> None:
    served = certificates.prepare(tmp_path, NOW)
    assert served.pair == certs.check_server_pair(tmp_path, now=NOW)
    assert log.messages == [f"made certificates in {tmp_path}"]
    certificates.tell_days_left(served.pair, NOW)
    assert log.messages[1].endswith(f"is good for 89 days, until {served.pair.not_after.date()}")


@pytest.mark.parametrize(
    ("left", "level", "said"),
    [
        (15.0, logging.INFO, "good for 15 days"),
        (14.1, logging.INFO, "good for 14 days"),
        (14.0, logging.WARNING, "ends in 14 days"),
        (0.5, logging.WARNING, "ends in 0 days"),
        (-3.0, logging.WARNING, "ends in 0 days"),
    ],
)
def test_it_is_warned_from_fourteen_days_on(
    tmp_path: Path, log: pytest.LogCaptureFixture, left: float, level: int, said: str
) -> None:
    made = certs.make(tmp_path, now=NOW)
    certificates.tell_days_left(made, made.not_after - left * DAY)
    [record] = log.records
    assert record.levelno == level
    assert said in record.getMessage()


def test_it_is_renewed_in_time_and_only_then(tmp_path: Path, log: pytest.LogCaptureFixture) -> None:
    made = certs.make(tmp_path, now=NOW)
    assert not certificates.renew_in_time(tmp_path, NOW + 30 * DAY)
    assert certificates.renew_in_time(tmp_path, NOW + 70 * DAY)
    later = certs.check_server_pair(tmp_path, now=NOW + 100 * DAY)
    assert later.key_fingerprint == made.key_fingerprint
    assert log.messages == ["renewed the certificate"]


def test_a_renewal_that_fails_is_told(tmp_path: Path, log: pytest.LogCaptureFixture) -> None:
    certs.make(tmp_path, now=NOW)
    (tmp_path / "ca-key.pem").write_text("no key")
    assert not certificates.renew_in_time(tmp_path, NOW + 70 * DAY)
    [said] = log.messages
    assert said.startswith("the certificate was not renewed: ")


@pytest.mark.parametrize(
    ("change", "level", "said"),
    [
        ("nothing", logging.INFO, "the same as before"),
        ("renew", logging.INFO, "with the same key"),
        ("replace", logging.WARNING, "with a new key, SHA256:"),
    ],
)
def test_loading_again_tells_what_is_new(
    tmp_path: Path, log: pytest.LogCaptureFixture, change: str, level: int, said: str
) -> None:
    old = certificates.prepare(tmp_path, NOW).pair
    log.clear()
    if change == "renew":
        certs.renew(tmp_path, now=NOW)
    elif change == "replace":
        certs.make(tmp_path, force=True, now=NOW)
    new = certificates.load_again(tmp_path, NOW).pair
    assert log.messages == []
    assert new == certs.check_server_pair(tmp_path, now=NOW)
    certificates.tell_change(old, new, NOW)
    assert log.records[0].levelno == level
    assert said in log.messages[0]
    assert "good for 89 days" in log.messages[1]


@pytest.mark.parametrize("name", ["cert.pem", "key.pem"])
def test_a_pair_that_is_not_there_is_never_made_anew(tmp_path: Path, name: str) -> None:
    certificates.prepare(tmp_path, NOW)
    (tmp_path / name).unlink()
    with pytest.raises(CertificateError, match=name):
        certificates.load_again(tmp_path, NOW)
    assert not (tmp_path / name).exists()


def test_a_pair_that_has_ended_is_refused(tmp_path: Path) -> None:
    certificates.prepare(tmp_path, NOW)
    with pytest.raises(CertificateError, match="expired on"):
        certificates.load_again(tmp_path, NOW + 91 * DAY)
