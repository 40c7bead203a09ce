"""A store of a few lines for the hub: what it is told to keep, in dictionaries."""

from __future__ import annotations

from collections.abc import Sequence

from securechat.chat import effects as fx
from securechat.protocol.codec import encode_posted
from securechat.records import (
    Conflict,
    Failed,
    ForgetIdentity,
    ForgetInvite,
    ForgetRoom,
    ForgetSession,
    KeepAccount,
    KeepAct,
    KeepIdentity,
    KeepInvite,
    KeepPresence,
    KeepRoom,
    KeepSanction,
    KeepSession,
    KeepTopic,
    Kept,
    Known,
    LiftSanction,
    Lookup,
    NewMessage,
    Outcome,
    Record,
    Removal,
    RemoveMessage,
    Snapshot,
    Stored,
    Together,
    Unknown,
)

TS = "2026-05-04T03:02:01.000000Z"


class Book:
    """A store: what it is told to keep, and no more cleverness than the numbers need."""

    def __init__(self) -> None:
        self.full = False
        #: What could not be kept and nobody waits for; it goes with the next batch.
        self.owed: list[Record] = []
        self.messages: dict[str, list[NewMessage]] = {}
        self.known: dict[tuple[int, str], tuple[NewMessage, int]] = {}
        self.identities: dict[int, KeepIdentity] = {}
        self.forgotten: set[int] = set()
        self.presence: dict[tuple[int, str], None] = {}
        self.topics: dict[str, str] = {}
        self.rooms: dict[str, KeepRoom] = {}
        self.sanctions: dict[int, KeepSanction] = {}
        self.audit: list[KeepAct] = []
        self.removals: list[Removal] = []
        self.accounts: dict[int, KeepAccount] = {}
        self.sessions: dict[bytes, KeepSession] = {}
        self.invites: dict[bytes, KeepInvite] = {}

    def commit(self, effects: Sequence[fx.Persistent]) -> list[Outcome]:
        if self.full:
            self.owed += [it.record for it in effects if isinstance(it, fx.Keep | fx.Greet)]
            return [Failed()] * len(effects)
        owed, self.owed = self.owed, []
        for record in owed:
            self._keep(record)
        return [self._keep(effect.record) for effect in effects]

    def _keep(self, record: Record) -> Outcome:
        match record:
            case NewMessage():
                known = self._judge(record)
                if known is not None:
                    return known
                messages = self.messages.setdefault(record.conversation, [])
                messages.append(record)
                self.known[record.identity, record.id] = record, len(messages)
                return Stored(len(messages), TS)
            case Lookup():
                known = self._judge(record)
                return Unknown() if known is None else known
            case KeepIdentity():
                assert record.identity not in self.forgotten, "numbers are not used again"
                self.identities[record.identity] = record
            case ForgetIdentity():
                self.forgotten.add(record.identity)
                self.identities.pop(record.identity, None)
            case KeepPresence(identity, room, present):
                assert ((identity, room) in self.presence) is not present, "said twice"
                if present:
                    self.presence[identity, room] = None
                else:
                    del self.presence[identity, room]
            case KeepTopic(room, text):
                self.topics[room] = text
                if not text:
                    del self.topics[room]
            case RemoveMessage():
                return self._erase(record)
            case KeepRoom(room):
                self.rooms[room] = record
            case ForgetRoom(room):
                del self.rooms[room]
            case KeepSanction(number):
                assert number not in self.sanctions, "numbers are not used twice"
                self.sanctions[number] = record
            case LiftSanction(number):
                del self.sanctions[number]
            case KeepAct():
                self.audit.append(record)
            case KeepAccount():
                self.accounts[record.identity] = record
            case KeepSession():
                self.sessions[record.token_hash] = record
            case ForgetSession(token):
                del self.sessions[token]
            case KeepInvite():
                self.invites[record.token_hash] = record
            case ForgetInvite(token):
                del self.invites[token]
            case Together(changes):
                for change in changes:
                    self._keep(change)
        return Kept()

    def _erase(self, wanted: RemoveMessage) -> Outcome:
        messages = self.messages.get(wanted.conversation, [])
        if not 1 <= wanted.seq <= len(messages) or not messages[wanted.seq - 1].text:
            return Unknown()
        before = messages[wanted.seq - 1]
        if wanted.author not in (None, before.identity):
            return Conflict()
        messages[wanted.seq - 1] = before._replace(text="")
        self.audit.append(wanted.act)
        self.removals.append(wanted.removal)
        return Kept()

    def _judge(self, draft: NewMessage | Lookup) -> Outcome | None:
        if (draft.identity, draft.id) not in self.known:
            return None
        before, seq = self.known[draft.identity, draft.id]
        if (before.to, before.text) != (draft.to, draft.text):
            return Conflict()
        return Known(encode_posted(before.id, before.to, before.sender, seq, TS, before.text))

    def snapshot(self) -> Snapshot:
        """What a hub finds here when it starts."""
        heads = {name: len(messages) for name, messages in self.messages.items()}
        return Snapshot(
            epoch="epoch",
            identities=tuple(self.identities.values()),
            next_identity=max([0, *self.identities, *self.forgotten]) + 1,
            heads=heads,
            last_ts={name: TS for name in heads if name[0] == "@"},
            topics=dict(self.topics),
            presence=tuple(self.presence),
            rooms=tuple(self.rooms.values()),
            sanctions=tuple(self.sanctions.values()),
            removals=tuple(self.removals),
            accounts=tuple(self.accounts.values()),
            sessions=tuple(self.sessions.values()),
            invites=tuple(self.invites.values()),
        )
