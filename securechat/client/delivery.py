"""Drafts on their way: sent over the link there is, told of, sent again, given up.

Pure; a part of `talk`, which says when there is a link (`begin` to `interrupt`), hears echoes and
refusals, and owns the rooms that drafts go to. In: drafts, and what the server says of them. Out,
through `emit` and in order: what to send, what to keep, what to tell; and `given_up(id)` for each
draft that will never be sent.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final

from ..protocol import envelopes as wire
from . import effects as do
from . import events
from .drafts import Drafts, Pending
from .events import STORAGE, DraftState
from .snapshot import Snapshot, Under

STORAGE_RETRY: Final = 5.0
"""Seconds until a draft that could not be stored is sent again, if the server names none."""


class Delivery:
    """The drafts of one run, and the link that they go over."""

    def __init__(
        self,
        saved: Sequence[Snapshot],
        emit: Callable[[do.Effect], None],
        name_of: Callable[[str], str],
        given_up: Callable[[str], None],
    ) -> None:
        self.drafts = Drafts()
        self._emit = emit
        self._name_of = name_of
        self._given_up = given_up
        #: Where what we send now will be known; None: there is no link.
        self._under: Under | None = None
        self._last_under: Under | None = None
        #: What was sent again over this link, settled or not.
        self._repeated: dict[str, Pending] = {}
        for one in saved:
            for kept in one.drafts:
                self.drafts.add(kept.draft, kept.under, tried=True)

    # -------------------------------------------------------------- the link

    @property
    def open(self) -> bool:
        """Whether there is a link to send over."""
        return self._under is not None

    def begin(self, under: Under) -> None:
        """There is a link; what is sent now is known under `under`."""
        self._under = self._last_under = under

    def move(self, before: Under, under: Under) -> None:
        """What was known under `before` is known as `under` from now on."""
        for one in self.drafts:
            if one.under == before:
                one.under = under
        self._last_under = under
        if self._under is not None:
            self._under = under

    def stop(self) -> None:
        """Nothing is sent any more."""
        self._under = None

    def interrupt(self) -> None:
        """The link is gone: what was on its way waits for the next one."""
        self.stop()
        self._repeated.clear()
        for pending in self.drafts.lose_link():
            self._tell(pending, events.NO_LINK)

    # -------------------------------------------------------------- from the user

    def tell_kept(self) -> None:
        """Show the drafts that an earlier run left."""
        for one in self.drafts:
            self._tell(one, "kept from an earlier run")

    def say(self, draft: wire.Draft) -> None:
        """Send a new draft, now or later."""
        pending = self.drafts.add(draft, self._last_under)
        self._emit(do.KeepDraft(draft))
        if self.drafts.stalled:
            self._tell(pending, "the server has no room to store it", STORAGE)
        elif self._under is None:
            self._tell(pending, events.NO_LINK)
        else:
            self.send(pending)

    def confirm(self, send: bool, enter: Callable[[Pending], None]) -> None:
        """Send the drafts that were held, each behind `enter`, or give them up."""
        released = self.drafts.release()
        for one in released:
            if not send:
                self._give_up(one, "you chose not to send it", "discarded")
            elif self._under is not None and not self.drafts.stalled:
                enter(one)
                self.send(one)
        if released:
            self._emit(do.KeepAll())

    def refuse(self, id: str, reason: str, code: str) -> None:
        """A draft cannot be sent at all."""
        pending = self.drafts.get(id)
        if pending is not None:
            self._give_up(pending, reason, code)

    # -------------------------------------------------------------- out

    def send(self, pending: Pending) -> None:
        """Send a draft over the link there is."""
        if pending.tried:
            self._repeated[pending.draft.id] = pending
        pending.tried, pending.state, pending.under = True, DraftState.SENDING, self._under
        self._tell(pending)
        self._emit(do.Send(pending.draft))

    def send_again(self, room: str) -> None:
        """Send again what was said before we left: had we been behind, its echo never comes."""
        if self._under is not None and not self.drafts.stalled:
            for one in self.drafts.sendable():
                if one.draft.to == room and one.state is DraftState.SENDING:
                    self.send(one)

    def retry(self, now: float) -> None:
        """Send again what the server had no room for, when the time has come."""
        retry_at = self.drafts.retry_at
        if retry_at is not None and now >= retry_at:
            for one in self.drafts.end_stall():
                if self.drafts.get(one.draft.id) is one:
                    self.send(one)
                else:
                    self._emit(do.Send(one.draft))

    # -------------------------------------------------------------- what became of them

    def settle(self, posted: wire.Posted, names: Collection[str]) -> bool:
        """Whether `posted` is the echo of a draft of ours; then it is pending no more."""
        return self.drafts.settle(posted, names) is not None

    def show_sent(self, posted: wire.Posted, conversation: str) -> None:
        """Tell of a draft that was settled, and forget it."""
        self._emit(do.ForgetDraft(posted.id))
        event = events.Draft(
            posted.id, conversation, posted.text, DraftState.SENT, posted.action, seq=posted.seq
        )
        self._emit(do.Tell(event))

    def was_repeated(self, id: str) -> bool:
        """Whether that draft was sent again over this link, so that its echo may be a repeat."""
        return id in self._repeated

    def hear_refused(self, now: float, error: wire.Error) -> bool:
        """Take a refusal; False: it is none of a draft of ours."""
        pending = self._sent_as(error.re)
        if pending is None:
            return False
        settled = self.drafts.get(pending.draft.id) is None
        if error.code != STORAGE:
            if not settled:
                self._give_up(pending, error.message, error.code)
            return True
        wait = STORAGE_RETRY if error.retry_after is None else error.retry_after
        self.drafts.stall(pending, now + wait)
        if not settled and pending.state is not DraftState.WAITING:
            pending.state = DraftState.WAITING
            self._tell(pending, error.message, error.code)
        return True

    def _sent_as(self, id: str | None) -> Pending | None:
        """The draft of that id: pending, or sent again over this link and settled since."""
        if id is None:
            return None
        return self.drafts.get(id) or self._repeated.get(id)

    def _give_up(self, pending: Pending, reason: str, code: str) -> None:
        """It will never be sent again."""
        self.drafts.take(pending.draft.id)
        pending.state = DraftState.REFUSED
        self._emit(do.ForgetDraft(pending.draft.id))
        self._tell(pending, reason, code)
        self._given_up(pending.draft.id)

    def _tell(self, pending: Pending, reason: str = "", code: str = "") -> None:
        draft, name = pending.draft, self._name_of(pending.draft.to)
        event = events.Draft(
            draft.id, name, draft.text, pending.state, draft.action, reason, code=code
        )
        self._emit(do.Tell(event))
