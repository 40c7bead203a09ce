"""The life of a client's link: when to dial, greet, answer, wait, come back and give up.

Pure: no socket, thread, clock, file or dice. In come what the user wants (`say`, `ask`,
`confirm_drafts`, `quit`), what the link brings (`dialed`, `heard`, `lost`) and the time, seconds of
one clock. Out comes a list of effects (see `effects`), to be carried out in order. Nothing is
raised for what a server can say. What is said over the link is the business of `talk`.

    IDLE ── start ──▶ DIALING ── dialed ──▶ GREETING ── welcome ──▶ ONLINE ── quit ──▶ LEAVING
                       ▲   │                   │                      │                   │
                     tick  │ lost              │ lost                 │ lost             bye
                       │   ▼                   │                      │                   ▼
                      WAITING ◀────────────────┴──────────────────────┘                 ENDED

Until the server has said welcome once, whatever goes wrong is the end: somebody is waiting for an
answer (but for a `patient` plan). After that we come back by ourselves, and only a server that
refuses us for good ends it.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from types import MappingProxyType
from typing import Any, Final

from ..errors import CannotConnect, ClientError, GaveUp, KeyChanged, NotTrusted, Refused
from ..protocol import envelopes as wire
from ..protocol.codec import Refusal
from . import effects as do
from . import events
from .backoff import Backoff
from .heartbeat import Heartbeat, Pulse
from .plan import Plan
from .snapshot import Snapshot, Under, fingerprint
from .talk import Talk

GOOD_AFTER: Final = 10.0
"""Seconds online after which a link was a good one, and back-off begins anew."""

QUIT_WITHIN: Final = 2.0
"""Seconds for the server to answer `quit`."""

HELLO_RETRIES: Final = 5
"""So often in a row may a server refuse our nick, on coming back, before we believe it."""

_COMES_BACK: Final = frozenset(
    {"server_full", "too_many_connections", "slow_consumer", "timeout", "internal"}
)
"""Fatal codes behind which it makes sense to connect again."""


_NOT_LET_IN: Final = frozenset({"auth_failed", "auth_required"})
"""Codes of a refused `hello` that time does not mend."""

_LAST_WORDS: Final = MappingProxyType(
    {
        "replaced": "A newer connection of yours took this one's place. Close one of your other "
        "clients, then connect again.",
        "logged_out": "This session was ended from elsewhere. Connect again, with your password.",
    }
)
"""Reasons of a `bye` behind which we do not come back by ourselves."""


class Phase(Enum):
    """How far we are."""

    IDLE = "idle"
    DIALING = "dialing"
    GREETING = "greeting"
    ONLINE = "online"
    WAITING = "waiting"
    LEAVING = "leaving"
    ENDED = "ended"


_LINKED: Final = frozenset({Phase.GREETING, Phase.ONLINE, Phase.LEAVING})


class Session:
    """One run of one client; `random` gives floats in [0, 1) for the jitter of back-off."""

    def __init__(self, plan: Plan, *, random: Callable[[], float]) -> None:
        self.plan = plan
        self.phase = Phase.IDLE
        self._effects: list[do.Effect] = []
        self._talk = Talk(plan, self._emit)
        self._token = plan.session
        self._under: Under | None = None  # None: the server has never said welcome
        self._backoff = Backoff(random)
        self._heartbeat = Heartbeat(0.0)
        self._attempt = 0
        self._hellos_refused = 0
        self._online_since = 0.0
        self._due: float | None = None  # when the present phase has lasted long enough

    # -------------------------------------------------------------- for reading

    @property
    def rooms(self) -> tuple[str, ...]:
        """The rooms that we are in, or will be as soon as we can."""
        return tuple(self._talk.subscriptions.wanted)

    @property
    def nick(self) -> str:
        """The nick we go by, or will ask for."""
        return self._talk.names.nick

    @property
    def online(self) -> bool:
        """Whether the server has said welcome, and the link stands."""
        return self.phase is Phase.ONLINE

    @property
    def pending(self) -> int:
        """Drafts without an echo."""
        return len(self._talk.delivery.drafts)

    @property
    def deadline(self) -> float | None:
        """When `tick` wants to be called; None: it has no reason to."""
        if self.phase is not Phase.ONLINE:
            return self._due
        retry_at = self._talk.delivery.drafts.retry_at
        beat = self._heartbeat.deadline
        return beat if retry_at is None else min(beat, retry_at)

    @property
    def cursors_moved(self) -> bool:
        """Whether `take_cursors` would give something."""
        return self._talk.subscriptions.has_moved

    def take_cursors(self) -> dict[str, int]:
        """The cursors that have moved since the last call."""
        return self._talk.subscriptions.take_moved()

    def snapshot(self) -> Snapshot:
        """What must outlive this run."""
        return self._talk.snapshot(self._under)

    # -------------------------------------------------------------- from the user

    def start(self, now: float) -> list[do.Effect]:
        """Begin to connect."""
        self._talk.delivery.tell_kept()
        self._dial(now)
        return self._take()

    def say(self, draft: wire.Draft) -> list[do.Effect]:
        """Send a new draft, now or when there is a link."""
        self._talk.delivery.say(draft)
        return self._take()

    def ask(self, command: wire.Command) -> list[do.Effect]:
        """Send a command of the user. Without a link the answer is an `offline` error."""
        self._talk.ask(command)
        return self._take()

    def confirm_drafts(self, send: bool) -> list[do.Effect]:
        """Send the drafts that were held (`Online.held`), or give them up."""
        self._talk.confirm_drafts(send)
        return self._take()

    def refuse(self, id: str, reason: str, code: str) -> list[do.Effect]:
        """A draft cannot be sent at all."""
        self._talk.delivery.refuse(id, reason, code)
        return self._take()

    def quit(self, now: float, reason: str | None, *, at_once: bool = False) -> list[do.Effect]:
        """Leave for good; `at_once`: what is said cannot be waited for any longer."""
        if at_once and self.phase is not Phase.ENDED:
            self._end(None)
        elif self.phase is Phase.ONLINE:
            keys: dict[str, Any] = {} if reason is None else {"reason": reason}
            self._emit(do.Send(wire.Quit(id=self._talk.new_id(), **keys)))
            self._talk.stop()
            self.phase, self._due = Phase.LEAVING, now + QUIT_WITHIN
        elif self.phase not in (Phase.LEAVING, Phase.ENDED):
            self._end(None)
        return self._take()

    # -------------------------------------------------------------- from the link

    def dialed(self, now: float) -> list[do.Effect]:
        """The link stands: say hello."""
        plan = self.plan
        self.phase, self._due = Phase.GREETING, now + plan.greet_within
        known = {"session": self._token, "password": plan.password, "invite": plan.invite}
        keys: dict[str, Any] = {key: value for key, value in known.items() if value is not None}
        hello = wire.Hello(
            id=self._talk.new_id(),
            protocol=wire.PROTOCOL_VERSION,
            nick=self.nick,
            client=plan.client_name,
            **keys,
        )
        self._emit(do.Send(hello))
        return self._take()

    def lost(self, now: float, error: ClientError) -> list[do.Effect]:
        """No link came about, or it broke; `error` says why, and ends us if none ever stood.

        A server that shows another key than the known one ends us at any time: no second try may
        pass it by.
        """
        if self.phase is not Phase.ENDED:
            self._lose(now, str(error), error=error)
        return self._take()

    def alive(self, now: float) -> None:
        """The server gave a sign of life, be it that it reads what we wrote."""
        self._heartbeat.hear(now)

    def heard(self, now: float, said: wire.Posted | wire.System | Refusal) -> list[do.Effect]:
        """The server said something."""
        if self.phase not in _LINKED:
            return []
        if isinstance(said, wire.Posted):
            if not self._talk.hear_posted(now, said):
                self._lose(now, "messages are missing in what the server sent")
        elif isinstance(said, Refusal):
            self._lose(now, said.message)
        else:
            handler = _ON_EVENT.get(type(said))
            if handler is None or not handler(self, now, said):
                self._talk.hear(now, said)
        return self._take()

    def tick(self, now: float) -> list[do.Effect]:
        """Time has passed; call it when `deadline` has come, and whenever else you like.

        Before it, hand in what has arrived: silence is judged here.
        """
        if self._due is not None and now >= self._due:
            _ON_DUE[self.phase](self, now)
        if self.phase is Phase.ONLINE:
            pulse = self._heartbeat.check(now)
            if pulse is Pulse.ASK:
                self._talk.ping()
            elif pulse is Pulse.DEAD:
                self._lose(now, "the server has been silent for too long")
        if self.phase is Phase.ONLINE:
            self._talk.delivery.retry(now)
        return self._take()

    # -------------------------------------------------------------- coming and going

    def _emit(self, effect: do.Effect) -> None:
        self._effects.append(effect)

    def _take(self) -> list[do.Effect]:
        effects = self._effects.copy()
        self._effects.clear()
        return effects

    def _dial(self, _now: float) -> None:
        self._attempt += 1
        self.phase, self._due = Phase.DIALING, None
        self._emit(do.Tell(events.Connecting(self.plan.host, self.plan.port, self._attempt)))
        self._emit(do.Dial())

    def _lose(
        self,
        now: float,
        reason: str,
        *,
        error: ClientError | None = None,
        retry_after: float | None = None,
    ) -> None:
        """There is no link any more: try again later, or end."""
        reason = reason.rstrip(".")
        if self.phase is Phase.LEAVING:
            self._end(None)
            return
        fatal = KeyChanged if self._under is not None else NotTrusted
        if not self._comes_back or isinstance(error, fatal):
            self._end(error or CannotConnect(f"{self._server} let nobody in: {reason}."))
            return
        if self.phase is Phase.ONLINE:
            good = now - self._online_since >= GOOD_AFTER
            if good:
                self._attempt = 0
            # A server that says when it will be back has not failed, however often it says so.
            if good or retry_after is not None:
                self._backoff.reset()
        self.phase = Phase.WAITING
        self._emit(do.HangUp())
        self._talk.interrupt()
        if not self.plan.reconnect:
            self._emit(do.Tell(events.Offline(reason, None)))
            cure = "reconnecting is off, so connect again yourself"
            self._end(GaveUp(f"The link to {self._server} was lost ({reason}); {cure}."))
            return
        delay = self._backoff.next_delay(retry_after or 0.0)
        self._due = now + delay
        self._emit(do.Tell(events.Offline(reason, delay)))

    def _end(self, error: ClientError | None) -> None:
        self.phase, self._due = Phase.ENDED, None
        self._talk.stop()
        self._emit(do.HangUp())
        self._emit(do.End(error))

    @property
    def _comes_back(self) -> bool:
        """Whether a failure that may pass is worth another try."""
        return self._under is not None or self.plan.patient

    @property
    def _server(self) -> str:
        return f"{self.plan.host}:{self.plan.port}"

    def _greeting_due(self, now: float) -> None:
        self._lose(now, "the server did not answer our greeting")

    def _leaving_due(self, _now: float) -> None:
        self._end(None)

    # -------------------------------------------------------------- what concerns the link itself

    def _on_welcome(self, now: float, welcome: wire.Welcome) -> bool:
        resumed = self._token is not None and welcome.session == self._token
        before, under = self._under, Under(welcome.epoch, fingerprint(welcome.session))
        new_epoch = self._talk.compare(before, under, resumed=resumed)
        self._talk.names.become(now, welcome.nick)
        if welcome.session is not None:
            self._token = welcome.session
            self._emit(do.KeepSession(self.nick, welcome.session))
        self._under = under
        if welcome.room is not None:
            self._talk.subscriptions.want(welcome.room)
        self._emit(do.KeepAll())
        self.phase, self._due = Phase.ONLINE, None
        self._online_since, self._hellos_refused = now, 0
        self._heartbeat.hear(now)
        back = before is not None
        held = self._talk.delivery.drafts.held
        self._emit(do.Tell(events.Online(welcome, resumed, back, new_epoch, held)))
        self._talk.begin(under, back=back)
        return True

    def _on_renamed(self, now: float, event: wire.Renamed) -> bool:
        if event.old == self.nick:
            self._talk.names.become(now, event.nick)
            self._emit(do.KeepNick(event.nick))
            if self._token is not None:
                self._emit(do.KeepSession(event.nick, self._token))
        return False

    def _on_account(self, now: float, event: wire.AccountIs) -> bool:
        """Our account has a new session; whoever has just logged in is somebody else with it."""
        if event.session is None:
            return False
        self._token = event.session
        self._emit(do.KeepSession(event.nick, event.session))
        if event.nick != self.nick:
            self._talk.hear(now, event)
            self._talk.names.become(now, event.nick)
            self._emit(do.KeepNick(event.nick))
            self._emit(do.HangUp())
            self._talk.interrupt()
            self._dial(now)  # what we had and have not said belongs to whom we were
            return True
        return False

    def _on_ping(self, _now: float, event: wire.ServerPing) -> bool:
        if self.phase is Phase.ONLINE:
            keys: dict[str, Any] = {} if event.token is None else {"token": event.token}
            self._emit(do.Send(wire.Pong(id=self._talk.new_id(), **keys)))
        return True

    def _on_bye(self, now: float, event: wire.Bye) -> bool:
        if event.reason in ("logout", "logged_out"):
            self._emit(do.ForgetSession(self.nick))
        if event.reason == "logout":
            self._emit(do.Tell(events.Heard(event)))
            self._end(None)
        elif event.reason in _LAST_WORDS and self.phase is not Phase.LEAVING:
            self._end(GaveUp(_LAST_WORDS[event.reason]))
        else:
            reason = f"the server said goodbye: {event.reason}"
            self._lose(now, reason, retry_after=event.retry_after)
        return True

    def _on_error(self, now: float, event: wire.Error) -> bool:
        if self.phase is Phase.GREETING and not event.fatal:
            self._on_hello_refused(now, event)
        elif event.fatal:
            self._on_fatal(now, event)
        else:
            return False
        return True

    def _on_fatal(self, now: float, event: wire.Error) -> None:
        if self.phase is Phase.LEAVING or (event.code in _COMES_BACK and self._comes_back):
            self._lose(now, event.message, retry_after=event.retry_after)
        else:
            self._end(Refused(event.message, event.code))

    def _on_hello_refused(self, now: float, event: wire.Error) -> None:
        """On coming back our session holds our nick: a refusal may soon be over."""
        self._hellos_refused += 1
        believed = self._under is None or self._hellos_refused > HELLO_RETRIES
        if believed or event.code in _NOT_LET_IN:
            self._end(Refused(event.message, event.code))
        else:
            self._lose(now, event.message, retry_after=event.retry_after)


_ON_DUE: Final[MappingProxyType[Phase, Callable[[Session, float], None]]] = MappingProxyType(
    {
        Phase.GREETING: Session._greeting_due,
        Phase.WAITING: Session._dial,
        Phase.LEAVING: Session._leaving_due,
    }
)

#: Events that concern the link; True: nobody else need hear of it.
_ON_EVENT: Final[MappingProxyType[type[wire.System], Callable[[Session, float, Any], bool]]] = (
    MappingProxyType(
        {
            wire.Welcome: Session._on_welcome,
            wire.Renamed: Session._on_renamed,
            wire.AccountIs: Session._on_account,
            wire.ServerPing: Session._on_ping,
            wire.Bye: Session._on_bye,
            wire.Error: Session._on_error,
        }
    )
)
