"""A chat client for a front end to hold: say, command, close; and a queue of what happened.

    trust = ByAuthority(Path("certs/ca.pem"))
    client = ChatClient(ClientConfig(host="localhost", nick="bob", trust=trust))
    client.start()
    client.say("#lobby", "hello")
    while not isinstance(event := client.events.get(), Ended):
        ...

One thread does all the work (see `engine`). Every method may be called from any thread and returns
at once, but for `settle` and `close`, which wait for no longer than told. What goes wrong on the
network is an event, never an exception; the last event is `Ended`.
"""

from __future__ import annotations

import difflib
import logging
import random
import secrets
import sys
import threading
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final

from pydantic import SecretStr, ValidationError

from .. import __version__
from ..errors import ClientError
from ..protocol.codec import FORMS
from ..protocol.envelopes import COMMANDS, DEFAULT_PORT, MAX_LAST, Draft, Join
from . import requests
from .engine import Engine
from .events import ClientEvent
from .ignored import Ignored
from .mailbox import Mailbox
from .plan import Plan
from .trust import SYSTEM, Trust

log = logging.getLogger(__name__)

_LONGEST_NICK: Final = 256  # far above what any server takes; keeps `hello` within its frame
_LONGEST_REASON: Final = 200
_ENDING: Final = 0.5  # seconds; only a disk or a name server that hangs takes longer
#: Commands that only the client itself gives.
_NOT_FOR_USERS: Final = frozenset({"hello", "pong", "quit"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientConfig:
    """Where to connect, as whom, and what to keep; raises `ValueError` for what cannot be.

    `trust`: which server it must be, at each reconnect too; `first_use.settle` finds it.
    `certificate`: a PEM file with a certificate of ours and its key, whose name is our nick, for a
    server that asks for one. `backlog`: with so many earlier messages a room begins (0: none, it
    begins now). `reconnect`: come back by ourselves when a link that once stood is lost.
    `state_dir`: where the guest's session, cursors and unsent drafts are kept; None: nothing is
    kept. `outbox`: False keeps only the session, for a front end that tells by other means what was
    not sent. `connect_timeout`: seconds for each of finding the address, connecting, the TLS
    handshake and being greeted. `mark`: what the ids of our messages begin with (docs/protocol.md,
    "Bots"). `acknowledges`: a message counts as seen, for the next start, when
    `ChatClient.acknowledge` was called for it, not when it was taken. `password`: that of the
    account `nick`, for when no session is kept. `invite`: a token that lets in once, and makes an
    account; then `nick` may be "", and is the one that the invite names. `reads`: False for who
    only sends, or asks for what it reads: rooms begin now, and what earlier runs have read is left
    as it was. `keeps_rooms`: where one is, is kept for the next start (`whereabouts`), for front
    ends of people. `patient`: a server that cannot be reached the first time is tried again, too.
    """

    host: str
    port: int = DEFAULT_PORT
    nick: str
    rooms: tuple[str, ...] = ("#lobby",)
    trust: Trust = SYSTEM
    certificate: Path | None = None
    reconnect: bool = True
    backlog: int = 50
    client_name: str = f"securechat/{__version__}"
    state_dir: Path | None = None
    outbox: bool = True
    connect_timeout: float = 10.0
    mark: str = ""
    acknowledges: bool = False
    reads: bool = True
    keeps_rooms: bool = False
    patient: bool = False
    password: SecretStr | None = None
    invite: SecretStr | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.backlog <= MAX_LAST:
            raise ValueError(f"a backlog of {self.backlog}; 0 to {MAX_LAST} messages can be had")
        if len(self.nick) > _LONGEST_NICK:
            raise ValueError(f"a nick of {len(self.nick)} characters; choose a shorter one")
        if not 0 < self.port < 65_536:
            raise ValueError(f"port {self.port}; ports are 1 to 65535")
        for room in self.rooms:
            try:
                Join(id="x", room=room)
            except ValidationError as error:
                raise ValueError(
                    f"{room!r} is no room; a room is # and 1 to 32 of a-z 0-9 _ -"
                ) from error


def awake_or_asleep() -> float:
    """Seconds of a clock that never jumps and goes on while the machine sleeps, where there is one.

    So a link that died in a laptop's sleep is found dead as soon as it wakes up.
    """
    clock = time.CLOCK_BOOTTIME if sys.platform == "linux" else time.CLOCK_MONOTONIC
    return time.clock_gettime(clock)


class ChatClient:
    """One run of a client. `events` is what a front end draws from, and must take from."""

    def __init__(self, config: ClientConfig) -> None:
        self._config = config
        self._mailbox = Mailbox(acknowledges=config.acknowledges)
        self._run = secrets.token_hex(16)
        self._lock = threading.Lock()
        self._numbers = 0
        self._engine: Engine | None = None
        self._thread = threading.Thread(target=self._work, name="client-io", daemon=True)
        self._started = False
        self.events: SimpleQueue[ClientEvent] = self._mailbox.events

    @property
    def nick(self) -> str:
        """The nick we go by, or will ask for."""
        engine = self._engine
        return self._config.nick if engine is None else engine.nick

    @cached_property
    def ignored(self) -> Ignored:
        """Whom the person does not want to hear on this server; for one thread."""
        return Ignored(self._config.state_dir, self._config.host, self._config.port)

    @property
    def online(self) -> bool:
        """Whether the server has said welcome, and the link stands."""
        return self._mailbox.online

    def start(self) -> None:
        """Begin to connect; the second call, or one after `close`, does nothing."""
        with self._lock:
            if not self._started:
                self._started = True
                self._mailbox.open()
                self._thread.start()

    def say(self, to: str, text: str, *, reply_to: int | None = None, action: bool = False) -> str:
        """Send `text` to a room or `@nick`, now or when there is a link; the draft's id.

        What becomes of it comes as `Draft` events. Raises `ValueError` for what cannot be a
        draft, `ClientError` when the client has ended.
        """
        keys: dict[str, Any] = {} if reply_to is None else {"reply_to": reply_to}
        with self._lock:  # ids grow in the order in which drafts are queued
            self._numbers += 1
            try:
                id = f"{self._config.mark}{self._run}-{self._numbers}"
                draft = Draft(id=id, to=to, text=text, action=action, **keys)
            except ValidationError as error:
                raise _as_value_error("a message", error) from error
            self._mailbox.post(requests.Say(draft))
        return draft.id

    def command(self, name: str, **keys: object) -> str:
        """Send a command of docs/protocol.md; its id, which the answers bear in `re`.

        The answers come as `Heard`; without a link that is an error `offline`, made here. What is
        joined, left and renamed this way stays so after a reconnect. Raises `ValueError` for a
        command or keys that are none, `ClientError` when the client has ended.
        """
        model = COMMANDS.get(name)
        if model is None or name in _NOT_FOR_USERS:
            near = difflib.get_close_matches(name, COMMANDS.keys() - _NOT_FOR_USERS, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ValueError(f"{name} is no command that can be sent{hint}")
        with self._lock:
            self._numbers += 1
            try:
                command = model.model_validate({**keys, "id": f"c{self._numbers}"})
            except ValidationError as error:
                raise _as_value_error(name, error) from error
            self._mailbox.post(requests.Ask(command))
        return command.id

    def acknowledge(self) -> None:
        """We are done with one more of the messages taken, if the config says `acknowledges`."""
        self._mailbox.acknowledge()

    def confirm_drafts(self, send: bool) -> None:
        """Answer `Online.held`: send those drafts, or give them up."""
        self._mailbox.post(requests.Confirm(send))

    def hurry(self) -> None:
        """Come back at once, if we wait for the next try; raises `ClientError` at the end."""
        self._mailbox.post(requests.Hurry())

    def settle(self, timeout: float | None, left: int = 0) -> bool:
        """Wait until every draft but `left` is echoed or refused; False after `timeout` seconds.

        With `left`, a front end that reads a long file can hold itself back.
        """
        return self._mailbox.wait_settled(timeout, left)

    def wait_greeted(self, timeout: float) -> ClientError | None:
        """Wait until the server has let us in, or the client has ended: then why, if it failed."""
        return self._mailbox.wait_greeted(timeout)

    def close(self, reason: str | None = None, timeout: float = 3.0) -> None:
        """Say goodbye and end, within `timeout` seconds; again does nothing.

        A server that has not said goodbye by then is left all the same. What was not echoed is kept
        for the next start, if anything is kept.
        """
        if reason is not None and not (reason.isprintable() and reason.strip()):
            reason = None
        with self._lock:
            never_started = not self._started
            self._started = True
        if never_started:
            self._mailbox.end(None)
            return
        self._leave(requests.Leave(reason and reason[:_LONGEST_REASON]), timeout)
        if self._thread.is_alive():
            self._leave(requests.Leave(None, at_once=True), _ENDING)

    def _leave(self, request: requests.Leave, timeout: float) -> None:
        try:
            self._mailbox.post(request)
        except ClientError:
            pass  # it has ended already
        if self._thread.is_alive():
            self._thread.join(timeout)

    # -------------------------------------------------------------- the io thread

    def _work(self) -> None:
        error: ClientError | None
        try:
            error = self._run_engine()
        except Exception:
            log.exception("the client's io thread failed")
            error = ClientError(
                "The client failed, and that is its own fault; it was logged. Start it again."
            )
        self._mailbox.end(error)

    def _run_engine(self) -> ClientError | None:
        config = self._config
        plan = Plan(
            host=config.host,
            port=config.port,
            nick=config.nick,
            run=self._run,
            rooms=config.rooms,
            backlog=config.backlog,
            client_name=config.client_name,
            reconnect=config.reconnect,
            reads=config.reads,
            patient=config.patient,
            password=config.password,
            invite=config.invite,
            greet_within=config.connect_timeout,
        )
        self._engine = engine = Engine(
            plan,
            self._mailbox,
            trust=config.trust,
            certificate=config.certificate,
            folder=config.state_dir,
            outbox=config.outbox,
            keeps_rooms=config.keeps_rooms,
            timeout=config.connect_timeout,
            clock=awake_or_asleep,
            random=random.random,
        )
        try:
            engine.run()
        finally:
            engine.close()
        return engine.error


def _as_value_error(what: str, error: ValidationError) -> ValueError:
    """The first fault, in one line that repeats nothing of the input."""
    fault = error.errors(include_url=False, include_input=False)[0]
    ours = fault.get("ctx", {}).get("error")
    key = next((str(part) for part in fault["loc"] if part in FORMS), None)
    if ours is not None:
        why = f"{key}: {ours}" if key else str(ours)
    elif key is not None:
        why = f"{key} is missing" if fault["type"] == "missing" else f"{key} must be {FORMS[key]}"
    else:
        where = ".".join(str(part) for part in fault["loc"])
        why = f"there is no key {where}" if fault["type"] == "extra_forbidden" else fault["msg"]
    return ValueError(f"{what} cannot be sent: {why}")
