"""`securechat admin status`: how the server that runs is, at a glance or for a program."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .configuring import ConfigOption
from .operator import AsJson, DataFolder, ask_server
from .quantities import count_of, latency_of, size_of, span_of
from .report import put, reported


def status(data: DataFolder = None, _config: ConfigOption = None, as_json: AsJson = False) -> None:
    """Show how the server is that runs: who is there, how quickly it answers, what it takes.

    Latency is from when something was read to when all that follows from it was written, on disk
    and to everyone's connection. With --json times are seconds and sizes bytes.

    \b
    Examples:
      securechat admin status
      securechat admin status --data /srv/chat --json
    """
    with reported():
        from ..chat.admin import ShowStatus

        answer = ask_server(data, ShowStatus())
        [counted] = answer.rows
        found = {**counted, **answer.facts["status"]}
        put([json.dumps(found)] if as_json else show_status(found))


def show_status(found: Mapping[str, Any]) -> list[str]:
    """The lines for a person."""
    at_the_door = found["open"] - found["connections"]
    rows = {
        "server": f"securechat {found['version']}, process {found['process']}, "
        f"up {span_of(found['uptime'])}",
        "connections": f"{found['connections']:,}"
        + (f", and {at_the_door:,} at the door" if at_the_door > 0 else ""),
        "people": f"{found['people']:,} online, in {count_of(found['rooms'], 'room')}",
        "messages": f"{found['messages']:,} since the start",
        "latency": _latency(found["latency"]),
        "memory": f"{size_of(found['memory'])}, {size_of(found['memory_peak'])} at most",
        "certificate": _certificate(found["certificate_days"]),
        "database": f"{size_of(found['database'])}"
        + (f", and {size_of(found['index'])} to search in it" if found["index"] else ""),
    }
    width = max(map(len, rows))
    return [f"{name:<{width}}  {text}" for name, text in rows.items()]


def _latency(latency: Mapping[str, Any]) -> str:
    if not latency["events"]:
        return "nothing was asked so far"
    shares = {"half": "p50", "90%": "p90", "99%": "p99"}
    within = ", ".join(f"{name} within {latency_of(latency[key])}" for name, key in shares.items())
    return f"{within}, all within {latency_of(latency['max'])} ({latency['events']:,} events)"


def _certificate(days: float) -> str:
    if days < 0:
        return f"ended {span_of(-days * 86_400)} ago"
    return f"good for {span_of(days * 86_400)}"
