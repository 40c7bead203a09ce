"""The threads that hash: right and wrong, how many at once, and that a name costs the same."""

from __future__ import annotations

import os
import queue
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from pydantic import SecretStr

from securechat.chat.logins import CLEAN, KNOWN, SUSPECT
from securechat.proofs import Derive, Derived, Result, Verified, Verify
from securechat.server import auth
from securechat.server.auth import Authenticator


@pytest.fixture
def pool() -> Iterator[tuple[Authenticator, Callable[[], Result]]]:
    """A pool, and what it tells."""
    told: queue.SimpleQueue[Result] = queue.SimpleQueue()
    authenticator = Authenticator(told.put)
    authenticator.start()
    yield authenticator, lambda: told.get(timeout=10.0)
    authenticator.close()


def test_a_hash_is_argon2id_with_the_figures_that_are_told() -> None:
    hashed = auth.derive("tulips")
    assert hashed.startswith("$argon2id$v=19$m=47104,t=2,p=1$")
    assert auth.MEMORY >= 46 * 1_024
    assert hashed != auth.derive("tulips"), "each has its own salt"
    assert auth.verify("tulips", hashed)
    assert not auth.verify("tulip", hashed)
    assert not auth.verify("", hashed)


@pytest.mark.parametrize("password", ["p\0ss", "🌷" * 256])
def test_a_password_is_never_cut(password: str) -> None:
    hashed = auth.derive(password)
    assert auth.verify(password, hashed)
    assert not auth.verify(password[:-1], hashed)


def test_accents_may_be_composed_either_way() -> None:
    assert auth.verify(
        "cafe\N{COMBINING ACUTE ACCENT}s", auth.derive("caf\N{LATIN SMALL LETTER E WITH ACUTE}s")
    )


def test_jobs_come_back_with_their_tickets(
    pool: tuple[Authenticator, Callable[[], Result]],
) -> None:
    authenticator, told = pool
    authenticator.ask(Derive(1, SecretStr("tulips")))
    derived = told()
    assert isinstance(derived, Derived)
    assert derived.hashed is not None
    jobs = {2: ("tulips", derived.hashed), 3: ("roses", derived.hashed), 4: ("tulips", None)}
    for ticket, (password, hashed) in jobs.items():
        authenticator.ask(Verify(ticket, SecretStr(password), hashed))
    heard = sorted(told() for _ in jobs)
    assert heard == [Verified(2, True), Verified(3, False), Verified(4, False)]


def test_what_cannot_be_hashed_is_said_so_without_the_password(
    pool: tuple[Authenticator, Callable[[], Result]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def no_memory(_: str, *__: str) -> str:
        raise MemoryError("canary")

    monkeypatch.setattr(auth, "derive", no_memory)
    monkeypatch.setattr(auth, "verify", no_memory)
    authenticator, told = pool
    authenticator.ask(Derive(1, SecretStr("canary")))
    assert told() == Derived(1, None)
    authenticator.ask(Verify(2, SecretStr("canary"), "$"))
    assert told() == Verified(2, False)
    assert "MemoryError" in caplog.text
    assert "canary" not in caplog.text


def test_no_more_than_two_are_hashed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    inside, most, told = 0, 0, queue.SimpleQueue[Result]()
    lock, go = threading.Lock(), threading.Event()

    def slow(_: str) -> str:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        go.wait(10.0)
        with lock:
            inside -= 1
        return "hash"

    monkeypatch.setattr(auth, "derive", slow)
    authenticator = Authenticator(told.put)
    authenticator.start()
    for ticket in range(8):
        authenticator.ask(Derive(ticket, SecretStr("x")))
    go.set()
    assert {told.get(timeout=10.0).ticket for _ in range(8)} == set(range(8))
    authenticator.close()
    assert most <= auth.AT_ONCE
    names = {thread.name for thread in threading.enumerate()}
    assert not {name for name in names if name.startswith("auth-")}


def test_suspects_go_last_one_at_a_time_and_with_a_rest_behind_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told, spans = queue.SimpleQueue[Result](), dict[str, tuple[float, float]]()
    first_may_end = threading.Event()

    def slow(password: str, _: str) -> bool:
        began = time.monotonic()
        if password == "first":
            first_may_end.wait(10.0)
        else:
            time.sleep(0.05)
        spans[password] = began, time.monotonic()
        return False

    monkeypatch.setattr(auth, "verify", slow)
    authenticator = Authenticator(told.put, size=2)
    for name, rank in (("first", KNOWN), *((f"suspect {i}", SUSPECT) for i in range(3))):
        authenticator.ask(Verify(0, SecretStr(name), "$", rank))
    for name, rank in (("clean", CLEAN), ("known", KNOWN)):
        authenticator.ask(Verify(0, SecretStr(name), "$", rank))
    authenticator.start()
    for _ in range(5):
        told.get(timeout=10.0)
    first_may_end.set()
    told.get(timeout=10.0)
    authenticator.close()
    order = sorted((it for it in spans if it != "first"), key=lambda it: spans[it])
    assert order == ["known", "clean", "suspect 0", "suspect 1", "suspect 2"]
    for earlier, later in pairwise(order[2:]):
        assert spans[later][0] - spans[earlier][1] >= 0.05


def test_whoever_comes_while_suspects_rest_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    told = queue.SimpleQueue[Result]()
    monkeypatch.setattr(auth, "verify", lambda *_: threading.Event().wait(0.5))
    authenticator = Authenticator(told.put)
    authenticator.start()
    for ticket in (1, 2):
        authenticator.ask(Verify(ticket, SecretStr("x"), "$", SUSPECT))
    assert told.get(timeout=10.0).ticket == 1
    authenticator.ask(Verify(3, SecretStr("x"), "$", CLEAN))
    assert [told.get(timeout=10.0).ticket for _ in range(2)] == [3, 2]
    authenticator.close()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads share one niceness")
def test_the_threads_are_nice(monkeypatch: pytest.MonkeyPatch) -> None:
    told, niceness = queue.SimpleQueue[Result](), list[int]()

    def look(*_: str) -> bool:
        niceness.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return False

    before = os.getpriority(os.PRIO_PROCESS, 0)
    monkeypatch.setattr(auth, "verify", look)
    authenticator = Authenticator(told.put)
    authenticator.start()
    authenticator.ask(Verify(1, SecretStr("x"), "$"))
    told.get(timeout=10.0)
    authenticator.close()
    assert niceness == [max(before, auth.NICENESS)]
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


def test_what_waits_when_it_closes_is_not_done() -> None:
    told: queue.SimpleQueue[Result] = queue.SimpleQueue()
    authenticator = Authenticator(told.put)
    for ticket in range(100):
        authenticator.ask(Derive(ticket, SecretStr("x")))
    authenticator.start()
    began = time.monotonic()
    authenticator.close()
    assert time.monotonic() - began < 3.0
    assert told.qsize() < 50


@pytest.mark.slow
def test_an_unknown_name_takes_as_long_as_a_known_one() -> None:
    """Cohen's d of the two, taken in turns, is small (negative control: without the dummy)."""
    hashed = auth.derive("tulips")
    known, unknown = list[float](), list[float]()
    for _ in range(8):
        for times, against in ((known, hashed), (unknown, None)):
            began = time.thread_time()
            Authenticator._verify(Verify(1, SecretStr("roses"), against), "roses")
            times.append(time.thread_time() - began)
    gap = abs(statistics.median(known) - statistics.median(unknown))
    assert gap < 0.2 * statistics.median(known)
    assert statistics.median(unknown) > 0.02, "it is hashed, not waved through"
