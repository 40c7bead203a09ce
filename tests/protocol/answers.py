"""Payloads, by the keys of their envelopes, and what the codec answers to one that is none."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

from securechat.protocol.codec import (
    Refusal,
    decode_client,
    encode,
)
from securechat.protocol.envelopes import (
    COMMANDS,
    Draft,
    Error,
)

Keys = dict[str, Any]
#: Stands in what is sent, and must not stand in any answer.
CANARY = "KANARI"
ID = "i" * 64
TS = "2026-01-31T12:00:00.123456Z"
MEND = " Mend the envelope and send it again."


def payload_of(keys: Keys | list[tuple[str, Any]]) -> bytes:
    """JSON of `keys`; a list of pairs may name one key twice."""
    pairs = keys.items() if isinstance(keys, dict) else keys
    inside = ",".join(f"{json.dumps(key)}:{json.dumps(value)}" for key, value in pairs)
    return f"{{{inside}}}".encode()


def answer_to(refusal: Refusal) -> bytes:
    """The `error` that is sent, with the longest `re` that there may be where there is one."""
    return encode(
        Error(
            re=refusal.re and ID,
            code=refusal.code,
            message=refusal.message,
            fatal=refusal.fatal,
        )
    )


def refused(payload: bytes) -> Refusal:
    """The refusal of a client's `payload`, which repeats nothing and is short."""
    refusal = decode_client(payload)
    assert isinstance(refusal, Refusal), refusal
    assert CANARY not in str(refusal).upper().replace(ID.upper(), "")
    assert len(answer_to(refusal)) < 512
    assert refusal.fatal is (refusal.code == "bad_json")
    return refusal


NOT_STRINGS: list[Any] = [5, 1.5, None, True, [CANARY], {CANARY: CANARY}]
NOT_INTEGERS: list[Any] = [-1, 2**53, 2**63, 2**64, 5.0, 1.5, "5", CANARY, True, None, [1], {}]
BAD_ROOMS: list[Any] = ["", "#", "#" + CANARY, "lobby", "#a\n", "#" + "x" * 33, *NOT_STRINGS]
#: For each kind of value some that are taken, the plainest first, and some that are not.
KINDS: dict[str, tuple[list[Any], list[Any]]] = {
    "id": (["1", ID, "aZ09._:-"], ["", CANARY + " ", "x" * 65, "1\n", "é", *NOT_STRINGS]),
    "room": (["#a", "#" + "x" * 32], ["@bob", *BAD_ROOMS]),
    "address": (["#a", "@bob", "@Zoë"], ["@", "@a\nb", *BAD_ROOMS]),
    "string": (["bob", "", "é\0\n", "x" * 5_000], NOT_STRINGS),
    "string of 64": (["", "x" * 64], ["x" * 65, *NOT_STRINGS]),
    "string of 128": (["", "x" * 128], ["x" * 129, *NOT_STRINGS]),
    "string of 200": (["", "x" * 200], ["x" * 201, *NOT_STRINGS]),
    "string of 500": (["", "😀" * 500], ["x" * 501, *NOT_STRINGS]),
    "secret": (["x", "é\0\n", "x" * 256], ["", "x" * 257, *NOT_STRINGS]),
    "from 0": ([0, 1, 2**53 - 1], NOT_INTEGERS),
    "from 1": ([1, 2**53 - 1], [0, *NOT_INTEGERS]),
    "0 to 500": ([0, 500], [501, *NOT_INTEGERS]),
    "1 to 500": ([1, 500], [0, 501, *NOT_INTEGERS]),
    "name": (["bob", "x" * 64], ["", "x" * 65, *NOT_STRINGS]),
    "seconds": ([1, 315_360_000], [0, 315_360_001, *NOT_INTEGERS]),
    "truth": ([True, False], [0, 1, "true", CANARY, None, [True]]),
}
#: Exactly one of these must be there, which the table cannot say: a nick is put in (see `bare`).
SUBJECT = {"nick?": "name", "account?": "name", "address?": "string of 64"}
#: Every key that a client may send, by what is sent; with `?` it may be left out.
TABLE: dict[str, dict[str, str]] = {
    "chat": {"to": "address", "text": "string", "reply_to?": "from 1", "action?": "truth"},
    "hello": {
        "protocol": "from 0",
        "nick": "string",
        "session?": "string",
        "client?": "string of 128",
        "password?": "secret",
        "invite?": "secret",
    },
    "join": {"room": "address", "after?": "from 0", "last?": "0 to 500"},
    "leave": {"room": "address"},
    "conversations": {},
    "nick": {"nick": "string"},
    "who": {"room?": "address"},
    "rooms": {},
    "topic": {"room": "room", "text?": "string of 500"},
    "history": {"to": "address", "before?": "from 0", "after?": "from 0", "limit?": "1 to 500"},
    "search": {
        "query": "string of 500",
        "to?": "address",
        "limit?": "1 to 500",
        "before?": "string of 64",
    },
    "away": {"text?": "string of 200"},
    "whois": {"nick": "string"},
    "time": {},
    "joke": {},
    "help": {"command?": "string of 64"},
    "ping": {},
    "pong": {"token?": "string of 64"},
    "register": {"password": "secret"},
    "login": {"nick": "string", "password": "secret"},
    "passwd": {"password": "secret", "old?": "secret"},
    "sessions": {},
    "logout": {"session?": "string of 64", "elsewhere?": "truth"},
    "quit": {"reason?": "string of 200"},
    "kick": {"nick": "name", "room?": "room", "reason?": "string of 200"},
    "mute": {
        "nick": "name",
        "room?": "room",
        "reason?": "string of 200",
        "duration?": "seconds",
    },
    "unmute": {"nick": "name", "room?": "room", "reason?": "string of 200"},
    "bans": {"room?": "room"},
    "room": {"room": "room", "private?": "truth", "read_only?": "truth", "topic_locked?": "truth"},
    "admit": {"room": "room", "nick": "name"},
    "appoint": {"room": "room", "nick": "name", "owner?": "truth"},
    "dismiss": {"room": "room", "nick": "name"},
    "remove": {"to": "address", "seq": "from 1", "reason?": "string of 200"},
    "ban": {**SUBJECT, "room?": "room", "reason?": "string of 200", "duration?": "seconds"},
    "unban": {**SUBJECT, "room?": "room", "reason?": "string of 200"},
}
MODELS: dict[str, type[BaseModel]] = {"chat": Draft, **COMMANDS}
ROWS = [
    (what, key.rstrip("?"), kind)
    for what, keys in TABLE.items()
    for key, kind in {"id": "id", **keys}.items()
]


def bare(what: str) -> Keys:
    """An envelope with only the keys that it must have."""
    head: Keys = {"type": "chat"} if what == "chat" else {"type": "command", "name": what}
    needed = {key: KINDS[kind][0][0] for key, kind in TABLE[what].items() if key[-1] != "?"}
    named = {"nick": "bob"} if what in ("ban", "unban") else {}
    return {**head, "id": "1", **needed, **named}


def with_key(what: str, key: str, value: object) -> Keys:
    """The same with one key more, in place of a nick where both would be too many."""
    keys = bare(what)
    if key in ("account", "address"):
        del keys["nick"]
    return {**keys, key: value}


def told(what: str) -> str:
    return "a chat" if what == "chat" else f"`{what}`"
