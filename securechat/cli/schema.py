"""`securechat schema`: the wire as JSON Schema, for implementers in other languages."""

from __future__ import annotations

import json

from .report import reported


def schema() -> None:
    """Print the JSON Schema of what clients and servers send.

    \b
    Examples:
      securechat schema > securechat.schema.json
      securechat schema | jq .client_to_server
    """
    with reported():
        from ..protocol.envelopes import json_schema

        print(json.dumps(json_schema(), indent=2), flush=True)
