"""The vocabulary: names, directions, values that a key may hold, and the schema made from it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, get_args

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from securechat.protocol import envelopes
from securechat.protocol.envelopes import (
    ALPN,
    COMMANDS,
    DEFAULT_PORT,
    EVENTS,
    FATAL_CODES,
    MAX_HISTORY,
    MAX_INTEGER,
    MAX_LAST,
    MAX_TEXT,
    MAX_TOPIC,
    PROTOCOL_VERSION,
    Address,
    Bye,
    Command,
    Conversation,
    Draft,
    Error,
    Hello,
    History,
    HistoryPage,
    Id,
    Join,
    Limits,
    Member,
    Ping,
    Pong,
    PositiveSeq,
    Posted,
    Remove,
    Room,
    Seq,
    System,
    UnknownEvent,
    Welcome,
    json_schema,
)

TS = "2026-01-31T12:00:00.123456Z"
LIMITS = {"max_frame": 65_536, "max_text": 4_000, "rate": 20, "burst": 100, "presence": 500}


def takes(kind: Any, value: object) -> bool:
    """Whether a key of this kind takes `value`, from Python and from JSON alike."""
    adapter = TypeAdapter[Any](kind)
    as_python = gives(adapter.validate_python, value, value)
    as_json = gives(adapter.validate_json, json.dumps(value), value)
    assert as_python == as_json
    return as_python


def gives(validate: Callable[..., Any], given: object, value: object) -> bool:
    try:
        assert validate(given, strict=True) == value
    except ValidationError:
        return False
    return True


# ------------------------------------------------------------------ names and constants


def test_the_commands_are_those_of_the_contract() -> None:
    names = "hello join leave conversations nick who rooms topic history time joke help ping pong"
    names += " register login passwd sessions logout quit search away whois"
    names += " kick mute unmute ban unban bans room admit appoint dismiss remove"
    assert set(COMMANDS) == set(names.split())


def test_the_events_are_those_of_the_contract() -> None:
    names = "welcome joined left renamed count level trimmed members rooms conversations topic"
    names += " history search away whois time joke notice help ping pong bye error"
    names += " account sessions room moderated bans removed"
    assert set(EVENTS) == set(names.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_known_by_the_name_it_says(name: str) -> None:
    model = COMMANDS[name]
    assert issubclass(model, Command)
    assert (model.model_fields["name"].default, model.model_fields["type"].default) == (
        name,
        "command",
    )


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_is_known_by_the_name_it_says(event: str) -> None:
    model = EVENTS[event]
    assert issubclass(model, System)
    assert (model.model_fields["event"].default, model.model_fields["type"].default) == (
        event,
        "system",
    )


def test_every_model_of_a_union_is_in_its_table() -> None:
    named = {name: cls for name, cls in vars(envelopes).items() if name[0] != "_"}
    members = [cls for cls in named.values() if isinstance(cls, type)]
    commands = {cls for cls in members if issubclass(cls, Command)} - {Command}
    events = {cls for cls in members if issubclass(cls, System)} - {System, UnknownEvent}
    assert set(COMMANDS.values()) == commands
    assert set(EVENTS.values()) == events


def test_what_is_costly_costs_five_and_all_else_one() -> None:
    costs = {name: model.cost for name, model in COMMANDS.items()}
    dear = "join leave nick kick mute unmute ban unban room admit appoint dismiss remove"
    dear += " register login passwd logout search away"
    assert {name for name, cost in costs.items() if cost == 5} == set(dear.split())
    assert set(costs.values()) == {1, 5}


def test_the_constants_are_those_of_the_contract() -> None:
    assert (PROTOCOL_VERSION, ALPN, DEFAULT_PORT) == (1, "securechat/1", 55_555)
    assert (MAX_INTEGER, MAX_TEXT, MAX_TOPIC) == (9_007_199_254_740_991, 4_000, 500)
    assert (MAX_HISTORY, MAX_LAST) == (500, 500)


def test_the_codes_that_end_a_connection_are_those_of_the_contract() -> None:
    assert {
        "frame_too_large",
        "bad_json",
        "hello_first",
        "bad_protocol",
        "server_full",
        "too_many_connections",
        "slow_consumer",
        "timeout",
        "internal",
        "banned",
        "kicked",
    } == FATAL_CODES


# ------------------------------------------------------------------ values


@pytest.mark.parametrize("value", ["a", "aZ09._:-", "x" * 64])
def test_what_an_id_may_be(value: str) -> None:
    assert takes(Id, value)


@pytest.mark.parametrize(
    "value", ["", "x" * 65, "a b", "a\n", "\na", "é", "a/b", "a\0", "٣", 5, None, True, ["a"]]
)
def test_what_an_id_may_not_be(value: object) -> None:
    assert not takes(Id, value)


@pytest.mark.parametrize("value", ["#a", "#lobby", "#0_-z", "#" + "x" * 32])
def test_what_a_room_may_be(value: str) -> None:
    assert takes(Room, value)
    assert takes(Address, value)


@pytest.mark.parametrize(
    "value",
    ["", "#", "lobby", "#Lobby", "#a b", "#a\n", "##a", "#é", "#" + "x" * 33, "#a.b", 5, None],
)
def test_what_a_room_may_not_be(value: object) -> None:
    assert not takes(Room, value)
    assert not takes(Address, value)


@pytest.mark.parametrize("value", ["@b", "@Zoë", "@" + "x" * 64, '@a"b', "@#a"])
def test_an_address_may_be_one_person_whose_nick_the_chat_judges(value: str) -> None:
    assert takes(Address, value)
    assert not takes(Room, value)


@pytest.mark.parametrize("value", ["@", "bob", "@" + "x" * 65, "@a\nb", "@a\n", " @bob"])
def test_what_an_address_may_not_be(value: str) -> None:
    assert not takes(Address, value)


@pytest.mark.parametrize("value", [1, 2, 2**53 - 1])
def test_what_a_number_may_be(value: int) -> None:
    assert takes(Seq, value)
    assert takes(PositiveSeq, value)


@pytest.mark.parametrize(
    "value", [-1, 2**53, 2**63 - 1, 2**63, 2**64, 10**400, True, False, "5", 5.0, 1.5, None, [1]]
)
def test_what_a_number_may_not_be(value: object) -> None:
    assert not takes(Seq, value)
    assert not takes(PositiveSeq, value)


def test_zero_is_a_cursor_but_no_message() -> None:
    assert takes(Seq, 0)
    assert not takes(PositiveSeq, 0)


@pytest.mark.parametrize("value", [0, 0.0, 2.5, 20])
def test_what_an_amount_may_be(value: float) -> None:
    assert Bye(reason="x", retry_after=value).retry_after == value


@pytest.mark.parametrize("value", [-1, -0.5, float("inf"), float("nan"), "5", True])
def test_what_an_amount_may_not_be(value: Any) -> None:
    with pytest.raises(ValidationError):
        Bye(reason="x", retry_after=value)
    with pytest.raises(ValidationError):
        Limits(**LIMITS, idle_timeout=value)


# ------------------------------------------------------------------ models


def test_envelopes_are_frozen() -> None:
    draft = Draft(id="1", to="#a", text="hi")
    with pytest.raises(ValidationError, match="frozen"):
        draft.text = "other"
    with pytest.raises(ValidationError, match="frozen"):
        Member(nick="bob").role = "owner"


def test_envelopes_are_values() -> None:
    assert Ping(id="1") == Ping(id="1") != Ping(id="2")
    assert hash(Ping(id="1")) == hash(Ping(id="1"))


def test_what_may_be_left_out_has_these_defaults() -> None:
    draft = Draft(id="1", to="#a", text="hi")
    assert (draft.reply_to, draft.action) == (None, False)
    assert History(id="1", to="#a").limit == 50
    member = Member(nick="bob")
    assert (member.role, member.held) == ("member", False)
    error = Error(code="bad_text", message="m")
    assert (error.fatal, error.re, error.retry_after) == (False, None, None)


FROM_CLIENT: dict[str, type[BaseModel]] = {"chat": Draft, **COMMANDS}
OPTIONAL = [
    (name, key)
    for name, model in FROM_CLIENT.items()
    for key, field in model.model_fields.items()
    if not field.is_required() and field.default is None
]


@pytest.mark.parametrize(("name", "key"), OPTIONAL)
def test_a_key_that_may_be_left_out_may_not_be_null(name: str, key: str) -> None:
    model = FROM_CLIENT[name]
    with pytest.raises(ValidationError) as raised:
        model.model_validate({key: None})
    faults = {fault["loc"]: fault["msg"] for fault in raised.value.errors()}
    assert faults[(key,)] == "Value error, leave the key out instead of sending null"


def test_join_and_history_start_in_one_place() -> None:
    with pytest.raises(ValidationError, match="`after` and `last` exclude each other"):
        Join(id="1", room="#a", after=0, last=0)
    with pytest.raises(ValidationError, match="`before` and `after` exclude each other"):
        History(id="1", to="#a", before=0, after=0)


@pytest.mark.parametrize("model", FROM_CLIENT.values())
def test_a_client_can_say_nothing_else(model: type[BaseModel]) -> None:
    forged = {"sender", "ts", "role", "re", "event"}
    forged |= {"seq"} if model is not Remove else set()  # there it names a message
    assert not forged & model.model_fields.keys()
    with pytest.raises(ValidationError) as raised:
        model.model_validate({"id": "1", "role": "owner"})
    assert "extra_forbidden" in {fault["type"] for fault in raised.value.errors()}


@pytest.mark.parametrize("model", [Posted, *EVENTS.values()])
def test_a_client_ignores_what_a_later_server_says(model: type[BaseModel]) -> None:
    with pytest.raises(ValidationError) as raised:
        model.model_validate({"new": 1, "re": 5, "seq": -1})
    assert ("new",) not in {fault["loc"] for fault in raised.value.errors()}


def test_an_error_of_a_model_repeats_no_input() -> None:
    with pytest.raises(ValidationError) as raised:
        Hello.model_validate({"id": "KANARI !", "protocol": "KANARI", "nick": 5})
    assert "KANARI" not in str(raised.value)
    with pytest.raises(ValidationError) as raised:
        Bye.model_validate({"reason": ["KANARI"], "retry_after": "KANARI"})
    assert "KANARI" not in str(raised.value)


LISTS = [
    (model, key)
    for model in EVENTS.values()
    for key in ("features", "members", "rooms", "conversations", "messages", "commands")
    if key in model.model_fields
]


@pytest.mark.parametrize(("model", "key"), LISTS)
def test_a_list_may_be_given_as_a_list_and_is_kept_as_a_tuple(
    model: type[System], key: str
) -> None:
    others = {
        "room": "#a", "to": "#a", "more": True, "protocol": 1, "server": "s", "version": "1",
        "nick": "b", "epoch": "e", "limits": Limits(**LIMITS, idle_timeout=90),
    }  # fmt: skip
    assert getattr(model.model_validate({**others, key: []}), key) == ()
    with pytest.raises(ValidationError):
        model.model_validate({**others, key: "bob"})


def test_a_list_is_whole_where_nothing_else_is_said() -> None:
    fields = [
        model.model_fields["more"] for model in EVENTS.values() if "more" in model.model_fields
    ]
    assert [field.default for field in fields if not field.is_required()] == [False] * 6
    assert HistoryPage.model_fields["more"].is_required()


@pytest.mark.parametrize(
    ("model", "keys"),
    [
        (Posted, {"id": "1", "to": "#a", "sender": "ann", "seq": 0, "ts": TS, "text": ""}),
        (Conversation, {"to": "@ann", "seq": -1, "ts": TS}),
        (Pong, {"id": "1", "token": "x" * 65}),
        (Welcome, {"protocol": 1, "server": "s", "version": "1", "nick": "b", "epoch": "e"}),
    ],
)
def test_a_model_with_one_fault_is_not_made(model: type[BaseModel], keys: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as raised:
        model.model_validate(keys)
    assert raised.value.error_count() == 1


# ------------------------------------------------------------------ schema


def parts(schema: object) -> list[dict[str, Any]]:
    """Every object inside a schema, itself included."""
    if isinstance(schema, dict):
        return [schema, *(part for value in schema.values() for part in parts(value))]
    return [part for value in schema for part in parts(value)] if isinstance(schema, list) else []


def test_the_schema_tells_both_directions_and_is_json() -> None:
    schema = json.loads(json.dumps(json_schema()))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"] == "securechat wire, version 1"
    to_server = {
        part["title"] for part in parts(schema["client_to_server"]) if "properties" in part
    }
    to_client = {
        part["title"] for part in parts(schema["server_to_client"]) if "properties" in part
    }
    assert to_server == {"Draft", *(model.__name__ for model in COMMANDS.values())}
    assert to_client >= {"Posted", *(model.__name__ for model in EVENTS.values())}


def test_the_schema_lets_no_client_say_null_or_more_keys() -> None:
    objects = [part for part in parts(json_schema()["client_to_server"]) if "properties" in part]
    assert len(objects) == 1 + len(COMMANDS)
    for part in objects:
        assert part["additionalProperties"] is False
        assert {"type": "null"} not in parts(part)
        assert not [kind for kind in parts(part) if kind.get("default", 0) is None]


def test_the_schema_keeps_the_bounds_of_an_optional_key() -> None:
    defs = json_schema()["client_to_server"]["$defs"]
    last = defs["Join"]["properties"]["last"]
    assert (last["type"], last["minimum"], last["maximum"]) == ("integer", 0, 500)
    assert defs["Topic"]["properties"]["text"]["maxLength"] == 500


def test_the_schema_tells_that_a_server_may_say_more() -> None:
    schema = json_schema()["server_to_client"]
    assert not [part for part in parts(schema) if part.get("additionalProperties") is False]


def test_the_unions_are_what_the_tables_say() -> None:
    draft, commands = get_args(get_args(envelopes.ClientEnvelope)[0])
    posted, events = get_args(get_args(envelopes.ServerEnvelope)[0])
    assert (draft, posted) == (Draft, Posted)
    assert get_args(get_args(commands)[0]) == tuple(COMMANDS.values())
    assert get_args(get_args(events)[0]) == tuple(EVENTS.values())
