"""What the operator's commands have in common: the data folder, a request, rows as a table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

import typer

from .report import put
from .serve import default_data

if TYPE_CHECKING:
    from pydantic import BaseModel

    from ..server.operate import Answer

DataFolder: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="The server's data folder, as `serve` has it.",
        show_default="your user data folder",
    ),
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]

_GAP: Final = "  "


def operate(data: Path | None, request: BaseModel) -> Answer:
    """Have it done by the server that runs on `data`, or on the data itself."""
    from ..server.operate import operate as carry_out

    return carry_out(data or default_data(), request)


def ask_server(data: Path | None, request: BaseModel) -> Answer:
    """Have it answered by the server that runs on `data`; raises `OperatorError` if none does."""
    from ..server.operate import ask

    return ask(data or default_data(), request)


def show(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    """Print rows, as a table with those columns or as JSON lines."""
    if as_json:
        put(json.dumps(row, ensure_ascii=False) for row in rows)
    elif rows:
        put(_table(rows, columns))


def _table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> list[str]:
    from ..client.cells import cells as width_of
    from ..client.harmless import harmless_line

    cells = [[*columns]] + [[harmless_line(_cell(row[key])) for key in columns] for row in rows]
    widths = [max(width_of(line[at]) for line in cells) for at in range(len(columns))]
    return [
        _GAP.join(
            cell + " " * (width - width_of(cell)) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in cells
    ]


def _cell(value: object) -> str:
    match value:
        case None | []:
            return "-"
        case bool():
            return "yes" if value else "no"
        case list():
            return ",".join(map(str, value))
        case str() if value.endswith("Z") and value[10:11] == "T":
            return value[:16].replace("T", " ") + " UTC"
        case _:
            return str(value) or "-"
