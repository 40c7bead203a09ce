"""Connections of one crowded address share tokens, each beside its own; nobody else does."""

from __future__ import annotations

import gc

import pytest

from securechat.chat.limits import TokenBucket
from securechat.net.crowd import Crowds, JointBucket

BEGIN = 1024.0


@pytest.fixture
def crowds() -> Crowds:
    """Three tokens for each crowd, one more every two seconds."""
    return Crowds(lambda now: TokenBucket(0.5, 3, now))


def own(burst: int = 2) -> TokenBucket:
    return TokenBucket(1.0, burst, BEGIN)


def test_tokens_must_be_there_in_both(crowds: Crowds) -> None:
    first, second = (crowds.join("192.0.2.1", own(), BEGIN) for _ in range(2))
    assert (first.available(BEGIN), second.available(BEGIN)) == (2, 2)
    first.charge(2)
    assert (first.available(BEGIN), second.available(BEGIN)) == (0, 1)


def test_one_waits_for_the_later_of_both(crowds: Crowds) -> None:
    bucket = crowds.join("192.0.2.1", own(), BEGIN)
    bucket.charge(2)
    assert bucket.available(BEGIN) == 0
    assert bucket.wait() == 1.0, "its own, at one a second"
    crowds.join("192.0.2.1", own(burst=9), BEGIN).charge(1)
    assert bucket.available(BEGIN) == 0
    assert bucket.wait() == 2.0, "the shared ones, at one in two seconds"


def test_without_one_of_its_own_the_shared_ones_count(crowds: Crowds) -> None:
    bucket = crowds.join("192.0.2.1", None, BEGIN)
    bucket.charge(3)
    assert (bucket.available(BEGIN), bucket.wait()) == (0, 2.0)


def test_addresses_have_nothing_in_common(crowds: Crowds) -> None:
    crowds.join("192.0.2.1", own(), BEGIN).charge(2)
    assert crowds.join("192.0.2.2", None, BEGIN).available(BEGIN) == 3


def test_a_crowd_that_is_gone_is_forgotten(crowds: Crowds) -> None:
    bucket: JointBucket | None = crowds.join("192.0.2.1", None, BEGIN)
    assert bucket is not None
    bucket.charge(3)
    assert bucket.available(BEGIN) == 0
    bucket = None
    gc.collect()
    assert crowds.join("192.0.2.1", None, BEGIN).available(BEGIN) == 3
