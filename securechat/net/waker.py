"""Wakes a thread that sleeps in a selector; a wake-up is written only when someone sleeps."""

from __future__ import annotations

import os
import threading


class Waker:
    """A pipe to oneself. The owner reads `fileno()` in its selector; anyone calls `wake`."""

    __slots__ = ("_lock", "_read", "_write")

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        # Who wakes late must not write into whatever has the descriptor by then. A signal handler
        # may come while its own thread holds the lock, so it is one that the holder can take again.
        self._lock = threading.RLock()

    def fileno(self) -> int:
        """What to select on."""
        return self._read

    def wake(self) -> None:
        """Make the owner's selector return; safe from any thread and from a signal handler.

        Does nothing once it is closed: nobody sleeps there any more.
        """
        with self._lock:
            if self._write < 0:
                return
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
        """Give the descriptors back; may be called twice."""
        with self._lock:
            if self._write < 0:
                return
            read, write = self._read, self._write
            self._read = self._write = -1
            os.close(read)
            os.close(write)
