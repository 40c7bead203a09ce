"""One payload, one envelope: the only place where JSON is parsed and written.

In: a payload without its length. Out: a frozen envelope, or a `Refusal`, the value that says why
there is none and what to answer. Nothing is raised for what a peer can send.

The way of a good payload is one call of pydantic's own parser. Only when that says no, a second,
strict parse tells `bad_json` (fatal) from `bad_envelope` (answered, and life goes on), and the
answer is put together from our own key names: nothing that the peer sent is repeated to it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from json.encoder import encode_basestring
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, PydanticSerializationError, from_json

from ..errors import LocalProtocolError
from .envelopes import (
    COMMANDS,
    EVENTS,
    ClientEnvelope,
    Command,
    Draft,
    Id,
    Posted,
    ServerEnvelope,
    System,
    UnknownEvent,
)


class Refusal(NamedTuple):
    """Why a payload is no envelope, as the `error` to answer with; `fatal` ends the connection.

    `name` is the command that was meant, where one was named.
    """

    code: str
    message: str
    re: str | None = None
    fatal: bool = False
    name: str | None = None

    @property
    def cost(self) -> int:
        """Tokens that the frame takes: an envelope that is none is dear."""
        return 11 if self.code == "bad_envelope" else 1


FromClient: TypeAlias = Draft | Command | Refusal
FromServer: TypeAlias = Posted | System | Refusal

_validate_client: Final = TypeAdapter[Any](ClientEnvelope).validator.validate_json
_validate_server: Final = TypeAdapter[Any](ServerEnvelope).validator.validate_json
_validate_id: Final = TypeAdapter[str](Id).validator.validate_python

#: What each key may hold, for a person; the keys are the only ones that an answer ever names.
#: What each key of an envelope must be, in words.
FORMS: Final = MappingProxyType(
    {
        "type": "`chat` or `command`",
        "name": "a string, the name of a command",
        "id": "1 to 64 of A-Z a-z 0-9 . _ : -",
        "to": "a room (`#` and 1 to 32 of a-z 0-9 _ -) or `@nick`",
        "room": "`#` and 1 to 32 of a-z 0-9 _ -, or where it may be one person `@nick`",
        "text": "a string (a topic: of 500 characters at most)",
        "nick": "a string (of 64 characters at most where it names somebody else)",
        "protocol": "an integer from 0 to 2^53-1",
        "session": "the string that a `welcome` gave, or in `logout` one that `sessions` listed",
        "client": "a string of 128 characters at most",
        "reply_to": "the `seq` of a message, an integer from 1 to 2^53-1",
        "action": "true or false",
        "after": "a `seq`, an integer from 0 to 2^53-1, and not beside `last` or `before`",
        "before": "a `seq`, an integer from 0 to 2^53-1, and not beside `after`",
        "last": "an integer from 0 to 500, and not beside `after`",
        "limit": "an integer from 1 to 500",
        "command": "a string of 64 characters at most",
        "token": "a string of 64 characters at most",
        "password": "a string of 1 to 256 characters",
        "old": "the present password, a string of 1 to 256 characters",
        "invite": "the token of an invite, a string of 1 to 256 characters",
        "elsewhere": "true or false, and not beside `session`",
        "reason": "a string of 200 characters at most",
        "account": "a string of 1 to 64 characters, the name of an account",
        "address": "an address or a network, a string of 64 characters at most",
        "duration": "seconds, an integer from 1 to 315360000",
        "private": "true or false",
        "read_only": "true or false",
        "topic_locked": "true or false",
        "owner": "true or false",
        "seq": "the number of a message, an integer from 1 to 2^53-1",
        "query": "a string of 500 characters at most",
    }
)
#: Where a key holds something else than in most commands.
_OTHER_FORMS: Final = MappingProxyType(
    {
        ("search", "before"): "the `next` of an earlier page",
        ("away", "text"): "a string of 200 characters at most",
    }
)


def decode_client(payload: bytes) -> FromClient:
    """What a client said with `payload`, or why it said nothing that may be said."""
    try:
        envelope: FromClient = _validate_client(payload)
    except ValidationError as error:
        return _explain_client(payload, error)
    # One byte is looked for five times as fast as the words.
    if (b"N" in payload or b"I" in payload) and _hides_a_non_number(payload):
        return _bad_json()
    return envelope


def decode_server(payload: bytes) -> FromServer:
    """What a server said with `payload`; an event of a later version is an `UnknownEvent`."""
    try:
        envelope: FromServer = _validate_server(payload)
    except ValidationError as error:
        said = _parse(payload)
        if not isinstance(said, dict):
            return _bad_json()
        event = said.get("event")
        if said.get("type") == "system" and isinstance(event, str) and event not in EVENTS:
            return UnknownEvent(event=event, re=_valid_id(said.get("re")))
        return Refusal(
            "bad_envelope",
            f"The server sent an envelope that breaks the protocol ({_first_fault(error)}). "
            "Use a client and a server of versions that fit.",
            _valid_id(said.get("re")),
            fatal=True,
        )
    return _bad_json() if _hides_a_non_number(payload) else envelope


def encode(envelope: BaseModel) -> bytes:
    """`envelope` as a payload; keys that hold nothing are left out.

    Raises `LocalProtocolError` when a string in it is no Unicode (it has a lone surrogate, as
    Python makes them of bytes that it cannot decode): replace those before.
    """
    quiet = None
    if isinstance(envelope, Draft | Posted):
        quiet = {key for key in ("action", "removed") if not getattr(envelope, key, False)}
    try:
        return envelope.model_dump_json(exclude_none=True, exclude=quiet).encode()
    except PydanticSerializationError as error:
        name = type(envelope).__name__
        raise LocalProtocolError(f"a {name} with a lone surrogate cannot be sent") from error


def encode_posted(
    id: str,
    to: str,
    sender: str,
    seq: int,
    ts: str,
    text: str,
    reply_to: int | None = None,
    action: bool = False,
) -> bytes:
    """A `Posted` as a payload, made without the model: this runs once per message.

    Everything but `text` must have passed the checks of a draft and a nick, which leave nothing
    in them that JSON would have to escape.
    """
    extra = f',"reply_to":{reply_to}' if reply_to is not None else ""
    if action:
        extra += ',"action":true'
    return (
        f'{{"type":"chat","id":"{id}","to":"{to}","sender":"{sender}","seq":{seq},"ts":"{ts}",'
        f'"text":{encode_basestring(text)}{extra}}}'
    ).encode()


def encode_removed(
    id: str, to: str, sender: str, seq: int, ts: str, reply_to: int | None, action: bool
) -> bytes:
    """A `Posted` of which somebody erased what it said, as a payload."""
    kept = encode_posted(id, to, sender, seq, ts, "", reply_to, action)
    return kept[:-1] + b',"removed":true}'


def encode_history(re: str, to: str, messages: Iterable[bytes], more: bool) -> bytes:
    """A `HistoryPage` as a payload, from messages that are payloads already."""
    head = f'{{"type":"system","re":"{re}","event":"history","to":"{to}","messages":['.encode()
    return head + b",".join(messages) + (b'],"more":true}' if more else b'],"more":false}')


def encode_search(re: str, messages: Iterable[bytes], next: str | None) -> bytes:
    """A `SearchPage` as a payload, from messages that are payloads already."""
    head = f'{{"type":"system","re":"{re}","event":"search","messages":['.encode()
    end = b'],"more":false}' if next is None else f'],"more":true,"next":"{next}"}}'.encode()
    return head + b",".join(messages) + end


# ------------------------------------------------------------------ the error path


def _parse(payload: bytes) -> object:
    """The value in `payload`, or None when it is not strict JSON (nor is `null` an object)."""
    try:
        return from_json(payload, allow_inf_nan=False)
    except ValueError:
        return None


def _hides_a_non_number(payload: bytes) -> bool:
    """Whether a payload that pydantic took has a NaN or Infinity where no model looks.

    pydantic's JSON has them; a value that a later one of the same key replaces, or one of an
    unknown key, is not looked at. The words may also stand in a text, so only a parse decides.
    """
    return (b"NaN" in payload or b"Infinity" in payload) and _parse(payload) is None


def _bad_json() -> Refusal:
    return Refusal(
        "bad_json",
        "That frame does not hold one JSON object in UTF-8 (RFC 8259: no NaN, no lone surrogate, "
        "nothing behind the object, at most 200 levels deep). Check the length in front of it "
        "and how its sender makes JSON.",
        fatal=True,
    )


def _explain_client(payload: bytes, error: ValidationError) -> Refusal:
    said = _parse(payload)
    if not isinstance(said, dict):
        return _bad_json()
    re = _valid_id(said.get("id"))
    kind, name = said.get("type"), said.get("name")
    if kind == "chat":
        return _explain_keys(Draft, said, error, re)
    if kind != "command":
        return _bad_envelope("`type` must be `chat` or `command`", re)
    if not isinstance(name, str):
        return _bad_envelope("`name` must be a string, the name of a command", re)
    model = COMMANDS.get(name)
    if model is None:
        return Refusal("unknown_command", _no_such_command(name), re)
    return _explain_keys(model, said, error, re)


def _explain_keys(
    model: type[BaseModel], said: dict[str, Any], error: ValidationError, re: str | None
) -> Refusal:
    name = said.get("name") if model is not Draft else None
    what = f"`{name}`" if name else "a chat"
    strange = len(said.keys() - model.model_fields.keys())
    if strange:
        keys = "a key" if strange == 1 else f"{strange} keys"
        known = ", ".join(model.model_fields)
        return _bad_envelope(f"{what} has {keys} too many; it takes {known}", re, name)
    return _bad_envelope(f"in {what}, {_first_fault(error)}", re, name)


def _bad_envelope(fault: str, re: str | None, name: str | None = None) -> Refusal:
    message = f"{fault[0].upper()}{fault[1:]}. Mend the envelope and send it again."
    return Refusal("bad_envelope", message, re, name=name)


def _first_fault(error: ValidationError) -> str:
    """The first thing that is wrong, in words that repeat nothing of the input."""
    fault: ErrorDetails = error.errors(include_url=False, include_input=False)[0]
    tags = 1 if fault["loc"][:1] == ("chat",) else 2  # `type`; and the name or the event
    key = next((str(part) for part in fault["loc"][tags:] if part in FORMS), None)
    if key is None:  # a rule of ours about several keys, in our own words
        return str(fault.get("ctx", {}).get("error", "something is not as the protocol says"))
    if fault["type"] == "missing":
        return f"`{key}` is missing"
    form = _OTHER_FORMS.get((str(fault["loc"][1]), key), FORMS[key])
    return f"`{key}` must be {form}"


def _no_such_command(name: str) -> str:
    near = difflib.get_close_matches(name.lower(), COMMANDS, 1) if len(name) <= 32 else []
    hint = f" Did you mean `{near[0]}`?" if near else ""
    return f"There is no such command.{hint} `help` lists them all."


def _valid_id(value: object) -> str | None:
    try:
        valid: str = _validate_id(value, strict=True)
    except ValidationError:
        return None
    return valid
