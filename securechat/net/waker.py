"""Wakes a thread that sleeps in a selector; a wake-up is written only when someone sleeps."""

from __future__ import annotations

import os


class Waker:
    """A pipe to oneself. The owner reads `fileno()` in its selector; anyone calls `wake`."""

    __slots__ = ("_read", "_write")

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)

    def fileno(self) -> int:
        """What to select on."""
        return self._read

    def wake(self) -> None:
        """Make the owner's selector return; safe from any thread and from a signal handler."""
        try:
            os.write(self._write, b"\0")
        except BlockingIOError:
            return  # full: a wake-up is on its way already

    def drain(self) -> None:
        """Forget wake-ups; called by the owner once it is awake."""
        try:
            while len(os.read(self._read, 1024)) == 1024:
                continue
        except BlockingIOError:
            return

    def close(self) -> None:
        """Give the descriptors back."""
        os.close(self._read)
        os.close(self._write)
