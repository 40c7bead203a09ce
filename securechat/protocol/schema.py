"""The wire as a JSON Schema, for those who speak it in another language."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from .commands import ClientEnvelope
from .events import ServerEnvelope
from .values import PROTOCOL_VERSION


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of both directions, made from the models."""
    to_server = TypeAdapter(ClientEnvelope).json_schema()
    _forbid_null(to_server)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"securechat wire, version {PROTOCOL_VERSION}",
        "client_to_server": to_server,
        "server_to_client": TypeAdapter(ServerEnvelope).json_schema(),
    }


def _forbid_null(schema: object) -> None:
    """Take the `null` out of optional keys: they may be left out, not sent as null."""
    if isinstance(schema, list):
        for part in schema:
            _forbid_null(part)
    if not isinstance(schema, dict):
        return
    for part in schema.values():
        _forbid_null(part)
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) == 1:
        del schema["anyOf"]
        schema.pop("default", None)
        schema.update(kinds[0])
