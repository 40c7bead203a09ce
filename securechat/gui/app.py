"""The window as a whole: `run` is what `securechat gui` calls.

Raised: `SecureChatError` where there is no display. The window goes at once when one leaves; only
then a moment's words are spent with the server.
"""

from __future__ import annotations

import logging
import signal
import tkinter as tk
from collections.abc import Sequence
from types import FrameType
from typing import Final

from ..client.farewell import take_leave
from ..client.invite_link import SCHEME
from ..client.trust_policy import Wishes
from ..errors import SecureChatError
from ..settings import Settings
from .pump import Rubbish
from .window import Stay, Window

log = logging.getLogger(__name__)

#: Seconds that a disk may take for what is half typed.
_WRITTEN_WITHIN: Final = 0.5


def run(
    settings: Settings,
    wishes: Wishes,
    server: str | None,
    nick: str,
    rooms: Sequence[str],
    *,
    goes_in: bool,
) -> int:
    """Show the window until one leaves; the exit code.

    `server` and `nick` fill the form in; with `goes_in`, and if none of them is missing, nobody
    has to say so once more.
    """
    signals: list[int] = []
    stay = _show(settings, wishes, (server or "", nick), rooms, goes_in, signals)
    Rubbish.resume()
    if stay is not None:
        leaving = stay.controller.leaving
        reason = None if leaving is None else leaving.reason
        take_leave(stay.client, reason, stay.controller.timeline.farewell)
        stay.unfinished.close(_WRITTEN_WITHIN)
        if stay.unfinished.problem is not None:
            log.warning("%s", stay.unfinished.problem)
    return 128 + signals[0] if signals else 0


def _show(
    settings: Settings,
    wishes: Wishes,
    form: tuple[str, str],
    rooms: Sequence[str],
    goes_in: bool,
    signals: list[int],
) -> Stay | None:
    """Nothing of Tk's is left when this returns."""
    try:
        root = tk.Tk(className="Securechat")
    except tk.TclError:
        raise SecureChatError(
            "There is no display for a window here. Chat in this terminal with "
            "`securechat connect`, or start the window from a desktop."
        ) from None
    Rubbish(root)
    window = Window(root, settings, wishes, rooms)

    def terminate(number: int, _frame: FrameType | None) -> None:
        signals.append(number)
        window.is_unwanted = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, terminate)
    window.door.fill(*form)
    window.door.present()
    server, nick = form
    if goes_in and (nick or server.lower().startswith(SCHEME)):
        window.door.knock()
    root.mainloop()
    for number in (signal.SIGTERM, signal.SIGINT):  # who says it twice does not wait
        signal.signal(number, signal.SIG_DFL)
    return window.stay
