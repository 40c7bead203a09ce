"""Guessing is slowed down, and never keeps the owner out."""

from __future__ import annotations

from dataclasses import replace

from securechat.chat.logins import CLEAN, KNOWN, SUSPECT, Logins
from securechat.config import LoginLimits

LIMITS = LoginLimits()
HOME = "192.0.2.1"


def test_a_class_behind_one_address_may_log_in_at_once() -> None:
    logins = Logins(LIMITS)
    for number in range(500):
        assert logins.wait(HOME, f"pupil{number}", 0.0) == 0.0
        logins.succeeded(HOME, f"pupil{number}", 0.0)


def test_an_address_that_guesses_is_held_to_a_try_in_five_seconds() -> None:
    logins, now, tries = Logins(LIMITS), 0.0, 0
    while now < 3_600.0:
        now += logins.wait(HOME, "owner", now) or 0.001
        if not logins.wait(HOME, "owner", now):
            logins.failed(HOME, "owner", now)
            tries += 1
    assert 700 < tries < 760


def test_spraying_over_accounts_helps_nobody() -> None:
    logins = Logins(LIMITS)
    for number in range(100):
        logins.failed(HOME, f"account{number}", 0.0)
    assert logins.wait(HOME, "another", 0.0) > 400.0


def test_a_slip_is_forgiven() -> None:
    logins = Logins(LIMITS)
    logins.failed(HOME, "owner", 0.0)
    assert logins.rank(HOME, "owner", 0.0) == SUSPECT
    logins.succeeded(HOME, "owner", 0.0)
    assert logins.rank(HOME, "owner", 0.0) == KNOWN
    assert logins.wait(HOME, "owner", 0.0) == 0.0


def test_many_addresses_that_guess_rarely_go_behind_those_that_do_not() -> None:
    """Each of 250 fails once in 6 s: it may always try, and is always a suspect."""
    logins = Logins(LIMITS)
    ranks = []
    for number in range(2_500):
        source, now = f"198.51.100.{number % 250}", number * 6 / 250
        assert logins.wait(source, "owner", now) == 0.0 or number > 250
        ranks.append(logins.rank(source, "owner", now))
        logins.failed(source, "owner", now)
    assert set(ranks[:250]) == {CLEAN}
    assert set(ranks[250:]) == {SUSPECT}
    assert logins.rank(HOME, "owner", 60.0) == CLEAN


def test_100_000_guesses_from_everywhere_do_not_keep_the_owner_out() -> None:
    logins, admitted = Logins(LIMITS), 0
    for number in range(100_000):
        source, now = f"198.51.100.{number % 250}", number / 500
        if not logins.wait(source, "owner", now):
            admitted += 1
            logins.failed(source, "owner", now)
        if number % 1_000 == 0:
            assert logins.wait(HOME, "owner", now) == 0.0
            assert logins.rank(HOME, "owner", now) == CLEAN
            assert logins.rank(source, "owner", now) == SUSPECT
    assert admitted < 15_000, "of 100,000 in 200 s; 250 addresses with a budget of their own each"


def test_what_an_account_suffers_slows_those_who_failed_there() -> None:
    logins = Logins(LIMITS)
    for number in range(30):
        logins.failed(f"198.51.100.{number}", "owner", 0.0)
    assert logins.wait("198.51.100.1", "owner", 0.0) == 30 * 5 - 60
    logins.failed(HOME, "other", 0.0)
    assert logins.wait(HOME, "owner", 0.0) > 0.0
    logins.succeeded(HOME, "owner", 0.0)
    logins.failed(HOME, "other", 0.0)
    assert logins.wait(HOME, "owner", 0.0) == 0.0, "from where it has logged in, it may"


def test_the_tables_are_bounded() -> None:
    logins = Logins(replace(LIMITS, table=10))
    for number in range(100):
        logins.failed(f"192.0.2.{number}", f"account{number}", 0.0)
        logins.succeeded(f"198.51.100.{number}", f"account{number}", 0.0)
    assert len(logins) == 40
    for number, rank in ((99, KNOWN), (1, CLEAN)):  # only where it logged in last is it known
        assert logins.rank(f"198.51.100.{number}", f"account{number}", 0.0) == rank
