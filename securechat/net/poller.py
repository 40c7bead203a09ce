"""Which descriptors are ready: `epoll` itself where there is one, `selectors` elsewhere.

`selectors` makes and keeps an object of 150 bytes for each descriptor and another for each event;
an io thread needs neither. In: descriptors and what to wait for, a mask of `READ` and `WRITE`.
Out: pairs of descriptor and mask; `TROUBLE` in it means that reading or writing will tell.
"""

from __future__ import annotations

import select
import selectors
from typing import Final, Protocol


class Poller(Protocol):
    """What an io thread asks of its kernel."""

    def register(self, fd: int, eventmask: int, /) -> None:
        """Begin to wait for `eventmask` on `fd`."""
        ...

    def modify(self, fd: int, eventmask: int, /) -> None:
        """Wait for something else on `fd`."""
        ...

    def unregister(self, fd: int, /) -> None:
        """Wait for nothing more on `fd`."""
        ...

    def poll(self, timeout: float) -> list[tuple[int, int]]:
        """What is ready; waits `timeout` seconds at most."""
        ...

    def close(self) -> None:
        """Give the kernel's part back."""
        ...


class SelectorPoller:
    """The same on any system, by way of `selectors`."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def register(self, fd: int, eventmask: int, /) -> None:
        """See `Poller.register`."""
        self._selector.register(fd, _to_selector(eventmask))

    def modify(self, fd: int, eventmask: int, /) -> None:
        """See `Poller.modify`."""
        self._selector.modify(fd, _to_selector(eventmask))

    def unregister(self, fd: int, /) -> None:
        """See `Poller.unregister`."""
        self._selector.unregister(fd)

    def poll(self, timeout: float) -> list[tuple[int, int]]:
        """See `Poller.poll`."""
        return [(key.fd, _from_selector(mask)) for key, mask in self._selector.select(timeout)]

    def close(self) -> None:
        """See `Poller.close`."""
        self._selector.close()


# The numbers are those of epoll(7), which has the hot path.
READ: Final = 0x001
WRITE: Final = 0x004
TROUBLE: Final = 0x008 | 0x010


def _to_selector(mask: int) -> int:
    events = selectors.EVENT_READ if mask & READ else 0
    return events | (selectors.EVENT_WRITE if mask & WRITE else 0)


def _from_selector(events: int) -> int:
    mask = READ if events & selectors.EVENT_READ else 0
    return mask | (WRITE if events & selectors.EVENT_WRITE else 0)


def new_poller() -> Poller:
    """The best one of this system."""
    if hasattr(select, "epoll"):
        return select.epoll()
    return SelectorPoller()
