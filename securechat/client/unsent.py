"""Our own messages of which we do not know yet that they are stored, and those that will not be.

Pure; a part of `timeline`. Bounded: what is oldest is forgotten here, and goes on in the client.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from .events import NO_LINK, Draft, DraftState

MAX_DRAFTS: Final = 1_000

#: A draft that is on its way for longer is shown as such.
OVERDUE: Final = timedelta(seconds=2)


def why_unsent(draft: Draft) -> str:
    """What one that is neither stored nor refused is at, or waits for, in a few words."""
    if draft.state is DraftState.SENDING:
        return "sending"
    if draft.reason in ("", NO_LINK):
        return "waits for the connection"
    why = draft.reason.partition(". ")[0].rstrip(".")  # what to do about it is done by the client
    return f"waits: {why[:1].lower()}{why[1:]}"


class Unsent:
    """`drafts` by id, oldest first; `refused` until somebody forgets them."""

    def __init__(self) -> None:
        self.drafts: dict[str, Draft] = {}
        self.refused: dict[str, Draft] = {}
        self._since: dict[str, datetime] = {}  # when those that are on their way went

    def of(self, name: str | None) -> list[Draft]:
        """Those of conversation `name`, what was refused first."""
        both = (*self.refused.values(), *self.drafts.values())
        return [draft for draft in both if draft.conversation == name]

    def send(self, draft: Draft, now: datetime) -> None:
        """It is on its way."""
        self._keep(draft)
        self._since[draft.id] = now

    def wait(self, draft: Draft) -> None:
        """It waits for the link."""
        self._keep(draft)
        self._since.pop(draft.id, None)

    def settle(self, draft_id: str) -> None:
        """It is stored."""
        self.drafts.pop(draft_id, None)
        self._since.pop(draft_id, None)

    def refuse(self, draft: Draft) -> None:
        """It will not be stored."""
        self.settle(draft.id)
        self.refused[draft.id] = draft
        if len(self.refused) > MAX_DRAFTS:
            del self.refused[next(iter(self.refused))]

    def lose_link(self) -> None:
        """Nothing is on its way."""
        self._since.clear()

    def take_overdue(self, now: datetime) -> list[Draft]:
        """Those that have been on their way for `OVERDUE`; each once."""
        late = [key for key, since in self._since.items() if now - since >= OVERDUE]
        for key in late:
            del self._since[key]
        return [self.drafts[key] for key in late]

    def _keep(self, draft: Draft) -> None:
        self.drafts[draft.id] = draft
        if len(self.drafts) > MAX_DRAFTS:
            self.settle(next(iter(self.drafts)))
