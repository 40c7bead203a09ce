"""The io thread of a client: it alone owns the socket, the session and the files.

Each round it takes what the front end asked, goes on dialing or reads what has come, and lets time
pass; then it writes the journal, tells the front end, and writes to the server: so a draft is on
disk before anyone hears of it. All it does is carry out what `session` decides. Nothing it does
blocks for long.
"""

from __future__ import annotations

import select
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from ..errors import ClientError
from ..protocol.codec import encode
from ..protocol.connection import Connection, Role, signal_of
from ..protocol.envelopes import Command, Draft, Error, Moderated
from ..protocol.framing import encode_frame
from . import effects as do
from . import requests
from .dial import Dial
from .events import ClientEvent, Heard
from .keeper import Keeper
from .link import Link, explain_loss
from .mailbox import Mailbox
from .plan import Plan
from .session import Session
from .trust import Trust, guard_of

_LONGEST_SLEEP: Final = 5.0
"""Seconds; that a laptop was asleep is noticed within them."""

_SHORT_SLEEP: Final = 0.2
"""Seconds between looks at what the front end has taken, while that matters."""


class Engine:
    """One run, from `start` to `ended`. `clock` gives seconds, a laptop's sleep included.

    `outbox`: keep cursors and unsent drafts too, not only the guest's session; `keeps_rooms`: and
    in which rooms we are.
    """

    def __init__(
        self,
        plan: Plan,
        mailbox: Mailbox,
        *,
        trust: Trust,
        certificate: Path | None = None,
        folder: Path | None,
        outbox: bool,
        keeps_rooms: bool = False,
        timeout: float,
        clock: Callable[[], float],
        random: Callable[[], float],
    ) -> None:
        self._mailbox = mailbox
        self._trust = trust
        self._certificate = certificate
        self._timeout = timeout
        self._clock = clock
        self._told: list[ClientEvent] = []  # of this round
        self._keeper = Keeper(folder, plan.host, plan.port, self._warn)
        self._begun_as = plan.nick
        self._rooms: tuple[str, ...] | None = () if keeps_rooms else None  #: as they are kept
        kept = self._keeper.load_session(plan.nick)
        saved = self._keeper.open_outbox(plan.nick, plan.run) if outbox else ()
        self._session = Session(replace(plan, session=kept, saved=saved), random=random)
        self._dial: Dial | None = None
        self._link: Link | None = None
        self._connection = Connection(Role.CLIENT)
        #: Whether it is over, and why.
        self.ended = False
        self.error: ClientError | None = None
        mailbox.adopt(self._session.pending)

    @property
    def nick(self) -> str:
        """The nick we go by."""
        return self._session.nick

    def run(self) -> None:
        """Do everything until the end."""
        self._carry_out(self._session.start(self._clock()))
        while True:
            self._round(self._clock())
            if self.ended:
                break
            self._sleep()
        for request in self._mailbox.refuse_more():  # too late to be sent, not to be kept
            self._obey(self._clock(), request)
        self._settle_round()

    def close(self) -> None:
        """Give everything back, whatever happened."""
        self._hang_up()
        if self._mailbox.is_idle:
            self._keeper.keep_cursors(self._session.take_cursors())
        if self._rooms:  # what was asked last may have no answer yet
            self._keep_rooms(self._session.rooms)
        self._keeper.close()

    # -------------------------------------------------------------- one round

    def _sleep(self) -> None:
        """Until there is something to do."""
        now = self._clock()
        behind = self._mailbox.is_behind
        due = [now + _LONGEST_SLEEP]
        if self._session.deadline is not None:
            due.append(self._session.deadline)
        if self._dial is not None:
            due.append(self._dial.deadline)
        if behind or self._session.cursors_moved:
            due.append(now + _SHORT_SLEEP)
        if self._link is not None and self._link.has_more and not behind:
            due.append(now)
        poll = select.poll()
        poll.register(self._mailbox, select.POLLIN)
        peer = self._link or self._dial
        if peer is not None and peer.fileno() >= 0:
            interest = peer.interest & ~(select.POLLIN if behind else 0)
            if interest:
                poll.register(peer, interest)
        poll.poll(max(0.0, min(due) - now) * 1_000)

    def _round(self, now: float) -> None:
        if self._session.cursors_moved and self._mailbox.is_idle:
            self._keeper.keep_cursors(self._session.take_cursors())
        for request in self._mailbox.take():
            self._obey(now, request)
        if self._dial is not None:
            self._go_on_dialing(self._dial, now)
        if self._link is not None:
            self._read(self._link, now)
        self._carry_out(self._session.tick(now))
        self._settle_round()
        if self._link is not None:
            self._write(self._link, now)

    def _settle_round(self) -> None:
        """Make what was decided known: to the disk, then to the front end."""
        self._keeper.flush(self._session.snapshot)
        for event in self._told:
            self._mailbox.tell(event)
        self._told.clear()

    def _go_on_dialing(self, dial: Dial, now: float) -> None:
        try:
            link = dial.advance(now)
        except ClientError as error:
            self._dial = None
            self._carry_out(self._session.lost(now, error))
            return
        if link is not None:
            self._dial, self._link = None, link
            self._connection = Connection(Role.CLIENT)
            self._carry_out(self._session.dialed(now))

    def _read(self, link: Link, now: float) -> None:
        if self._mailbox.is_behind:
            self._session.alive(now)  # the silence is ours
            return
        try:
            chunks = link.read()
        except OSError as error:
            self._carry_out(self._session.lost(now, explain_loss(error)))
            return
        for chunk in chunks:  # piece by piece: the connection copies what it has not yet taken
            self._session.alive(now)
            self._connection.receive_data(chunk)
            while self._link is link and (said := self._connection.next_events()):
                for one in said:
                    self._carry_out(self._session.heard(now, one))  # type: ignore[arg-type]

    def _write(self, link: Link, now: float) -> None:
        try:
            if link.flush():
                self._session.alive(now)
        except OSError as error:
            self._carry_out(self._session.lost(now, explain_loss(error)))

    def _hang_up(self, _effect: object = None) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None
        if self._dial is not None:
            self._dial.close()
            self._dial = None

    # -------------------------------------------------------------- requests and effects

    def _obey(self, now: float, request: requests.Request) -> None:
        session = self._session
        match request:
            case requests.Say(draft):
                self._carry_out(session.say(draft))
            case requests.Ask(command):
                self._carry_out(session.ask(command))
            case requests.Confirm(send):
                self._carry_out(session.confirm_drafts(send))
            case requests.Hurry():
                self._carry_out(session.hurry(now))
            case requests.Leave(reason, at_once):
                self._carry_out(session.quit(now, reason, at_once=at_once))

    def _carry_out(self, effects: list[do.Effect]) -> None:
        for effect in effects:
            _CARRY_OUT[type(effect)](self, effect)

    def _tell(self, effect: do.Tell) -> None:
        event = effect.event
        self._told.append(event)
        if self._rooms is None or not isinstance(event, Heard):
            return
        if event.system.re is not None or isinstance(event.system, Moderated):
            self._keep_rooms(self._session.rooms)

    def _keep_rooms(self, rooms: tuple[str, ...]) -> None:
        if rooms != self._rooms:
            self._rooms = rooms
            for nick in {self._begun_as, self.nick}:
                self._keeper.keep_rooms(nick, rooms)

    def _send(self, effect: do.Send) -> None:
        if self._link is None or self._connection.closed:
            # It broke, or the server said bye, within this round: what came before that is heard
            # only now. What must not be lost is sent again.
            return
        envelope = effect.envelope
        payload = encode(envelope)
        if len(payload) > self._connection.max_frame:
            self._refuse(envelope)
            return
        self._connection.note_sent(signal_of(envelope))
        self._link.write(encode_frame(payload, self._connection.max_frame))

    def _refuse(self, envelope: Draft | Command) -> None:
        """It does not fit into a frame of this server."""
        code, message = "frame_too_large", "This is too long for one message. Split it."
        if isinstance(envelope, Draft):
            self._carry_out(self._session.refuse(envelope.id, message, code))
        else:
            self._told.append(Heard(Error(code=code, message=message, re=envelope.id)))

    def _start_dial(self, _effect: do.Dial) -> None:
        now, plan = self._clock(), self._session.plan
        try:
            guard = guard_of(
                self._trust, self._certificate
            )  # anew each time: a ca.pem may be renewed
        except ClientError as error:
            self._carry_out(self._session.lost(now, error))
            return
        self._dial = Dial(
            guard, plan.host, plan.port, timeout=self._timeout, now=now, wake=self._mailbox.wake
        )
        self._go_on_dialing(self._dial, now)

    def _end(self, effect: do.End) -> None:
        self.ended, self.error = True, effect.error

    def _warn(self, message: str) -> None:
        self._told.append(Heard(Error(code="state", message=message)))

    def _keep_session(self, effect: do.KeepSession) -> None:
        self._keeper.keep_session(effect.nick, effect.session)

    def _forget_session(self, effect: do.ForgetSession) -> None:
        self._keeper.forget_session(effect.nick)

    def _keep_draft(self, effect: do.KeepDraft) -> None:
        self._keeper.keep_draft(effect.draft)

    def _forget_draft(self, effect: do.ForgetDraft) -> None:
        self._keeper.forget_draft(effect.id)

    def _keep_nick(self, effect: do.KeepNick) -> None:
        self._keeper.keep_nick(effect.nick)

    def _keep_name(self, effect: do.KeepName) -> None:
        self._keeper.keep_name(effect.nick)

    def _move_cursor(self, effect: do.MoveCursor) -> None:
        self._keeper.move_cursor(effect.old, effect.new)

    def _keep_all(self, _effect: do.KeepAll) -> None:
        self._keeper.rewrite(self._session.snapshot())


_CARRY_OUT: Final[MappingProxyType[type[do.Effect], Callable[[Engine, Any], None]]] = (
    MappingProxyType(
        {
            do.Tell: Engine._tell,
            do.Send: Engine._send,
            do.Dial: Engine._start_dial,
            do.HangUp: Engine._hang_up,
            do.End: Engine._end,
            do.KeepSession: Engine._keep_session,
            do.ForgetSession: Engine._forget_session,
            do.KeepDraft: Engine._keep_draft,
            do.ForgetDraft: Engine._forget_draft,
            do.KeepNick: Engine._keep_nick,
            do.KeepName: Engine._keep_name,
            do.MoveCursor: Engine._move_cursor,
            do.KeepAll: Engine._keep_all,
        }
    )
)
