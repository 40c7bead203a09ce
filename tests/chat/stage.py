"""A stage for the hub: made-up time, a store of a few lines, people who note what they hear.

`Stage` does what dispatcher, renderer and io threads do around the hub, as plainly as can be: it
stores, numbers and hands on, one message at a time. While it does, it holds every effect against
what must always be true of one (`_check`), so each test that uses it proves that too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from pydantic import BaseModel

from securechat.chat import effects as fx
from securechat.chat.admin import Asked, password_of
from securechat.chat.hub import NOBODY, Event, Hub, Now
from securechat.config import ChatLimits
from securechat.link_events import Arrived, Lost
from securechat.proofs import Derive, Derived, Job, Result, Verified, Verify
from securechat.protocol.codec import encode
from securechat.protocol.envelopes import (
    Command,
    Draft,
    Error,
    Hello,
    Join,
    Joined,
    Left,
    Pong,
    Posted,
    Renamed,
    Welcome,
)
from securechat.records import (
    Known,
    Stored,
)

from .book import TS, Book

Said: TypeAlias = tuple[int, Event]


class Person:
    """One connection; what it hears is noted in order: events, posted chats, plain effects."""

    def __init__(self, stage: Stage, number: int) -> None:
        self.stage = stage
        self.number = number
        self.heard: list[Any] = []
        #: The last thing that was said to it; None while it is open.
        self.last: Any = None
        self.open = True
        #: Conversation -> the number of the message last seen in it.
        self.cursors: dict[str, int] = {}
        self.session: str | None = None
        self.greeted = False
        #: It reads too slowly for what is said once, to all who are at the head.
        self.behind = False

    def __repr__(self) -> str:
        return f"<Person {self.number}>"

    # ---------------------------------------------------------- what it says, for a batch

    def wants(self, kind: type[Command], id: str = "q", **keys: Any) -> Said:
        return self.number, kind(id=id, **keys)

    def draft(self, to: str, text: str = "hi", id: str | None = None, **keys: Any) -> Said:
        self.stage.drafts += 1
        return self.number, Draft(id=id or f"d{self.stage.drafts}", to=to, text=text, **keys)

    def hello(self, nick: str, session: str | None = None, protocol: int = 1, **keys: Any) -> Said:
        if session:
            keys["session"] = session
        return self.wants(Hello, "h", protocol=protocol, nick=nick, **keys)

    # ---------------------------------------------------------- what it says now

    def ask(self, kind: type[Command], id: str = "q", **keys: Any) -> list[Any]:
        """Send a command; returns what is heard."""
        return self.tell(self.wants(kind, id, **keys)[1])

    def say(self, to: str, text: str = "hi", id: str | None = None, **keys: Any) -> list[Any]:
        """Send a draft; returns what is heard."""
        return self.tell(self.draft(to, text, id, **keys)[1])

    def tell(self, *events: Event) -> list[Any]:
        """Send anything, in one batch; returns what is heard, and not what was before."""
        before = self.hears()
        self.stage.batch(*((self.number, event) for event in events))
        heard, self.heard = self.heard, before
        return heard

    def join(self, *rooms: str) -> None:
        """Be in some rooms, whatever is heard."""
        for room in rooms:
            assert isinstance(self.ask(Join, room=room)[-1], Joined)

    def cut(self) -> None:
        """Lose the link."""
        self.stage.batch((self.number, Lost("closed by the peer")))

    def hears(self) -> list[Any]:
        """What was heard since the last time."""
        heard, self.heard = self.heard, []
        return heard


class Stage:
    """A hub with people around it."""

    def __init__(self, book: Book | None = None, *, mono: float = 1000.0, **limits: Any) -> None:
        self.book = book or Book()
        self.limits = ChatLimits(**limits)
        self.mono = mono
        self.tokens = 0
        self.drafts = 0
        self.numbers = 0
        self.people: dict[int, Person] = {}
        self.effects: list[fx.Effect] = []
        #: Jobs of the threads that hash; done at once, unless they are `slow`.
        self.jobs: list[Job] = []
        self.slow = False
        self.replies: list[fx.Reply] = []
        self._open_hub()

    def _open_hub(self) -> None:
        self.hub = Hub(
            self.limits,
            self.book.snapshot(),
            new_token=self._new_token,
            choose=lambda jokes: jokes[0],
            name="stage",
            version="0",
            motd="be kind",
        )
        self._carry_out(self.hub.start(self.now))

    def _new_token(self) -> str:
        self.tokens += 1
        return f"token-{self.tokens}"

    @property
    def now(self) -> Now:
        return Now(self.mono, 1_700_000_000.0 + self.mono, TS)

    # ---------------------------------------------------------- people

    def connection(self, peer: str = "127.0.0.1:4711") -> Person:
        """A connection that has said nothing yet."""
        self.numbers += 1
        person = self.people[self.numbers] = Person(self, self.numbers)
        self.batch((person.number, Arrived(peer)))
        return person

    def enter(
        self, nick: str, *rooms: str, session: str | None = None, peer: str = "127.0.0.1:4711"
    ) -> Person:
        """Somebody who has said hello and joined some rooms; nothing heard of that is noted."""
        person = self.connection(peer)
        self.batch(person.hello(nick, session))
        assert person.greeted, person.heard
        self.batch((person.number, Pong(id="met")))  # whoever says something has read its welcome
        person.join(*rooms)
        person.heard = []
        return person

    # ---------------------------------------------------------- time and batches

    def batch(self, *said: Said) -> None:
        """Have it decided and carried out as one batch."""
        for number, event in said:
            if isinstance(event, Lost) and number in self.people:
                self.people[number].open = False
        self._carry_out(self.hub.decide(said, self.now))
        self.wait(0.0)  # what follows from something stored is due at once
        if not self.slow:
            self.hash()

    def hash(self) -> None:
        """Let the threads that hash do what they were asked."""
        jobs, self.jobs = self.jobs, []
        if jobs:
            self.batch(*((NOBODY, _do(job)) for job in jobs))

    def ask(self, request: Any) -> fx.Reply:
        """Ask as the operator does; the reply."""
        password = password_of(request)
        hashed = f"hash of {password.get_secret_value()}" if password is not None else None
        ticket = len(self.replies) + 1
        self.batch((NOBODY, Asked(ticket, request, hashed)))
        assert self.replies[-1].ticket == ticket
        return self.replies[-1]

    def wait(self, seconds: float) -> None:
        """Let time pass; the hub is called whenever it wants to be."""
        end = self.mono + seconds
        while self.hub.next_due <= end:
            self.mono = max(self.mono, self.hub.next_due)
            self._carry_out(self.hub.tick(self.now))
        self.mono = end

    def restart(self, *, crash: bool = False, down: float = 1.0) -> None:
        """Stop the server, in order or not, and start another one on the same book."""
        if not crash:
            self._carry_out(self.hub.farewell("shutdown", 1.0, self.now))
        for person in self.people.values():
            person.open = False
        self.mono += down
        self._open_hub()

    # ---------------------------------------------------------- carrying out

    def _carry_out(self, effects: list[fx.Effect]) -> None:
        self.effects = effects
        stored = [effect for effect in effects if isinstance(effect, fx.PERSISTENT)]
        outcomes = iter(self.book.commit(stored))
        for effect in effects:
            if not isinstance(effect, fx.PERSISTENT):
                self._do(effect)
                continue
            outcome = next(outcomes)
            if isinstance(outcome, Stored):
                assert isinstance(effect, fx.Post)
                self._post(effect, outcome)
            elif isinstance(outcome, Known):
                assert isinstance(effect, fx.Post | fx.Refuse)
                self._send(effect.connection, Posted.model_validate_json(outcome.payload))
            else:
                for follow_up in self.hub.settle(effect, outcome):
                    assert not isinstance(follow_up, fx.PERSISTENT), "too late to store it"
                    self._do(follow_up)

    def _post(self, post: fx.Post, stored: Stored) -> None:
        # Who said it may be gone already: the whole batch is decided before anything is stored.
        new = post.record
        name = new.conversation
        posted = Posted(
            id=new.id,
            to=new.to if post.address is None else post.address,
            sender=new.sender,
            seq=stored.seq,
            ts=stored.ts,
            text=new.text,
            reply_to=new.reply_to,
            action=new.action,
        )
        self.hub.posted(name, stored.seq, stored.ts)
        for person in self._subscribers(name):
            assert person.cursors[name] == stored.seq - 1, "a gap or a repeat"
            person.cursors[name] = stored.seq
            person.heard.append(posted)

    def _subscribers(self, name: str) -> list[Person]:
        return [it for it in self.people.values() if it.open and name in it.cursors]

    def _send(self, number: int, event: Any) -> None:
        person = self.people[number]
        assert person.last is None, "said behind the last word"
        if person.open:
            if isinstance(event, Welcome):
                person.session, person.greeted = event.session, True
            person.heard.append(event)
        _check(event)

    def _do(self, effect: fx.Effect) -> None:
        match effect:
            case fx.Send():
                self._send(effect.connection, effect.event)
            case fx.SendList(number, event, key, rows):
                self._send(number, event.model_copy(update={key: tuple(rows)}))
            case fx.SendRooms() | fx.SendTopic() | fx.SendConversations():
                self.people[effect.connection].heard.append(effect)
            case fx.ReadHistory() | fx.Find():
                self.people[effect.connection].heard.append(effect)
            case fx.Notify(numbers, event):
                assert len(set(numbers)) == len(numbers), "once per peer"
                for number in numbers:
                    if not self.people[number].behind:
                        self._send(number, event)
            case fx.Broadcast(name, event, skip):
                for person in self._subscribers(name):
                    if person.number != skip and not person.behind:
                        self._send(person.number, event)
            case fx.Subscribe():
                self._subscribe(effect)
            case fx.Scrub():
                pass  # nothing is kept here for those behind
            case fx.Unsubscribe(number, name):
                del self.people[number].cursors[name]
            case fx.Close(number, event):
                self._send(number, event)
                self.people[number].open = False
                self.people[number].last = event
            case Verify() | Derive():
                self.jobs.append(effect)
            case fx.Reply():
                self.replies.append(effect)
            case _:
                raise AssertionError(f"{effect} cannot be carried out")

    def _subscribe(self, effect: fx.Subscribe) -> None:
        head = self.hub.heads.get(effect.conversation, 0)
        after = head
        if effect.after is not None:
            after = min(effect.after, head)
        elif effect.last is not None:
            after = max(head - effect.last, 0)
        person = self.people[effect.connection]
        if effect.re is not None:
            self._send(effect.connection, self.hub.joined(effect, after))
        else:
            assert effect.conversation not in person.cursors, "subscribed already"
        person.cursors[effect.conversation] = head


def _do(job: Job) -> Result:
    """What a thread that hashes would say, by a hash that anyone can read."""
    hashed = f"hash of {job.password.get_secret_value()}"
    if isinstance(job, Derive):
        return Derived(job.ticket, hashed)
    return Verified(job.ticket, job.hashed == hashed)


def _check(event: BaseModel) -> None:
    """What is true of everything that is ever said: it is valid, and errors are short."""
    payload = encode(event)
    type(event).model_validate_json(payload)
    if isinstance(event, Error):
        assert len(payload) < 512, "an error is short"
        assert re.search(r"[.;] \S", event.message), "and says what was wrong, and what to do"
    if isinstance(event, Joined | Left | Renamed):
        assert event.nick


def kinds(heard: Iterable[Any]) -> list[str]:
    """What was heard, by the names of the types alone."""
    return [type(it).__name__ for it in heard]


def code_of(heard: Sequence[Any]) -> str:
    """The code of the one error that was heard."""
    [error] = heard
    assert isinstance(error, Error), error
    return error.code
