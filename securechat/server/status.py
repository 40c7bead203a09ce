"""How a running server is: what `securechat admin status` shows beside what the hub knows.

In: what is measured all the time anyway, read from another thread without a lock, so it may be a
moment old. Out: plain values for JSON; seconds, bytes, days. Raised: `OSError`, where the system
does not tell.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from .. import __version__
from ..certs import CertificateSet
from ..metrics import Histogram
from ..store.stats import disk_use

_SHARES: Final[Mapping[str, float]] = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
_DAY: Final = timedelta(days=1)
#: What is in memory now, and was at most, in kB; see proc_pid_status(5).
_FIELD: Final = re.compile(r"^Vm(RSS|HWM):\s+(\d+) kB$", re.MULTILINE)


def describe_process(uptime: float) -> dict[str, object]:
    """Which process it is, what it takes, and since when it serves; `uptime` is in seconds."""
    kept = dict(_FIELD.findall(Path("/proc/self/status").read_text()))
    return {
        "version": __version__,
        "process": os.getpid(),
        "uptime": round(uptime, 1),
        "memory": int(kept["RSS"]) * 1_024,
        "memory_peak": int(kept["HWM"]) * 1_024,
    }


def describe_latency(latency: Histogram) -> dict[str, object]:
    """From when something was read to when all that follows from it was written; None: nothing."""
    total = latency.total
    times = {key: latency.quantile(share) if total else None for key, share in _SHARES.items()}
    return {"latency": {"events": total, **times}}


def describe_certificate(pair: CertificateSet, now: datetime) -> dict[str, object]:
    """How long the certificate is good for, days; below 0: it has ended."""
    return {"certificate_days": math.floor((pair.not_after - now) / _DAY * 10) / 10}


def describe_disk(data: Path) -> dict[str, object]:
    """What the messages take, and the index of their words."""
    database, index = disk_use(data)
    return {"database": database, "index": index}
