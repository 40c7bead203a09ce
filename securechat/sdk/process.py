"""A bot as a process: what it logs, how signals end it, and what it exits with.

The codes are those of the command line: 0, 1 and the `exit_code` of what was raised, 128 and the
number of a signal. A second signal ends the process at once.
"""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Final

from ..client.harmless import encodable, harmless_line, harmless_text
from ..errors import ClientError, SecureChatError

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class _Signalled(BaseException):
    """A signal came that wants us to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class _Harmless(logging.Formatter):
    """Lines that do nothing to a terminal, whatever somebody said that ended in an error."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(harmless_text(super().format(record)))


def run(serve: Callable[[], None], name: str) -> int:
    """Call `serve` until it returns, raises or a signal comes; the exit code."""
    _log_to_stderr()
    before = {number: signal.signal(number, _raise) for number in _SIGNALS}
    try:
        serve()
    except _Signalled as signalled:
        return 128 + signalled.number
    except SecureChatError as error:
        _complain(name, str(error))
        return error.exit_code if isinstance(error, ClientError) else 1
    except ValueError as error:  # a nick, a room or a port that cannot be
        _complain(name, str(error))
        return 2
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0


def _raise(number: int, _frame: FrameType | None) -> None:
    for one in _SIGNALS:
        signal.signal(one, signal.SIG_DFL)
    raise _Signalled(number)


def _log_to_stderr() -> None:
    """Unless the program that we run in has said where its log goes."""
    root = logging.getLogger()
    if not root.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_Harmless("%(asctime)s %(levelname)s: %(message)s"))
        root.addHandler(handler)
        root.setLevel(logging.INFO)


def _complain(name: str, text: str) -> None:
    print(f"{name}: {encodable(harmless_line(text), sys.stderr.encoding)}", file=sys.stderr)
