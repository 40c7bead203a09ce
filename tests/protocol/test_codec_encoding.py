"""What is encoded is compact, and what a server says is read leniently."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    UnknownEvent,
)

from .answers import (
    CANARY,
    MODELS,
    TS,
    Keys,
    bare,
    payload_of,
    refused,
)


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
    assert set(codec.FORMS) == keys


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
