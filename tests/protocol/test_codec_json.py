"""JSON as RFC 8259 has it, and strict: what is none ends the connection, wherever it hides."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from securechat.protocol.codec import (
    Refusal,
    decode_client,
    decode_server,
)
from securechat.protocol.envelopes import (
    Draft,
    System,
)

from .answers import (
    MODELS,
    Keys,
    answer_to,
    bare,
    payload_of,
    refused,
)


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
