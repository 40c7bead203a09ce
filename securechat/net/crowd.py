"""What all connections of a crowded address may say together.

A bucket of `channel.Bucket` for each connection, as ever, and one more that they share. Only the
connections beyond the share that an address has anyway get a `JointBucket` (`Gate`, `crowded`), so
whoever is not in a crowd pays nothing for it. Each io thread keeps the shared ones of its own
connections, for as long as there are any.
"""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakValueDictionary

from .channel import Bucket


class JointBucket:
    """Tokens must be there in both."""

    __slots__ = ("_own", "_shared")

    def __init__(self, own: Bucket | None, shared: Shared) -> None:
        self._own = own
        self._shared = shared

    def available(self, now: float) -> int:
        """See `Bucket.available`."""
        shared = self._shared.bucket.available(now)
        return shared if self._own is None else min(self._own.available(now), shared)

    def charge(self, tokens: int) -> None:
        """See `Bucket.charge`."""
        if self._own is not None:
            self._own.charge(tokens)
        self._shared.bucket.charge(tokens)

    def wait(self) -> float:
        """See `Bucket.wait`."""
        shared = self._shared.bucket.wait()
        return shared if self._own is None else max(self._own.wait(), shared)


class Shared:
    """The bucket of an address; it lives as long as one of its connections holds it."""

    __slots__ = ("__weakref__", "bucket")

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket


class Crowds:
    """The shared buckets of one io thread; `new_bucket(now)` makes one."""

    def __init__(self, new_bucket: Callable[[float], Bucket]) -> None:
        self._new_bucket = new_bucket
        self._shared: WeakValueDictionary[str, Shared] = WeakValueDictionary()

    def join(self, source: str, own: Bucket | None, now: float) -> JointBucket:
        """A bucket for one more connection of `source`."""
        shared = self._shared.get(source)
        if shared is None:
            shared = self._shared[source] = Shared(self._new_bucket(now))
        return JointBucket(own, shared)
