"""Log lines of the server: one line each on standard error, for people or as JSON.

Control characters are escaped, so that a name or an address cannot forge a line (CWE-117); a
traceback is part of its line. What peers can cause at will is throttled by its wording, so that a
flood fills no disk and costs no time: what was left out is counted in the next line of its kind.
Errors never are. Secrets are not logged at all: no line repeats what a peer has sent.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final

#: Lines of one wording that may come at once, and how many a second in the long run.
BURST: Final = 50
RATE: Final = 5.0


class Throttle(logging.Filter):
    """Lets so many lines of one wording through, and counts the others.

    Wordings are those in the code, so the table cannot grow. Two threads may lose count of a line.
    """

    def __init__(self, burst: int = BURST, rate: float = RATE) -> None:
        super().__init__()
        self._burst = burst
        self._rate = rate
        #: Wording -> (when its debt is paid, lines left out).
        self._debts: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether `record` is logged; by its own time."""
        if record.levelno >= logging.ERROR:
            return True
        wording, now = str(record.msg), record.created
        paid_at, left_out = self._debts.get(wording, (now, 0))
        paid_at = max(paid_at, now)
        if paid_at - now > (self._burst - 1) / self._rate:
            self._debts[wording] = (paid_at, left_out + 1)
            return False
        self._debts[wording] = (paid_at + 1 / self._rate, 0)
        if left_out:
            record.msg = f"{wording} (and {left_out:,} more like it)"
        return True


class _PlainFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        if record.exc_info:
            message += "\n" + self.formatException(record.exc_info)
        return (
            f"{self.formatTime(record)} {record.levelname} {escape(record.threadName or '')}: "
            f"{escape(message)}"
        )


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds"),
            "level": record.levelname.lower(),
            "thread": record.threadName,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=True)


def escape(text: str) -> str:
    """`text` with all that is not printed, line ends included, as Python would write it."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def new_handler(*, as_json: bool) -> logging.Handler:
    """What writes such lines to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter() if as_json else _PlainFormatter())
    handler.addFilter(Throttle())
    return handler


def set_up(*, as_json: bool) -> None:
    """Log from now on to standard error."""
    root = logging.getLogger()
    root.handlers[:] = [new_handler(as_json=as_json)]
    root.setLevel(logging.INFO)
