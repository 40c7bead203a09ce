"""One payload, one envelope: every key of every command, strict JSON, answers that leak nothing."""

from __future__ import annotations

import pytest

from securechat.protocol.codec import (
    decode_client,
)
from securechat.protocol.envelopes import (
    COMMANDS,
)

from .answers import (
    CANARY,
    ID,
    KINDS,
    MEND,
    MODELS,
    ROWS,
    TABLE,
    TS,
    Keys,
    bare,
    payload_of,
    refused,
    told,
    with_key,
)

# ------------------------------------------------------------------ key by key


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
