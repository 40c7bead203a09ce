"""Who may try to log in now, and whose try is looked at first.

Values in, values out; time is handed in (monotonic seconds). `proving` is the one who asks: `wait`
and `rank` before a proof is looked at, and tells `failed` or `succeeded` after it. A wait is
what `rate_limited` tells as `retry_after`.

Nobody is locked out of an account by others: an address that has not failed lately always gets its
try, and goes before those that have, however many guess from elsewhere; what an account suffers
slows only the addresses that failed there. From one address and without a success, guessing is held
to one try in `failure` seconds in the long run; and one that fails goes behind those that have not
for `doubt` seconds, so that many who guess rarely each do not keep newcomers waiting.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from ..config import LoginLimits
from ..penalties import Penalties

#: Ranks: from where this account has logged in before, no failures lately, failures lately.
KNOWN: Final = 0
CLEAN: Final = 1
SUSPECT: Final = 2


class Logins:
    """Attempts by source (`securechat.penalties.source_of`) and account; owned by one thread."""

    def __init__(self, limits: LoginLimits) -> None:
        self._limits = limits
        self._sources = Penalties(limits.table, limits.longest_penalty)
        self._accounts = Penalties(limits.table, limits.longest_penalty)
        self._doubts = Penalties(limits.table, limits.longest_penalty)
        #: Where accounts have logged in: (source, account), those used last at the end.
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def __len__(self) -> int:
        """How many addresses and accounts are remembered."""
        penalties = (self._sources, self._accounts, self._doubts)
        return sum(len(table) for table in penalties) + len(self._known)

    def wait(self, source: str, account: str, now: float) -> float:
        """Seconds until `source` may try to log in to `account`; 0: now."""
        mine = self._sources.of(source, now)
        wait = mine - self._limits.per_address
        if mine and (source, account) not in self._known:
            wait = max(wait, self._accounts.of(account, now) - self._limits.per_account)
        return max(0.0, wait)

    def rank(self, source: str, account: str, now: float) -> int:
        """Whose try goes first: the smaller rank."""
        if self._doubts.of(source, now):
            return SUSPECT
        return KNOWN if (source, account) in self._known else CLEAN

    def failed(self, source: str, account: str, now: float) -> None:
        """A password, or an invite, was wrong; also for an account that does not exist."""
        self._sources.add(source, self._limits.failure, now)
        self._doubts.add(source, self._limits.doubt, now)
        self._accounts.add(account, self._limits.failure, now)

    def succeeded(self, source: str, account: str, now: float) -> None:
        """It was right: this address is known for this account, and a slip is forgiven."""
        self._sources.forgive(source, self._limits.failure, now)
        self._doubts.forgive(source, self._limits.doubt, now)
        if (source, account) not in self._known and len(self._known) >= self._limits.table:
            self._known.popitem(last=False)
        self._known[source, account] = None
        self._known.move_to_end((source, account))
