"""The threads that hash passwords, `auth-<i>`: slow on purpose, so never on the hub's time.

In: jobs of the hub (`securechat.proofs`), from any thread. Out: their results, told from a thread
of the pool. The hub bounds how many jobs there are; here two are done at once, so that passwords
take two times `MEMORY` at most. The threads are nice, so where all cores are busy the chat goes
first. Jobs are done by rank: those of addresses that have failed lately one at a time, behind all
others, and with as long a rest behind each as it took. So guesses take half a core at most,
however many there are, and leave one of the threads to everybody else.

Argon2id with 46 MiB and two passes takes 80 ms here (ASVS 5.0, appendix C, asks for one pass). One
lane only: with more, `cryptography` 50 hangs when two threads hash at once. A name that is unknown
is compared with a hash of nobody's, made by the same figures, and so takes as long.
"""

from __future__ import annotations

import heapq
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Final
from unicodedata import normalize

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from ..chat.logins import SUSPECT
from ..proofs import Derive, Derived, Job, Result, Verified, Verify

log = logging.getLogger(__name__)

MEMORY: Final = 46 * 1_024
"""Of one hash, KiB."""
PASSES: Final = 2
_SALT: Final = 16
_LENGTH: Final = 32
AT_ONCE: Final = 2
#: How nice the threads are: beside who wants all of a core they get a quarter of it.
NICENESS: Final = 5
#: Made by the same figures, of no password that anybody knows.
_NOBODYS: Final = f"$argon2id$v=19$m={MEMORY},t={PASSES},p=1${'A' * 22}${'A' * 43}"


def derive(password: str) -> str:
    """The hash of a password as a PHC string, with a new salt."""
    return _argon2().derive_phc_encoded(_bytes(password))


def verify(password: str, hashed: str) -> bool:
    """Whether `hashed`, a PHC string, is of that password."""
    try:
        Argon2id.verify_phc_encoded(_bytes(password), hashed)
    except InvalidKey:
        return False
    return True


def _be_nice() -> None:
    """Let this thread yield to the others; on Linux alone each has a niceness of its own."""
    if sys.platform == "linux":
        try:
            thread = threading.get_native_id()
            nicer = max(NICENESS, os.getpriority(os.PRIO_PROCESS, thread))
            os.setpriority(os.PRIO_PROCESS, thread, nicer)
        except OSError as error:
            log.info("passwords are hashed as urgently as all else is done: %s", error)


def _argon2() -> Argon2id:
    return Argon2id(
        salt=os.urandom(_SALT), length=_LENGTH, iterations=PASSES, lanes=1, memory_cost=MEMORY
    )


def _bytes(password: str) -> bytes:
    """A password as bytes, whichever way a keyboard composes its accents (RFC 8265, 4.2)."""
    return normalize("NFC", password).encode()


class _Jobs:
    """What waits to be hashed, by rank; any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        #: (rank, number, job): those of one rank in the order in which they came.
        self._heap: list[tuple[int, int, Job]] = []
        self._count = 0
        self._closed = False
        #: A job of a suspect is being done; the next one not before then, monotonic seconds.
        self._doubted = False
        self._rest_until = 0.0

    def put(self, job: Job) -> None:
        """Let a job wait; what comes when it is closed is not done any more."""
        with self._changed:
            if not self._closed:
                self._count += 1
                rank = job.rank if isinstance(job, Verify) else 0
                heapq.heappush(self._heap, (rank, self._count, job))
                self._changed.notify()

    def take(self) -> Job | None:
        """The next job, as soon as there is one; None: it is closed. `done` has to follow."""
        with self._changed:
            while not self._closed:
                patience: float | None = None
                if self._heap and self._heap[0][0] < SUSPECT:
                    return heapq.heappop(self._heap)[2]
                if self._heap and not self._doubted:
                    patience = self._rest_until - time.monotonic()
                    if patience <= 0:
                        self._doubted = True
                        return heapq.heappop(self._heap)[2]
                self._changed.wait(patience)
            return None

    def done(self, job: Job, took: float) -> None:
        """A job was done, in so many seconds."""
        if isinstance(job, Verify) and job.rank >= SUSPECT:
            with self._changed:
                self._doubted = False
                self._rest_until = time.monotonic() + took
                self._changed.notify()

    def close(self) -> None:
        """Let the threads end; what still waits is not done any more, for nobody will hear."""
        with self._changed:
            self._closed = True
            self._heap.clear()
            self._changed.notify_all()


class Authenticator:
    """The pool; `tell` takes each result, from one of its threads."""

    def __init__(self, tell: Callable[[Result], None], size: int = AT_ONCE) -> None:
        self._tell = tell
        self._jobs = _Jobs()
        self._threads = [
            threading.Thread(target=self._run, name=f"auth-{index}", daemon=True)
            for index in range(size)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def ask(self, job: Job) -> None:
        """Have a job done; from any thread, never blocks."""
        self._jobs.put(job)

    def close(self, timeout: float = 1.0) -> None:
        """Let the threads end."""
        self._jobs.close()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(timeout)

    def _run(self) -> None:
        _be_nice()
        while (job := self._jobs.take()) is not None:
            began = time.monotonic()
            result = self._do(job)
            self._jobs.done(job, time.monotonic() - began)
            self._tell(result)

    def _do(self, job: Job) -> Result:
        try:
            password = job.password.get_secret_value()
            if isinstance(job, Derive):
                return Derived(job.ticket, derive(password))
            return Verified(job.ticket, self._verify(job, password))
        except Exception as error:  # memory, most likely; never with what was hashed
            log.error("a password could not be looked at: %s", type(error).__name__)
            return (
                Derived(job.ticket, None)
                if isinstance(job, Derive)
                else Verified(job.ticket, False)
            )

    @staticmethod
    def _verify(job: Verify, password: str) -> bool:
        if job.hashed is not None:
            return verify(password, job.hashed)
        verify(password, _NOBODYS)
        return False
