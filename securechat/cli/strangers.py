"""The options of `serve` that say who may come in, and how many of them; see docs/security.md."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

from ..config import GateLimits
from .numbers import within

DEFAULTS: Final = GateLimits()


class YesNo(StrEnum):
    """What a person says to a question."""

    YES = "yes"
    NO = "no"


ClientCa: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Let in only who has a certificate signed by this authority; its name is the nick.",
    ),
]
TrustLoopback: TypeAlias = Annotated[
    YesNo, typer.Option(help="Whether connections from this machine are free of the limits below.")
]
PerAddress: TypeAlias = Annotated[
    int,
    within("per_address", metavar="N", help="Connections of one address at once; 0: no limit."),
]
NewPerAddress: TypeAlias = Annotated[
    float,
    within(
        "new_per_address",
        metavar="PER_SECOND",
        help="New ones of an address in the long run; 0: no limit.",
    ),
]
Handshakes: TypeAlias = Annotated[
    float,
    within("handshakes", metavar="PER_SECOND", help="Handshakes begun in all; 0: no limit."),
]
Greeting: TypeAlias = Annotated[
    int,
    within("greeting", metavar="N", help="Connections that have not said hello yet, in all."),
]
MessagesPerAddress: TypeAlias = Annotated[
    float,
    within(
        "messages_per_address", metavar="PER_SECOND", help="Frames of a whole address; 0: no limit."
    ),
]
