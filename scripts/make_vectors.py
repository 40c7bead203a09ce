"""Writes tests/vectors/*.json, the golden frames that every implementation has to agree on.

    python scripts/make_vectors.py [FOLDER]

Nothing of securechat is imported: what a frame means is written here by hand, out of
docs/protocol.md, so that the vectors can prove the code wrong. `_says` makes vectors of envelopes
in plain JSON, `_reads` one of an envelope in another spelling, `_fails` those of frames that all
get one refusal. tests/vectors/README.md explains the result.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

Vector: TypeAlias = dict[str, Any]
Payload: TypeAlias = bytes | str | Vector

_FOLDER: Final = Path(__file__).parent.parent / "tests" / "vectors"
_TS: Final = "2026-01-31T12:00:00.123456Z"
_NEXT: Final = f"{_TS}.1000000000c"


def _frame(payload: Payload) -> str:
    if isinstance(payload, dict):
        payload = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    body = payload.encode() if isinstance(payload, str) else payload
    return (len(body).to_bytes(4, "big") + body).hex()


def _vector(by: str, name: str, hex_: str, expected: Vector, greeting: bool) -> Vector:
    when = {"when": "before_welcome"} if greeting else {}
    return {"name": name, "direction": by, **when, "hex": hex_, **expected}


def _reads(
    by: str, name: str, payload: Payload, envelope: Vector, greeting: bool = False
) -> Vector:
    return _vector(by, name, _frame(payload), {"envelope": envelope}, greeting)


def _says(by: str, named: Mapping[str, Vector], greeting: bool = False) -> list[Vector]:
    return [_reads(by, name, said, said, greeting) for name, said in named.items()]


def _fails(
    by: str, error: str, fatal: bool, named: Mapping[str, Payload], greeting: bool = False
) -> list[Vector]:
    expected = {"error": error, "fatal": fatal}
    return [_vector(by, name, _frame(p), expected, greeting) for name, p in named.items()]


def _command(name: str, /, **keys: Any) -> Vector:
    return {"type": "command", "id": "run-7", "name": name, **keys}


def _draft(**keys: Any) -> Vector:
    return {"type": "chat", "id": "run-7", "to": "#lobby", "text": "hi", **keys}


def _posted(**keys: Any) -> Vector:
    head = {"type": "chat", "id": "run-7", "to": "#lobby", "sender": "ann", "seq": 12, "ts": _TS}
    return {**head, "text": "hi", **keys}


def _event(event: str, /, **keys: Any) -> Vector:
    return {"type": "system", "event": event, **keys}


def _answer(event: str, /, **keys: Any) -> Vector:
    return {"type": "system", "event": event, "re": "run-7", **keys}


_HELLO: Final = _command("hello", protocol=1, nick="bob")
_PING: Final = '{"type":"command","id":"run-7","name":"ping"}'


def framing() -> list[Vector]:
    """Lengths: the smallest, the largest, and what is refused from four bytes alone."""
    too_large = {"error": "frame_too_large", "fatal": True}
    behind_welcome = {
        "length 0": bytes(4),
        "length 65,537": b"\0\1\0\1",
        "length 2^31, negative to who reads it as signed": b"\x80\0\0\0",
        "length 2^32-1, the largest there is": b"\xff\xff\xff\xff",
        "length 69 with its bytes the wrong way round": b"\x45\0\0\0",
    }
    before_welcome = {
        "length 4,097 before welcome": b"\0\0\x10\1",
        "an HTTP request": b"GET / HTTP/1.1\r\n\r\n",
        "an SSH banner": b"SSH-2.0-OpenSSH_9.9\r\n",
        "a TLS record inside TLS": b"\x16\3\1\2\0\1",
    }
    most = "4,096 bytes, the most there may be before welcome"
    return [
        _reads("client", most, json.dumps(_HELLO).ljust(4096), _HELLO, True),
        _reads("client", "4,097 bytes behind welcome", _PING.ljust(4097), _command("ping")),
        *_fails("client", "bad_json", True, {"one byte, which is no object": "5"}),
        *[
            _vector("client", name, head.hex(), too_large, greeting)
            for greeting, heads in ((False, behind_welcome), (True, before_welcome))
            for name, head in heads.items()
        ],
    ]


def chat() -> list[Vector]:
    """Drafts and posted messages, and the drafts that claim what only a server may say."""
    drafts = {
        "a draft to a room": _draft(),
        "a draft to one person": _draft(to="@Zoë"),
        "a reply": _draft(reply_to=11),
        "an action, as in /me waves": _draft(text="waves", action=True),
        "the action key, saying false": _draft(action=False),
        "a text of several lines, quotes and a tab": _draft(text='a\n"b"\\\tc'),
        "a text beyond the first plane of Unicode": _draft(text="👋🏽 𐀀 é"),
        "an empty text is for bad_text, not for the codec": _draft(text=""),
        "an id of 64 characters of every kind": _draft(id="aZ09._:-" * 8),
        "a room of 32 characters": _draft(to="#" + "az09_-xy" * 4),
    }
    forged = {
        "a draft with seq": _draft(seq=1),
        "a draft with sender": _draft(sender="ann"),
        "a draft with ts": _draft(ts=_TS),
        "a draft with role": _draft(role="owner"),
        "a draft with re": _draft(re="1"),
        "a draft with event": _draft(event="notice"),
    }
    wrong: dict[str, Payload] = {
        "an id of 65 characters": _draft(id="x" * 65),
        "an empty id": _draft(id=""),
        "an id with a line end behind it": _draft(id="run-7\n"),
        "an id that is a number": _draft(id=7),
        "a room of 33 characters": _draft(to="#" + "x" * 33),
        "a room in capitals": _draft(to="#Lobby"),
        "a room without its #": _draft(to="lobby"),
        "an address that is only @": _draft(to="@"),
        "a reply to message 0": _draft(reply_to=0),
        "a reply to -1": _draft(reply_to=-1),
        "a reply to null": _draft(reply_to=None),
        "a text that is a number": _draft(text=5),
        "a text that is null": _draft(text=None),
        "an action that is 1": _draft(action=1),
        "a draft without text": '{"type":"chat","id":"run-7","to":"#lobby"}',
    }
    posted = {
        "a posted message": _posted(),
        "a posted direct message: to whom, and from whom": _posted(to="@bob"),
        "a posted reply and action": _posted(reply_to=11, action=True),
        "the largest seq there is": _posted(seq=2**53 - 1),
        "a posted message that was removed": _posted(text="", removed=True),
    }
    broken = {
        "a posted message numbered 0": _posted(seq=0),
        "a posted message without sender": _draft(seq=1, ts=_TS),
    }
    return [
        *_says("client", drafts),
        *_fails("client", "bad_envelope", False, forged),
        *_fails("client", "bad_envelope", False, wrong),
        *_says("server", posted),
        _reads("server", "a key of a later version in a message", _posted(edited=3), _posted()),
        *_fails("server", "bad_envelope", True, broken),
    ]


def _commands_of_chat() -> dict[str, Vector]:
    """Rooms, people and what was said."""
    return {
        **{name: _command(name) for name in ("conversations", "rooms", "time", "joke", "ping")},
        "join, live only": _command("join", room="#lobby"),
        "join behind a seq": _command("join", room="#lobby", after=12),
        "join from the first message on": _command("join", room="#lobby", after=0),
        "join with the last 500": _command("join", room="#lobby", last=500),
        "join moves a direct cursor": _command("join", room="@bob", after=3),
        "leave": _command("leave", room="#lobby"),
        "nick": _command("nick", nick="Zoë"),
        "who is online": _command("who"),
        "who is in a room": _command("who", room="#lobby"),
        "topic, read": _command("topic", room="#lobby"),
        "topic, set": _command("topic", room="#lobby", text="Tea at four"),
        "topic, set to nothing": _command("topic", room="#lobby", text=""),
        "history from the head": _command("history", to="#lobby"),
        "history before a seq": _command("history", to="#lobby", before=100, limit=20),
        "history behind a seq": _command("history", to="@bob", after=100, limit=500),
        "search everywhere": _command("search", query="tea"),
        "search, all keys": _command(
            "search", query='from:ann "green tea"', to="#lobby", limit=20, before=_NEXT
        ),
        "away": _command("away", text="out for lunch"),
        "back": _command("away"),
        "whois": _command("whois", nick="bob"),
        "help": _command("help"),
        "help for one command": _command("help", command="join"),
        "pong": _command("pong"),
        "pong with the token of the ping": _command("pong", token="k4"),
    }


def _commands_of_accounts() -> dict[str, Vector]:
    """Accounts, their sessions, and the end of one."""
    return {
        "register": _command("register", password="four words are good"),
        "login": _command("login", nick="ann", password="four words are good"),
        "passwd": _command("passwd", password="other words", old="four words are good"),
        "passwd, the first one": _command("passwd", password="other words"),
        "sessions": _command("sessions"),
        "logout": _command("logout"),
        "logout of another session": _command("logout", session="6b3f09c2a1d4"),
        "logout of all others": _command("logout", elsewhere=True),
        "quit": _command("quit"),
        "quit with a reason": _command("quit", reason="good night"),
    }


def _commands_of_rule() -> dict[str, Vector]:
    """Moderation, and how a room is ruled."""
    return {
        "kick out of a room": _command("kick", nick="bob", room="#lobby", reason="enough"),
        "kick off the server": _command("kick", nick="bob"),
        "mute for an hour": _command("mute", nick="bob", room="#lobby", duration=3600),
        "unmute": _command("unmute", nick="bob", room="#lobby"),
        "ban of a nick": _command("ban", nick="bob", duration=315360000, reason="spam"),
        "ban of an account in a room": _command("ban", account="bob", room="#lobby"),
        "ban of a network": _command("ban", address="2001:db8::/48"),
        "unban": _command("unban", address="192.0.2.7"),
        "bans of the server": _command("bans"),
        "bans of a room": _command("bans", room="#lobby"),
        "room, read": _command("room", room="#lobby"),
        "room, set": _command("room", room="#a", private=True, read_only=False, topic_locked=True),
        "admit": _command("admit", room="#a", nick="bob"),
        "appoint a moderator": _command("appoint", room="#a", nick="bob"),
        "appoint the owner": _command("appoint", room="#a", nick="bob", owner=True),
        "dismiss": _command("dismiss", room="#a", nick="bob"),
        "remove": _command("remove", to="#lobby", seq=12, reason="a password"),
        "remove from a direct conversation": _command("remove", to="@bob", seq=1),
    }


def _commands_that_are_wrong() -> dict[str, Vector]:
    """Keys too many, too few, too long and out of range."""
    return {
        "join with after and last": _command("join", room="#a", after=1, last=1),
        "join with last 501": _command("join", room="#a", last=501),
        "history with before and after": _command("history", to="#a", before=9, after=1),
        "history with limit 0": _command("history", to="#a", limit=0),
        "history with limit 501": _command("history", to="#a", limit=501),
        "logout here and elsewhere": _command("logout", session="6b3f", elsewhere=True),
        "register with an empty password": _command("register", password=""),
        "a password of 257 characters": _command("register", password="x" * 257),
        "search for nothing": _command("search"),
        "search before a seq": _command("search", query="tea", before=12),
        "search with 501 characters": _command("search", query="x" * 501),
        "away with 201 characters": _command("away", text="x" * 201),
        "topic of one person": _command("topic", room="@bob"),
        "topic of 501 characters": _command("topic", room="#a", text="x" * 501),
        "pong with a token of 65 characters": _command("pong", token="x" * 65),
        "quit with a reason of 201 characters": _command("quit", reason="x" * 201),
        "help for a command of 65 characters": _command("help", command="x" * 65),
        "leave without room": _command("leave"),
        "ping without id": {"type": "command", "name": "ping"},
        "ping with a room": _command("ping", room="#a"),
        "ban of nobody": _command("ban"),
        "ban of a nick and an address": _command("ban", nick="bob", address="192.0.2.7"),
        "ban of an address in a room": _command("ban", address="192.0.2.7", room="#a"),
        "mute for no time": _command("mute", nick="bob", duration=0),
        "mute for more than ten years": _command("mute", nick="bob", duration=315360001),
        "room with a setting that is 1": _command("room", room="#a", private=1),
        "appoint with a role": _command("appoint", room="#a", nick="bob", role="owner"),
        "remove of message 0": _command("remove", to="#a", seq=0),
    }


def commands() -> list[Vector]:
    """Every command, with as few and with as many keys as it takes."""
    coming_back = {**_HELLO, "session": "c2VjcmV0", "client": "example/1.0"}
    greetings = {
        "hello": _HELLO,
        "hello that comes back": coming_back,
        "hello of an account": {**_HELLO, "password": "four words are good"},
        "hello with an invite, under its nick": {**_HELLO, "nick": "", "invite": "c2VjcmV0"},
    }
    return [
        *_says("client", greetings, True),
        *_says("client", _commands_of_chat()),
        *_says("client", _commands_of_accounts()),
        *_says("client", _commands_of_rule()),
        *_fails("client", "bad_envelope", False, _commands_that_are_wrong()),
    ]


def _welcome() -> Vector:
    """A welcome with the keys that each one has."""
    limits = {"max_frame": 65536, "max_text": 4000, "rate": 20.0}
    limits |= {"burst": 100, "presence": 500, "idle_timeout": 90.0}
    welcome = _event("welcome", protocol=1, server="tea house", version="1.0", nick="bob")
    return welcome | {"epoch": "e1", "limits": limits}


def _events_of_chat() -> dict[str, Vector]:
    """Rooms, people and what was said."""
    bob = {"nick": "bob", "role": "member", "held": False}
    rooms = [{"room": "#lobby", "members": 2, "topic": "Tea", "seq": 12}]
    talks = [{"to": "@ann", "seq": 4, "ts": _TS}]
    page = [_posted(), _posted(seq=13)]
    bob_now = {"nick": "bob", "role": "guest", "account": False, "online": True, "held": False}
    bob_now |= {"idle": 12, "away": "out for lunch", "rooms": ["#lobby", "#tea"]}
    stand: Vector = {"seq": 12, "after": 10, "count": 2, "topic": ""}
    return {
        "joined, another": _event("joined", room="#lobby", nick="bob"),
        "joined, oneself": _answer("joined", room="#lobby", nick="bob", **stand),
        "left, another": _event("left", room="#lobby", nick="bob", reason="good night"),
        "left, oneself": _answer("left", room="#lobby", nick="bob"),
        "renamed": _event("renamed", old="bob", nick="rob"),
        "count, instead of names": _event("count", room="#lobby", count=501),
        "level": _event("level", room="#lobby", seq=12, count=2, topic="Tea"),
        "trimmed": _event("trimmed", to="#lobby", after=100),
        "members of a room, more to come": _answer("members", room="#a", members=[bob], more=True),
        "members, one held": _answer("members", members=[bob, {**bob, "held": True}], more=False),
        "rooms": _answer("rooms", rooms=rooms, more=False),
        "conversations": _answer("conversations", conversations=talks, more=False),
        "topic": _answer("topic", room="#lobby", text="Tea", nick="ann"),
        "history": _answer("history", to="#lobby", messages=page, more=True),
        "history, none": _answer("history", to="#lobby", messages=[], more=False),
        "search, more to come": _answer("search", messages=page, more=True, next=_NEXT),
        "search, none": _answer("search", messages=[], more=False),
        "away, another": _event("away", nick="bob", text="out for lunch"),
        "back, another": _event("away", nick="bob"),
        "away, oneself": _answer("away", nick="bob", text="out for lunch"),
        "members, one away": _answer("members", members=[{**bob, "away": "lunch"}], more=False),
        "whois, online": _answer("whois", **bob_now),
        "whois, not online": _answer("whois", nick="bob", online=False, seen=_TS, rooms=[]),
    }


def _events_of_the_link() -> dict[str, Vector]:
    """Accounts and their sessions, what the server tells, and its end."""
    usage = [{"name": "join", "usage": "/join ROOM", "summary": "Enter a room."}]
    account = {"account": "bob", "nick": "rob", "role": "member"}
    device = {"session": "6b3f09c2a1d4", "client": "example/1.0", "created": _TS, "used": _TS}
    devices = [{**device, "connections": 1, "here": True}]
    return {
        "time": _answer("time", now=_TS),
        "joke": _answer("joke", text="TCP walks into a bar."),
        "account, a new session": _answer("account", **account, session="c2VjcmV0"),
        "account, two sessions ended": _answer("account", **account, ended=2),
        "sessions": _answer("sessions", sessions=devices, more=False),
        "notice": _event("notice", text="Restart at noon."),
        "help": _answer("help", commands=usage, more=False),
        "ping": _event("ping", token="k4"),
        "pong": _answer("pong", token="k4"),
        "bye, the answer to quit": _answer("bye", reason="quit"),
        "bye, the server restarts": _event("bye", reason="shutdown", retry_after=2.5),
    }


def _events_of_rule() -> dict[str, Vector]:
    """Moderation, and how a room is ruled."""
    ruled = {"private": True, "read_only": False, "topic_locked": False}
    bans = {"act": "ban", "nick": "bob", "by": "ann", "since": _TS}
    return {
        "room, read": _answer("room", room="#a", moderators=[], admitted=[], **ruled),
        "room, changed": _event("room", room="#a", owner="ann", moderators=["bob"], **ruled)
        | {"admitted": ["carol"], "nick": "ann"},
        "moderated, in a room": _event("moderated", act="mute", by="ann", room="#a", nick="bob")
        | {"until": _TS, "reason": "shouting"},
        "moderated, an address": _answer("moderated", act="ban", by="ann", address="192.0.2.0/24"),
        "bans": _answer("bans", bans=[bans], more=False),
        "bans of a room": _answer("bans", room="#a", bans=[{**bans, "until": _TS}], more=True),
        "removed": _event("removed", to="#lobby", seq=12, nick="ann"),
        "removed, the answer": _answer("removed", to="@bob", seq=1, nick="ann"),
        "history with a message that was removed": _answer(
            "history", to="#lobby", messages=[_posted(text="", removed=True)], more=False
        ),
    }


def _broken_events() -> dict[str, Vector]:
    """What no server says; a client hangs up."""
    return {
        "a type that no server says": _command("ping"),
        "an event without its keys": _event("joined"),
        "a system without event": {"type": "system"},
        "members that are no list": _event("members", members={}),
        "retry_after as a string": _event("bye", reason="x", retry_after="2"),
        "retry_after as a truth": _event("bye", reason="x", retry_after=True),
        "retry_after below 0": _event("bye", reason="x", retry_after=-1),
    }


def events() -> list[Vector]:
    """Every event, bare and full, and what a client passes over."""
    welcome = _welcome()
    full = {"re": "run-7", "session": "c2VjcmV0", "features": ["search"], "motd": "Hi"}
    of_account = {**welcome, "account": "bob", "room": "#ops"}
    notice, reacted = _event("notice", text="hi"), _answer("reacted")
    later = {**reacted, "seq": 5}
    return [
        *_says("server", {"welcome": welcome, "welcome, full": {**welcome, **full}}, True),
        *_says("server", {"welcome of an account, by an invite to a room": of_account}, True),
        *_says("server", _events_of_chat()),
        *_says("server", _events_of_the_link()),
        *_says("server", _events_of_rule()),
        _reads("server", "a key of a later version", {**notice, "colour": "red"}, notice),
        _reads("server", "an event of a later version", later, reacted),
        _reads("server", "an event of a later version before welcome", later, reacted, True),
        *_fails("server", "bad_envelope", True, _broken_events()),
        *_fails("server", "bad_envelope", True, {"a message before welcome": _posted()}, True),
        *_fails("server", "bad_envelope", True, {"a second welcome": welcome}),
    ]


def errors() -> list[Vector]:
    """Every error event, then the frames that get the codes which are decided before the chat."""
    fatal = ["frame_too_large", "bad_json", "hello_first", "bad_protocol", "server_full"]
    fatal += ["too_many_connections", "slow_consumer", "timeout", "internal", "banned", "kicked"]
    polite = ["bad_envelope", "unknown_command", "hello_twice", "bad_nick", "nick_taken"]
    polite += ["auth_failed", "auth_required", "bad_password", "bad_text", "text_too_long"]
    polite += ["not_a_member", "no_such_room", "no_such_user", "already_joined", "forbidden"]
    polite += ["id_conflict", "no_such_message", "bad_query"]
    waits = {"rate_limited": 30.0, "storage": 2.5}

    def error(code: str, **keys: Any) -> Vector:
        about: Vector = {"code": code, "message": "What to do.", "fatal": code in fatal}
        return _answer("error", **about, **keys)

    before_hello: dict[str, Payload] = {
        "a chat before hello": _draft(),
        "a ping before hello": _command("ping"),
        "an unknown command before hello": _command("dance"),
        "no envelope before hello": "{}",
    }
    unknown = {"an unknown command": _command("dance"), "a command in capitals": _command("PING")}
    wrong: dict[str, Payload] = {
        "a command whose name is a number": _command("ping") | {"name": 5},
        "a system from a client": _event("notice", text="hi"),
        "a posted message from a client": _posted(),
        "a type in capitals": _draft(type="CHAT"),
        "a key in capitals": _draft(Text="hi"),
        "an object without anything": "{}",
        "an unknown key": _draft(colour="red"),
        "an unknown key without a name": _draft(**{"": 1}),
    }
    no_nick = {"a hello without nick may be tried again": _command("hello", protocol=1)}
    return [
        *_says("server", {f"error {code}": error(code) for code in fatal + polite}),
        *_says("server", {f"error {c}": error(c, retry_after=s) for c, s in waits.items()}),
        *_fails("client", "hello_first", True, before_hello, True),
        *_fails("client", "bad_json", True, {"no JSON before hello": "hello"}, True),
        *_fails("client", "bad_envelope", False, no_nick, True),
        *_fails("client", "hello_twice", False, {"a second hello": _HELLO}),
        *_fails("client", "unknown_command", False, unknown),
        *_fails("client", "bad_envelope", False, wrong),
    ]


def _raw_draft(text: bytes) -> bytes:
    return b'{"type":"chat","id":"run-7","to":"#lobby","text":%s}' % text


def _raw_join(after: str) -> str:
    return f'{{"type":"command","id":"run-7","name":"join","room":"#a","after":{after}}}'


def _raw_notice(new: str) -> str:
    return f'{{"type":"system","event":"notice","text":"hi","new":{new}}}'


def _nested(depth: int) -> str:
    return "[" * (depth - 1) + "]" * (depth - 1)


def _json_that_is_odd() -> dict[str, tuple[Payload, Vector]]:
    """JSON that few would write, with what it says."""
    ping, largest = _command("ping"), 2**53 - 1
    return {
        "white space around and inside": (f" \t{_PING.replace(':', ' : ')}\r\n", ping),
        "an escaped letter in a key": (_PING.replace("type", "t\\u0079pe"), ping),
        "an escaped solidus": (_raw_draft(rb'"a\/b"'), _draft(text="a/b")),
        "an escaped surrogate pair": (_raw_draft(rb'"\ud83d\ude00"'), _draft(text="😀")),
        "an escaped NUL, for bad_text to refuse": (_raw_draft(rb'"\u0000"'), _draft(text="\0")),
        "the word NaN in a text": (_raw_draft(b'"NaN, Infinity"'), _draft(text="NaN, Infinity")),
        "of an id given twice the last counts": (_PING.replace("{", '{"id":"x",'), ping),
        "of a name given twice the last counts": (_PING.replace("{", '{"name":5,'), ping),
        "of a type given twice the last counts": (_PING.replace("{", '{"type":"chat",'), ping),
        "the integer 2^53-1": (_raw_join(str(largest)), _command("join", room="#a", after=largest)),
    }


def _json_of_wrong_values() -> dict[str, Payload]:
    """JSON of which a value is not what the key takes."""
    return {
        "the last of two ids is the wrong one": _PING[:-1] + ',"id":5}',
        "the integer 2^53": _raw_join(str(2**53)),
        "the integer 2^63": _raw_join(str(2**63)),
        "the integer 2^64": _raw_join(str(2**64)),
        "a negative integer": _raw_join("-1"),
        "an integer as 5.0": _raw_join("5.0"),
        "an integer as 1e2": _raw_join("1e2"),
        "an integer as 1e999": _raw_join("1e999"),
        "an integer as a string": _raw_join('"5"'),
        "an integer as a truth": _raw_join("true"),
        "an optional key as null": _raw_join("null"),
        "a depth of 100 in an unknown key": _PING[:-1] + f',"x":{_nested(100)}}}',
    }


def _broken_syntax() -> dict[str, Payload]:
    """Objects that are not one object."""
    return {
        "a word": "hello",
        "null": "null",
        "a string": '"chat"',
        "a list with an object": f"[{_PING}]",
        "half an object": _PING[:-1],
        "two objects": _PING * 2,
        "a letter behind the object": _PING + "x",
        "a NUL behind the object": _PING + "\0",
        "a comma too many": _PING[:-1] + ",}",
        "single quotes": _PING.replace('"', "'"),
        "a comment": _PING + "// ping",
    }


def _broken_characters() -> dict[str, Payload]:
    """Encodings, escapes and bare characters that JSON does not have."""
    return {
        "a byte order mark": b"\xef\xbb\xbf" + _PING.encode(),
        "UTF-16 with a byte order mark": b"\xff\xfe" + _PING.encode("utf-16-le"),
        "UTF-16, big end first": _PING.encode("utf-16-be"),
        "UTF-32, big end first": _PING.encode("utf-32-be"),
        "Latin-1": _raw_draft(b'"\xe9"'),
        "half a character": _raw_draft(b'"\xc3"'),
        "NUL as two bytes": _raw_draft(b'"\xc0\x80"'),
        "a surrogate in UTF-8": _raw_draft(b'"\xed\xa0\x80"'),
        "a character above U+10FFFF": _raw_draft(b'"\xf4\x90\x80\x80"'),
        "a bare line end in a string": _raw_draft(b'"a\nb"'),
        "a bare NUL in a string": _raw_draft(b'"a\0b"'),
        "an unknown escape": _raw_draft(rb'"\x41"'),
        "a lone high surrogate": _raw_draft(rb'"\ud800"'),
        "a lone low surrogate": _raw_draft(rb'"\udc00"'),
        "a lone surrogate in a key": _PING[:-1] + r',"\ud800":1}',
        "a lone surrogate that a later id replaces": _PING.replace("{", r'{"id":"\ud800",'),
    }


def _broken_numbers() -> dict[str, Payload]:
    """Numbers that JSON does not have, and too much depth."""
    return {
        "NaN": _raw_join("NaN"),
        "Infinity": _raw_join("Infinity"),
        "-Infinity": _raw_join("-Infinity"),
        "NaN that a later id replaces": _PING.replace("{", '{"id":NaN,'),
        "Infinity in an unknown key": _PING[:-1] + ',"x":[Infinity]}',
        "a number with a leading zero": _raw_join("05"),
        "a number with a plus": _raw_join("+5"),
        "a number in base 16": _raw_join("0x5"),
        "a depth of 300": _PING[:-1] + f',"x":{_nested(300)}}}',
    }


def json_strictness() -> list[Vector]:
    """What JSON is, and what only looks like it."""
    from_server = {
        "NaN in a key that is ignored": _raw_notice("NaN"),
        "-Infinity in a key that is ignored": _raw_notice("[-Infinity]"),
        "a lone surrogate in a key that is ignored": _raw_notice(r'"\udfff"'),
    }
    odd = _json_that_is_odd()
    broken = {**_broken_syntax(), **_broken_characters(), **_broken_numbers()}
    return [
        *[_reads("client", name, payload, said) for name, (payload, said) in odd.items()],
        *_fails("client", "bad_envelope", False, _json_of_wrong_values()),
        *_fails("client", "bad_json", True, broken),
        *_fails("server", "bad_json", True, from_server),
    ]


THEMES: Final = {
    "framing": framing,
    "chat": chat,
    "commands": commands,
    "events": events,
    "errors": errors,
    "json-strictness": json_strictness,
}


def write(folder: Path) -> None:
    """Write one file for each theme into `folder`, one vector a line."""
    for theme, vectors in THEMES.items():
        lines = ",\n".join(json.dumps(vector) for vector in vectors())
        (folder / f"{theme}.json").write_text(f"[\n{lines}\n]\n", "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else _FOLDER)
