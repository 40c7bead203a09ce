"""The threads that hash passwords, `auth-<i>`: slow on purpose, so never on the hub's time.

In: jobs of the hub (`securechat.proofs`), from any thread. Out: their results, told from a thread
of the pool. The hub bounds how many jobs there are; here two are done at once, so that passwords
take two times `MEMORY` at most, and leave a machine with more cores than that to the chat.

Argon2id with 46 MiB and two passes takes 80 ms here (ASVS 5.0, appendix C, asks for one pass). One
lane only: with more, `cryptography` 50 hangs when two threads hash at once. A name that is unknown
is compared with a hash of nobody's, made by the same figures, and so takes as long.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections.abc import Callable
from typing import Final
from unicodedata import normalize

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from ..proofs import Derive, Derived, Job, Result, Verified, Verify

log = logging.getLogger(__name__)

MEMORY: Final = 46 * 1_024
"""Of one hash, KiB."""
PASSES: Final = 2
_SALT: Final = 16
_LENGTH: Final = 32
AT_ONCE: Final = 2
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


def _argon2() -> Argon2id:
    return Argon2id(
        salt=os.urandom(_SALT), length=_LENGTH, iterations=PASSES, lanes=1, memory_cost=MEMORY
    )


def _bytes(password: str) -> bytes:
    """A password as bytes, whichever way a keyboard composes its accents (RFC 8265, 4.2)."""
    return normalize("NFC", password).encode()


class Authenticator:
    """The pool; `tell` takes each result, from one of its threads."""

    def __init__(self, tell: Callable[[Result], None], size: int = AT_ONCE) -> None:
        self._tell = tell
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
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
        """Let the threads end; what still waits is not done any more, for nobody will hear."""
        while not self._jobs.empty():
            try:
                self._jobs.get_nowait()
            except queue.Empty:
                break
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(timeout)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._tell(self._do(job))

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
