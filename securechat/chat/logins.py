"""Who may try to log in now, and who has failed lately.

Values in, values out; time is handed in (monotonic seconds). `proving` is the one who asks: `wait`
and `suspects` before a proof is looked at, and tells `failed` or `succeeded` after it. A wait is
what `rate_limited` tells as `retry_after`.

Nobody is locked out of an account by others: an address that has not failed lately always gets its
try, and those that have leave it places, however many guess from elsewhere; what an account suffers
slows only the addresses that failed there. From one address and without a success, guessing is held
to one try in `failure` seconds in the long run.
"""

from __future__ import annotations

from collections import OrderedDict

from ..config import LoginLimits
from ..penalties import Penalties


class Logins:
    """Attempts by source (`securechat.penalties.source_of`) and account; owned by one thread."""

    def __init__(self, limits: LoginLimits) -> None:
        self._limits = limits
        self._sources = Penalties(limits.table, limits.longest_penalty)
        self._accounts = Penalties(limits.table, limits.longest_penalty)
        #: Where accounts have logged in: (source, account), those used last at the end.
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def __len__(self) -> int:
        """How many addresses and accounts are remembered."""
        return len(self._sources) + len(self._accounts) + len(self._known)

    def wait(self, source: str, account: str, now: float) -> float:
        """Seconds until `source` may try to log in to `account`; 0: now."""
        mine = self._sources.of(source, now)
        wait = mine - self._limits.per_address
        if mine and (source, account) not in self._known:
            wait = max(wait, self._accounts.of(account, now) - self._limits.per_account)
        return max(0.0, wait)

    def suspects(self, source: str, now: float) -> bool:
        """Whether `source` has failed lately: its tries leave places to those of others."""
        return self._sources.of(source, now) > 0.0

    def failed(self, source: str, account: str, now: float) -> None:
        """A password, or an invite, was wrong; also for an account that does not exist."""
        self._sources.add(source, self._limits.failure, now)
        self._accounts.add(account, self._limits.failure, now)

    def succeeded(self, source: str, account: str, now: float) -> None:
        """It was right: this address is known for this account, and a slip is forgiven."""
        self._sources.forgive(source, self._limits.failure, now)
        if (source, account) not in self._known and len(self._known) >= self._limits.table:
            self._known.popitem(last=False)
        self._known[source, account] = None
        self._known.move_to_end((source, account))
