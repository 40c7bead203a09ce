"""What is said over a link: conversations in, commands and their answers, drafts by `delivery`.

Pure; a part of `session`, which owns the link and calls this while it stands (`begin` to
`interrupt`). What is decided goes out through `emit`, in order.

Coming back is one way for all losses: `join` every wanted room behind its cursor, ask for the
direct conversations and join those that are behind, then every pending draft in first order under
its old id. What comes out is each message once, in order, without a gap, and each draft settled
once, however often the link breaks.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Final

from ..protocol import envelopes as wire
from . import effects as do
from . import events
from .asked import Asked, Questions, without_link
from .catchup import CatchUp
from .delivery import Delivery
from .drafts import Pending
from .names import Names
from .plan import Plan
from .snapshot import Snapshot, Under
from .subscriptions import Place, Subscriptions

MOST_LISTINGS: Final = 4
"""So often over one link we ask which direct conversations there are."""

_PUTS_OUT: Final = frozenset({"kick", "ban"})
"""Acts of moderation after which one is not in the room any more."""


class Talk:
    """The conversations and drafts of one run."""

    def __init__(self, plan: Plan, emit: Callable[[do.Effect], None]) -> None:
        self.names = Names(plan.nick, (nick for one in plan.saved for nick in one.nicks))
        self.subscriptions = Subscriptions(plan.rooms, plan.backlog, reads=plan.reads)
        self._saved = plan.saved
        #: Drafts of earlier runs, which may have been in other rooms than we.
        self._inherited = {kept.draft.id for saved in plan.saved for kept in saved.drafts}
        self._emit = emit
        self.delivery = Delivery(plan.saved, emit, self.subscriptions.name_of, self._forgo)
        self._questions = Questions()
        #: What was said over this link, and is stored, but has not come in its conversation yet.
        self._ahead: set[str] = set()
        self._catch_up: CatchUp | None = None
        self._away: str | None = None  # why we are, by the server's last word on it
        self._listings = 0
        self._numbers = 0
        self._now = 0.0

    def snapshot(self, under: Under | None) -> Snapshot:
        """What must outlive this run."""
        nicks = self.names.all_ours if self.delivery.drafts else {self.names.nick}
        return Snapshot(
            under, tuple(sorted(nicks)), self.subscriptions.cursors(), self.delivery.drafts.kept()
        )

    def new_id(self) -> str:
        """An id for a command of ours."""
        self._numbers += 1
        return f"s{self._numbers}"

    # -------------------------------------------------------------- from the user

    def ask(self, command: wire.Command) -> None:
        """Send a command of the user; without a link it is answered here."""
        if isinstance(command, wire.Join):
            if command.after is None and command.last is None:
                start = self.subscriptions.start_of(command.room)
                command = command.model_copy(update=start)
            if command.room[0] == "#":
                self.subscriptions.want(command.room)
        elif isinstance(command, wire.Leave):
            self.subscriptions.wanted.pop(command.room, None)
        if not self.delivery.open:
            self._answer(command, "There is no link to the server")
            return
        if isinstance(command, wire.ChangeNick):
            name = self.names.expect(command.nick)
            if name is not None:
                self._emit(do.KeepName(name))
        self._request(command, ours=False)

    def confirm_drafts(self, send: bool) -> None:
        """Send the drafts that were held, or give them up."""
        self.delivery.confirm(send, self._enter)

    # -------------------------------------------------------------- the link

    def compare(self, before: Under | None, under: Under, *, resumed: bool) -> bool:
        """Keep what still means something under `under`; True if the history is a new one.

        `before` is where we were last, in this run. `resumed`: the server knew our session.
        """
        for one in self.delivery.drafts:
            if one.under is not None and not under.is_same(one.under):
                self.delivery.drafts.hold_all()
                break
        if before is None:
            return self._restore(under, resumed=resumed)
        if before.epoch != under.epoch:
            self.subscriptions.forget()
            self.subscriptions.fresh = resumed
            return True
        if not under.is_same(before):
            self.subscriptions.forget(directs_only=True)
            self.subscriptions.fresh = False
        return False

    def _restore(self, under: Under, *, resumed: bool) -> bool:
        """Take over what earlier runs knew of this history."""
        earlier = [(one.under, one.cursors) for one in self._saved if one.under is not None]
        same = [(where, cursors) for where, cursors in earlier if where.epoch == under.epoch]
        known = False
        for where, cursors in same:
            ours = under.is_same(where)
            known = known or ours
            self.subscriptions.restore(cursors, directs=ours)
        self.subscriptions.fresh = resumed and not known
        return bool(earlier) and not same

    def begin(self, under: Under, *, back: bool) -> None:
        """The server said welcome: ask for all that is to come, say again what has not come."""
        self.delivery.begin(under)
        catch_up = CatchUp(quiet=not back, before=self._catch_up)
        self._catch_up = catch_up if back or self._saved else None
        for pending in self.delivery.drafts.sendable():
            if pending.draft.id in self._inherited:
                self.subscriptions.want(pending.draft.to)
        for room in self.subscriptions.wanted:
            start = self.subscriptions.start_of(room)
            self._join(room, start)
            catch_up.expect(room)
        self._listings = 0
        self._list_directs()
        if self._away is not None:  # a server that was started anew does not know it
            self._request(wire.GoAway(id=self.new_id(), text=self._away), ours=True)
        for pending in self.delivery.drafts.sendable():
            self.delivery.send(pending)
            catch_up.expect_draft(pending.draft.id)

    def interrupt(self) -> None:
        """The link is gone: what was on its way waits, or has no answer any more."""
        self.stop()
        self._ahead.clear()
        self.names.lose_link()
        self.subscriptions.lose_link()
        self.delivery.interrupt()
        for command in self._questions.lose_link():
            self._answer(command, "The link was lost before the answer came")

    def stop(self) -> None:
        """Nothing is sent any more."""
        self.delivery.stop()

    def ping(self) -> None:
        """Ask whether the server is there."""
        self._request(wire.Ping(id=self.new_id()), ours=True)

    # -------------------------------------------------------------- small tools

    def _answer(self, command: wire.Command, why: str) -> None:
        self._emit(do.Tell(events.Heard(without_link(command, why))))

    def _request(self, command: wire.Command, *, ours: bool) -> None:
        if self.delivery.open:
            self._questions.ask(command, ours=ours)
            self._emit(do.Send(command))

    def _enter(self, pending: Pending) -> None:
        """An earlier run may have been in another room than we: without joining, it is refused."""
        if self.subscriptions.want(pending.draft.to):
            self._join(pending.draft.to, self.subscriptions.start_of(pending.draft.to))

    def _join(self, conversation: str, start: dict[str, Any]) -> None:
        self._request(wire.Join(id=self.new_id(), room=conversation, **start), ours=True)

    def _list_directs(self) -> None:
        self._listings += 1
        self._request(wire.Conversations(id=self.new_id()), ours=True)

    def _forgo(self, id: str) -> None:
        """A draft was given up; that may have been the last thing missing."""
        if self._catch_up is not None:
            self._catch_up.settle(id, sent=False)
            self._check_caught_up()

    def _level(self, conversation: str) -> None:
        """`conversation` came further; that may have been the last thing missing."""
        if self._catch_up is not None:
            if self.subscriptions.is_level(conversation):
                self._catch_up.level(conversation)
            self._check_caught_up()

    def _check_caught_up(self) -> None:
        if self._catch_up is None or not self._catch_up.finished:
            return
        result, self._catch_up = self._catch_up.result(), None
        if result is not None:
            self._emit(do.Tell(result))

    # -------------------------------------------------------------- chats

    def hear_posted(self, now: float, posted: wire.Posted) -> bool:
        """A chat came; False: one before it never did, and this link is not to be believed."""
        sender, to = posted.sender, posted.to
        echo = self.delivery.settle(posted, self.names.all_ours)
        own = echo or self.names.is_mine(sender, now)
        key = self.names.now_called(to if own or to[0] == "#" else f"@{sender}", now)
        if echo:
            self.delivery.show_sent(posted, key)
        again = own and self.delivery.was_repeated(posted.id)
        place = self.subscriptions.place(key, posted.seq, again=again)
        if place is Place.GAP:
            return False
        ours_now = self._was_said_now(posted.id, echo, place)
        if place is Place.LIVE or place is Place.MISSED:
            missed = place is Place.MISSED and not ours_now
            self._emit(do.Tell(events.Message(key, posted, own, missed)))
        if self._catch_up is not None:
            if place is Place.MISSED and not own and self.subscriptions.is_news(key, posted.seq):
                self._catch_up.miss()
            if echo:
                self._catch_up.settle(posted.id, sent=True)
            self._level(key)
        return True

    def _was_said_now(self, id: str, echo: bool, place: Place) -> bool:
        """Whether it is ours, said over this link: nobody misses that, wherever it stands.

        What is said right behind a `join` can be below the head that the answer to that names.
        """
        if not echo:
            ahead = id in self._ahead
            self._ahead.discard(id)
            return ahead
        if self.delivery.was_repeated(id) or id in self._inherited:
            return False
        if place is Place.APART:
            self._ahead.add(id)
        return True

    # -------------------------------------------------------------- system events

    def hear(self, now: float, event: wire.System) -> None:
        """Anything else came that is not about the link itself."""
        asked = self._questions.answered_by(event)
        handler = _ON_EVENT.get(type(event))
        self._now = now
        if handler is None or handler(self, event, asked):
            self._emit(do.Tell(events.Heard(event)))

    def _on_joined(self, event: wire.Joined, asked: Asked | None) -> bool:
        if asked is None or not isinstance(asked.command, wire.Join):
            return True
        if self._catch_up is not None and asked.command.room != event.room:
            self._catch_up.rename(asked.command.room, event.room)
        self.subscriptions.join(asked.command, event)
        self._level(event.room)
        return event.room[0] == "#" or not asked.ours

    def _on_left(self, event: wire.Left, asked: Asked | None) -> bool:
        if asked is not None and isinstance(asked.command, wire.Leave):
            self._drop(event.room)
            self.delivery.send_again(event.room)
        return True

    def _drop(self, room: str) -> None:
        """There is nothing to come from `room`."""
        self.subscriptions.leave(room)
        if self._catch_up is not None:
            self._catch_up.level(room)
            self._check_caught_up()

    def _on_removed(self, event: wire.Removed, _asked: Asked | None) -> bool:
        """Told as of the conversation that we know; of a direct one the event names both sides."""
        if event.to[0] == "@":
            key = event.to if event.nick in self.names.all_ours else f"@{event.nick}"
            event = event.model_copy(update={"to": self.names.now_called(key, self._now)})
        self._emit(do.Tell(events.Heard(event)))
        return False

    def _on_moderated(self, event: wire.Moderated, _asked: Asked | None) -> bool:
        """Who is put out of a room is in it no more, and does not come back by itself."""
        if event.act in _PUTS_OUT and event.room is not None and event.nick == self.names.nick:
            self.subscriptions.wanted.pop(event.room, None)
            self._drop(event.room)
        return True

    def _on_conversations(self, event: wire.ConversationList, asked: Asked | None) -> bool:
        if asked is None or not asked.ours:
            return True
        for row in event.conversations:
            start = self.subscriptions.compare(row)
            if start is not None:
                self._join(row.to, start)
                if self._catch_up is not None:
                    self._catch_up.expect(row.to)
        if not event.more:
            self._know_directs()
        return False

    def _know_directs(self) -> None:
        """The list of direct conversations is complete."""
        self.subscriptions.know_directs(self._questions.joining())
        if self._catch_up is not None:
            self._catch_up.end_listing()
            self._check_caught_up()

    def _on_trimmed(self, event: wire.Trimmed, _asked: Asked | None) -> bool:
        self.subscriptions.trim(event.to, event.after)
        self._level(event.to)
        return True

    def _on_renamed(self, event: wire.Renamed, _asked: Asked | None) -> bool:
        old, new = f"@{event.old}", f"@{event.nick}"
        if self.subscriptions.rename(old, new):
            self._emit(do.MoveCursor(old, new))
            if self._catch_up is not None:
                self._catch_up.rename(old, new)
        self.names.rename(self._now, old, new)
        self._questions.rename(old, new)
        return True

    def _on_away(self, event: wire.AwayIs, asked: Asked | None) -> bool:
        if event.nick == self.names.nick:
            self._away = event.text
        return asked is None or not asked.ours

    def _on_answer(self, _event: wire.System, asked: Asked | None) -> bool:
        """Shown only to a user who asked."""
        return asked is not None and not asked.ours

    def _on_error(self, event: wire.Error, asked: Asked | None) -> bool:
        if self.delivery.hear_refused(self._now, event):
            return False
        command = asked.command if asked is not None else None
        if isinstance(command, wire.Join) and event.code != "already_joined":
            if asked is not None and asked.renamed and event.code == "no_such_user":
                self._request(command.model_copy(update={"id": self.new_id()}), ours=True)
            elif not self.subscriptions.is_live(command.room):
                self.subscriptions.wanted.pop(command.room, None)
                self._drop(command.room)
                if asked is not None and asked.ours and event.code == "no_such_user":
                    self._ask_who_that_is_now()
        elif isinstance(command, wire.Conversations) and asked is not None and asked.ours:
            self._know_directs()
        elif isinstance(command, wire.GoAway) and asked is not None and asked.ours:
            return False  # nobody asked for it
        return True

    def _ask_who_that_is_now(self) -> None:
        """Somebody was listed, and goes by another nick since; who is behind does not hear of it.

        Asked again, the server lists them as they are called now.
        """
        if self._listings < MOST_LISTINGS:
            self._list_directs()


#: What an event does to us; True: the front end may show it. Not named here: it may.
_ON_EVENT: Final[MappingProxyType[type[wire.System], Callable[[Talk, Any, Asked | None], bool]]] = (
    MappingProxyType(
        {
            wire.Joined: Talk._on_joined,
            wire.Left: Talk._on_left,
            wire.ConversationList: Talk._on_conversations,
            wire.Trimmed: Talk._on_trimmed,
            wire.Renamed: Talk._on_renamed,
            wire.Removed: Talk._on_removed,
            wire.Moderated: Talk._on_moderated,
            wire.AwayIs: Talk._on_away,
            wire.ServerPong: Talk._on_answer,
            wire.UnknownEvent: Talk._on_answer,
            wire.Error: Talk._on_error,
        }
    )
)
