"""One payload, one envelope: every key of every command, strict JSON, answers that leak nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pydantic import BaseModel

from securechat.errors import LocalProtocolError
from securechat.protocol import codec
from securechat.protocol.codec import (
    Refusal,
    decode_client,
    decode_server,
    encode,
    encode_history,
    encode_posted,
    encode_removed,
    encode_search,
)
from securechat.protocol.envelopes import (
    COMMANDS,
    EVENTS,
    Bye,
    Command,
    Draft,
    Error,
    Hello,
    HistoryPage,
    Ping,
    Posted,
    SearchPage,
    System,
    UnknownEvent,
)

#: Stands in what is sent, and must not stand in any answer.
CANARY = "KANARI"
ID = "i" * 64
TS = "2026-01-31T12:00:00.123456Z"
MEND = " Mend the envelope and send it again."

Keys = dict[str, Any]


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


# ------------------------------------------------------------------ key by key

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


def test_the_table_names_every_key_of_every_command() -> None:
    assert set(TABLE) == set(MODELS)
    for what, model in MODELS.items():
        optional = {key[:-1] for key in TABLE[what] if key[-1] == "?"}
        required = {key for key in TABLE[what] if key[-1] != "?"}
        tags = {"type", "name"} if what != "chat" else {"type"}
        assert model.model_fields.keys() == optional | required | tags | {"id"}, what
        assert {k for k, v in model.model_fields.items() if v.is_required()} == required | {"id"}


@pytest.mark.parametrize(("what", "key", "kind"), ROWS)
def test_a_key_with_a_value_that_it_takes(what: str, key: str, kind: str) -> None:
    for value in KINDS[kind][0]:
        envelope = decode_client(payload_of(with_key(what, key, value)))
        assert type(envelope) is MODELS[what]
        assert envelope.model_dump(exclude_unset=True) == with_key(what, key, value)


@pytest.mark.parametrize(("what", "key", "kind"), ROWS)
def test_a_key_with_a_value_that_it_does_not_take(what: str, key: str, kind: str) -> None:
    for value in KINDS[kind][1]:
        refusal = refused(payload_of(with_key(what, key, value)))
        assert refusal.code == "bad_envelope", value
        assert refusal.message.startswith(f"In {told(what)}, `{key}` must be ")
        assert refusal.message.endswith("." + MEND)
        assert refusal.re == (None if key == "id" else "1")
        assert refusal.name == (None if what == "chat" else what)


@pytest.mark.parametrize("what", MODELS)
def test_a_key_that_is_missing(what: str) -> None:
    for key in bare(what).keys() - {"type", "name"}:
        refusal = refused(payload_of({k: v for k, v in bare(what).items() if k != key}))
        if what in ("ban", "unban") and key == "nick":
            rule = "name one of `nick`, `account` and `address`"
            assert refusal.message == f"In `{what}`, {rule}.{MEND}"
            continue
        assert refusal.message == f"In {told(what)}, `{key}` is missing.{MEND}"
        assert refusal.re == (None if key == "id" else "1")


@pytest.mark.parametrize("what", MODELS)
@pytest.mark.parametrize("key", [CANARY, "", "Type", "ID", "cost", "model_config", "__class__"])
def test_a_key_that_is_not_ours_is_counted_not_named(what: str, key: str) -> None:
    refusal = refused(payload_of({**bare(what), key: CANARY}))
    keys = ", ".join(MODELS[what].model_fields)
    expected = f"{told(what)} has a key too many; it takes {keys}.{MEND}"
    assert refusal.message == expected[0].upper() + expected[1:]
    assert (refusal.code, refusal.re) == ("bad_envelope", "1")


@pytest.mark.parametrize("what", MODELS)
def test_five_thousand_keys_that_are_not_ours(what: str) -> None:
    strange = {f"{CANARY}{n}": CANARY for n in range(5_000)}
    refusal = refused(payload_of({**bare(what), **strange}))
    assert " has 5000 keys too many; it takes " in refusal.message
    assert refused(payload_of(strange)).message == "`type` must be `chat` or `command`." + MEND


@pytest.mark.parametrize("what", MODELS)
@pytest.mark.parametrize(
    ("key", "value"),
    [("seq", 1), ("sender", "ann"), ("ts", TS), ("role", "owner"), ("re", "1"), ("fatal", True)],
)
def test_a_client_sets_nothing_that_is_the_servers(what: str, key: str, value: object) -> None:
    if (what, key) == ("remove", "seq"):
        return  # there it names a message that is the server's already
    assert refused(payload_of({**bare(what), key: value})).code == "bad_envelope"


@pytest.mark.parametrize(
    ("what", "keys", "rule"),
    [
        ("ban", {"address": "::1"}, "name one of `nick`, `account` and `address`"),
        ("unban", {"account": "bob"}, "name one of `nick`, `account` and `address`"),
        ("join", {"after": 1, "last": 1}, "`after` and `last` exclude each other"),
        ("history", {"before": 1, "after": 1}, "`before` and `after` exclude each other"),
    ],
)
def test_two_keys_that_exclude_each_other(what: str, keys: Keys, rule: str) -> None:
    refusal = refused(payload_of({**bare(what), **keys}))
    assert refusal.message == f"In `{what}`, {rule}.{MEND}"
    assert (refusal.code, refusal.re, refusal.name) == ("bad_envelope", "1", what)


# ------------------------------------------------------------------ which envelope is meant


@pytest.mark.parametrize("kind", ["system", "CHAT", "Command", "", CANARY, 5, None, True, ["chat"]])
def test_a_type_that_is_none(kind: object) -> None:
    refusal = refused(payload_of({**bare("chat"), "type": kind}))
    assert refusal == (
        "bad_envelope",
        f"`type` must be `chat` or `command`.{MEND}",
        "1",
        False,
        None,
    )
    assert refused(payload_of({"id": "1"})) == refusal


@pytest.mark.parametrize("name", [5, None, True, ["ping"], {"ping": 1}])
def test_a_name_that_is_no_string(name: object) -> None:
    refusal = refused(payload_of({"type": "command", "id": "1", "name": name}))
    assert (refusal.code, refusal.re) == ("bad_envelope", "1")
    assert refusal.message == f"`name` must be a string, the name of a command.{MEND}"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("PING", " Did you mean `ping`?"),
        ("pinh", " Did you mean `ping`?"),
        ("histroy", " Did you mean `history`?"),
        (CANARY, ""),
        ("", ""),
        ("ping" * 20, ""),
        ("\0", ""),
    ],
)
def test_a_command_that_there_is_not(name: str, hint: str) -> None:
    refusal = refused(payload_of({"type": "command", "id": "1", "name": name, CANARY: 1}))
    message = f"There is no such command.{hint} `help` lists them all."
    assert refusal == ("unknown_command", message, "1", False, None)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_name_may_be_hinted_at_in_a_short_answer(name: str) -> None:
    refusal = refused(payload_of({"type": "command", "id": ID, "name": name.upper() + "?"}))
    assert f"`{name}`" in refusal.message


@pytest.mark.parametrize("bad", ["", "x" * 65, CANARY + "!", 5, None, ["1"]])
def test_an_id_that_is_none_is_not_answered_to(bad: object) -> None:
    for keys in (bare("chat"), bare("ping"), {"type": "command", "name": "dance"}, {}):
        assert refused(payload_of({**keys, "id": bad})).re is None


# ------------------------------------------------------------------ JSON


@pytest.mark.parametrize("payload", [b"", b"x", b"[]", b"5", b'"chat"', b"null", b"\xff" * 40])
def test_what_is_no_object_ends_the_connection(payload: bytes) -> None:
    assert (refused(payload).code, refused(payload).re) == ("bad_json", None)
    answer = decode_server(payload)
    assert isinstance(answer, Refusal)
    assert answer == refused(payload)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize(
    "template",
    ['{"id":%s,"id":"1",', '{"type":%s,', '{"name":[%s],', '{"action":{"x":%s},', '{"zz":%s,'],
)
def test_a_non_number_is_found_wherever_it_hides(template: str, number: str) -> None:
    for what in ("chat", "ping"):
        payload = payload_of(bare(what)).replace(b"{", (template % number).encode(), 1)
        assert refused(payload).code == "bad_json"
    notice = payload_of({"type": "system", "event": "notice", "text": "hi"})
    answer = decode_server(notice.replace(b"{", (template % number).encode(), 1))
    assert isinstance(answer, Refusal)
    assert answer.code == "bad_json"


def test_a_number_beyond_all_doubles_is_json_of_no_use() -> None:
    hidden = payload_of(bare("chat")).replace(b"{", b'{"reply_to":1e999,"reply_to":1,')
    assert isinstance(decode_client(hidden), Draft)  # the last one counts
    assert refused(hidden.replace(b'"reply_to":1,', b"")).code == "bad_envelope"
    bye = decode_server(b'{"type":"system","event":"bye","reason":"x","retry_after":1e999}')
    assert isinstance(bye, Refusal)
    assert bye.code == "bad_envelope"


def test_the_words_for_a_non_number_may_be_written() -> None:
    text = "NaN Infinity -Infinity"
    draft = decode_client(payload_of({**bare("chat"), "text": text}))
    assert isinstance(draft, Draft)
    assert draft.text == text
    notice = decode_server(payload_of({"type": "system", "event": "notice", "text": text}))
    assert isinstance(notice, System)


@pytest.mark.parametrize(
    ("depth", "code"),
    [(100, "bad_envelope"), (200, "bad_envelope"), (300, "bad_json"), (20_000, "bad_json")],
)
def test_how_deep_json_may_go(depth: int, code: str) -> None:
    for head, tail in ((b"[", b"]"), (b'{"x":', b"}")):
        nested = head * (depth - 2) + b"[]" + tail * (depth - 2)
        payload = payload_of(bare("ping")).replace(b"}", b',"x":%s}' % nested)
        assert refused(payload).code == code


@pytest.mark.parametrize(("digits", "code"), [(4_000, "bad_envelope"), (60_000, "bad_json")])
def test_an_integer_of_many_digits(digits: int, code: str) -> None:
    payload = payload_of(bare("chat")).replace(b"}", b',"reply_to":%s}' % (b"9" * digits))
    assert refused(payload).code == code


def strict_json(payload: bytes) -> Keys | None:
    """The object in `payload`, by another parser that is made strict; None: it is not JSON."""

    def no_constant(word: str) -> object:
        raise ValueError(word)

    def unicode_pairs(pairs: list[tuple[str, object]]) -> Keys:
        json.dumps(pairs, ensure_ascii=False).encode()  # a lone surrogate raises, replaced or not
        return dict(pairs)

    try:
        value = json.loads(
            payload.decode(), parse_constant=no_constant, object_pairs_hook=unicode_pairs
        )
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


SAMPLES = [
    payload_of({**bare("chat"), "text": 'é "😀" \\\n', "reply_to": 12, "action": True}),
    *(payload_of(bare(what)) for what in MODELS),
    payload_of({"type": "system", "event": "bye", "reason": "x", "retry_after": 2.5}),
    payload_of({"type": "system", "event": "members", "members": [{"nick": "a", "held": False}]}),
]
PIECES = [
    *(b"NaN", b"-Infinity", b"1e99", b"null", b"true", b'"', b"\\", b"\\ud800", b"\\u0000"),
    *(b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"[", b"]", b"{", b"}", b",", b":", b"-", b"0"),
    *(b"1.", b".5", b"+1", b"5.0", b"9007199254740992", b" ", b"\t", b"\x0b", b"\0", b"//", b"'"),
    *(b'"type":"chat",', b'"name":"time",', b'"id":5,', b'"zz":NaN,', b'"text":[],'),
]
EDITS = st.lists(
    st.tuples(
        st.integers(min_value=0, max_value=200),
        st.integers(min_value=0, max_value=6),
        st.sampled_from(PIECES) | st.binary(max_size=2),
    ),
    max_size=4,
)


def edited(payload: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    for at, gone, new in edits:
        payload = payload[:at] + new + payload[at + gone :]
    return payload


@given(st.builds(edited, st.sampled_from(SAMPLES), EDITS) | st.binary(max_size=40))
@example(b'{"type":"command","id":"1","name":"ping","zz":NaN,"zz":1}')
def test_our_json_is_strict_json_whatever_is_sent(payload: bytes) -> None:
    value = strict_json(payload)
    for decode in (decode_client, decode_server):
        decoded = decode(payload)
        is_bad_json = isinstance(decoded, Refusal) and decoded.code == "bad_json"
        assert is_bad_json is (value is None)
        if value is not None:
            try:
                once = json.dumps(value, allow_nan=False).encode()
            except ValueError:  # a number beyond all doubles
                assume(False)
            assert decode(once) == decoded  # of a key given twice the last counts
    if isinstance(decode_client(payload), Refusal):
        assert len(answer_to(refused(payload))) < 512


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["type", "name", "id", "to", "text", "room", "zz"]),
            st.sampled_from(["chat", "command", "ping", "join", "1", "#a", 5, None, True, [], {}]),
        ),
        max_size=40,
    )
)
def test_of_a_key_given_twice_the_last_counts(pairs: list[tuple[str, Any]]) -> None:
    assert decode_client(payload_of(pairs)) == decode_client(payload_of(dict(pairs)))


# ------------------------------------------------------------------ from a server


def test_an_event_of_a_later_version_is_told_by_its_name() -> None:
    said = payload_of({"type": "system", "event": "reacted", "re": "1", "seq": "new"})
    assert decode_server(said) == UnknownEvent(event="reacted", re="1")
    said = payload_of({"type": "system", "event": "", "re": "not an id"})
    assert decode_server(said) == UnknownEvent(event="", re=None)


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ({"event": "error", "code": "x", "message": "m", "retry_after": "5"}, "something is not"),
        ({"event": "joined", "room": "#a"}, "`nick` is missing"),
        ({"event": "notice", "text": 5}, "`text` must be a string"),
        ({"event": "pong", "re": "\n"}, "something is not"),
        ({"event": "members", "members": [{"nick": 5}]}, "`nick` must be a string"),
        ({"event": 5}, "something is not"),
        ({}, "something is not"),
        ({"type": "chat", "id": CANARY + "!"}, "`id` must be 1 to 64"),
        ({"type": CANARY}, "something is not"),
    ],
)
def test_a_server_that_breaks_the_protocol(keys: Keys, fault: str) -> None:
    refusal = decode_server(payload_of({"type": "system", **keys, "re": keys.get("re", "1")}))
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.fatal) == ("bad_envelope", True)
    assert refusal.re == (None if "re" in keys else "1")
    assert fault in refusal.message
    assert CANARY not in refusal.message


def test_a_client_says_nothing_that_a_server_says_and_the_other_way_round() -> None:
    posted = Posted(id="1", to="#a", sender="ann", seq=1, ts=TS, text="hi")
    assert refused(encode(posted)).code == "bad_envelope"
    for envelope in (Ping(id="1"), Draft(id="1", to="#a", text="hi")):
        assert isinstance(decode_server(encode(envelope)), Refusal)
    for event in EVENTS:
        assert refused(payload_of({"type": "system", "event": event})).code == "bad_envelope"


# ------------------------------------------------------------------ encode


def test_what_is_encoded_is_compact_and_leaves_out_what_it_can() -> None:
    assert encode(Draft(id="1", to="#a", text="é")) == (
        '{"type":"chat","id":"1","to":"#a","text":"é"}'.encode()
    )
    assert encode(Hello(id="1", protocol=1, nick="bob")) == (
        b'{"type":"command","id":"1","name":"hello","protocol":1,"nick":"bob"}'
    )
    assert encode(Error(code="bad_text", message="m")) == (
        b'{"type":"system","event":"error","code":"bad_text","message":"m","fatal":false}'
    )


def test_a_lone_surrogate_is_our_own_fault() -> None:
    for envelope in (Draft(id="1", to="#a", text="\ud800"), Bye(reason="\udfff")):
        with pytest.raises(LocalProtocolError, match="with a lone surrogate cannot be sent"):
            encode(envelope)


@given(
    text=st.text(),
    seq=st.integers(min_value=1, max_value=2**53 - 1),
    reply_to=st.none() | st.integers(min_value=1, max_value=2**53 - 1),
    action=st.booleans(),
)
def test_the_short_way_to_encode_a_message_says_the_same(
    text: str, seq: int, reply_to: int | None, action: bool
) -> None:
    quick = encode_posted("run-7", "@Zoë", "ann", seq, TS, text, reply_to, action)
    posted = Posted(
        id="run-7",
        to="@Zoë",
        sender="ann",
        seq=seq,
        ts=TS,
        text=text,
        reply_to=reply_to,
        action=action,
    )
    assert json.loads(quick) == json.loads(encode(posted))
    assert decode_server(quick) == posted


def test_the_short_way_leaves_out_what_was_not_said() -> None:
    posted = Posted(id="1", to="#a", sender="ann", seq=1, ts=TS, text="hi")
    assert encode_posted("1", "#a", "ann", 1, TS, "hi") == encode(posted)


@pytest.mark.parametrize("more", [True, False])
@pytest.mark.parametrize("length", [0, 1, 3])
def test_the_short_way_to_encode_a_page_says_the_same(length: int, more: bool) -> None:
    messages = [
        Posted(id=f"run-{n}", to="#a", sender="ann", seq=n, ts=TS, text="hi")
        for n in range(1, length + 1)
    ]
    quick = encode_history("run-9", "#a", map(encode, messages), more)
    page = HistoryPage(re="run-9", to="#a", messages=tuple(messages), more=more)
    assert decode_server(quick) == page


def test_an_answer_names_only_keys_of_ours() -> None:
    keys = {key for model in MODELS.values() for key in model.model_fields}
    assert set(codec._FORMS) == keys


def test_a_bad_envelope_costs_ten_tokens_more_than_another_frame() -> None:
    assert refused(payload_of({})).cost == 11
    assert refused(payload_of({"type": "command", "name": "dance"})).cost == 1
    for what in MODELS:
        said = decode_client(payload_of(bare(what)))
        assert isinstance(said, Draft | Command)
        assert said.cost == (MODELS[what].cost if what != "chat" else 1)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("reply_to", "action"), [(None, False), (3, True)])
def test_a_removed_message_is_one_that_says_nothing(reply_to: int | None, action: bool) -> None:
    quick = encode_removed("run-9", "#a", "ann", 12, TS, reply_to, action)
    chat = decode_server(quick)
    assert chat == Posted(
        id="run-9",
        to="#a",
        sender="ann",
        seq=12,
        ts=TS,
        text="",
        reply_to=reply_to,
        action=action,
        removed=True,
    )
    assert decode_server(encode(chat)) == chat


@pytest.mark.parametrize("next", [None, "2026-01-31T12:00:00.123456Z.c"])
def test_a_page_of_a_search_by_the_quick_way_is_what_the_model_makes(next: str | None) -> None:
    messages = [
        Posted(id=str(seq), to="#a", sender="bob", seq=seq, ts=TS, text="é") for seq in (2, 1)
    ]
    quick = encode_search("run-9", map(encode, messages), next)
    page = SearchPage(re="run-9", messages=tuple(messages), more=next is not None, next=next)
    assert decode_server(quick) == page
