"""What envelopes are made of: the numbers of the contract, kinds of values, bases of models.

A model is valid from construction, and frozen. What a client sends refuses unknown keys, and null
where a key may be left out; what a server sends ignores unknown keys, so that later servers may say
more. Raised: pydantic's `ValidationError`, by whoever makes a model of what breaks its bounds.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, SecretStr

PROTOCOL_VERSION: Final = 1
ALPN: Final = "securechat/1"
DEFAULT_PORT: Final = 55555
MAX_INTEGER: Final = 2**53 - 1
MAX_TEXT: Final = 4_000
MAX_TOPIC: Final = 500
MAX_HISTORY: Final = 500
MAX_LAST: Final = 500
MAX_REASON: Final = 200
#: Seconds for which somebody may be banned or muted: ten years; for longer, leave it out.
MAX_DURATION: Final = 315_360_000
MAX_PASSWORD: Final = 256
MAX_QUERY: Final = 500
MAX_AWAY: Final = 200

ID_PATTERN: Final = r"^[A-Za-z0-9._:\-]{1,64}$"
ROOM_PATTERN: Final = r"^#[a-z0-9_\-]{1,32}$"
#: A room, or `@` and what may be a nick; the chat core judges the nick.
ADDRESS_PATTERN: Final = r"^(?:#[a-z0-9_\-]{1,32}|@.{1,64})$"

Id: TypeAlias = Annotated[str, Field(pattern=ID_PATTERN)]
Room: TypeAlias = Annotated[str, Field(pattern=ROOM_PATTERN)]
Address: TypeAlias = Annotated[str, Field(pattern=ADDRESS_PATTERN)]
Seq: TypeAlias = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
#: What may be a nick; the chat core judges it.
Nick: TypeAlias = Annotated[str, Field(min_length=1, max_length=64)]
Duration: TypeAlias = Annotated[int, Field(ge=1, le=MAX_DURATION)]
PositiveSeq: TypeAlias = Annotated[int, Field(ge=1, le=MAX_INTEGER)]
#: Seconds, or so many a second; JSON can write 1e999, which is no amount of anything.
Amount: TypeAlias = Annotated[float, Field(ge=0, allow_inf_nan=False)]
#: Never shown by `repr`, in a traceback or a log; on the wire it is what it is.
Secret: TypeAlias = Annotated[
    SecretStr,
    Field(min_length=1, max_length=MAX_PASSWORD),
    PlainSerializer(lambda secret: secret.get_secret_value(), return_type=str),
]


def _refuse_null(value: object) -> object:
    if value is None:
        raise ValueError("leave the key out instead of sending null")
    return value


#: Beside `| None`: the key may be left out, which the model shows as None, but not sent as null.
NotNull: Final = BeforeValidator(_refuse_null)


class ClientSays(BaseModel):
    """Base of all that a client sends."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, hide_input_in_errors=True, validate_default=False
    )


class ServerSays(BaseModel):
    """Base of all that a server sends, and of its parts."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, hide_input_in_errors=True)


class Command(ClientSays):
    """Base of all commands; `cost` is how many tokens the frame takes."""

    cost: ClassVar[int] = 1

    type: Literal["command"] = "command"
    id: Id


class System(ServerSays):
    """Base of all system events; `re` is the `id` of what is answered, if it answers something."""

    type: Literal["system"] = "system"
    re: Id | None = None
