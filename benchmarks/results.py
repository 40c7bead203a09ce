"""From the figures of single runs to a table: values in, values and text out.

A `Run` is the JSON of the load generator. Runs of one work on one server become medians; a run at
fault has none, and its faults are told instead. Ratios say how much more one gets for the same
CPU (or memory, or time): 1.5 to the best peer means that the best peer takes 1.5 times as much.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final, TypeAlias

from .works import Row

Run: TypeAlias = Mapping[str, Any]
#: work → server → its runs
Runs: TypeAlias = Mapping[str, Mapping[str, Sequence[Run]]]

#: What must be zero in every run, by the names of the load generator.
FAULTS: Final = ("dead", "refused", "lost", "twice", "out_of_order", "misnumbered")

BEGIN: Final = "<!-- figures: written by benchmarks/compare.py -->"
END: Final = "<!-- figures: end -->"


@dataclass(frozen=True, slots=True)
class Column:
    """A server in the table; `kind` is `ours`, `peer` or `floor`."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: a value for each column (None: no figure), and the best peer's."""

    row: Row
    values: tuple[float | None, ...]
    best_peer: float | None
    floor: float | None

    def to_best_peer(self, value: float | None) -> float | None:
        """How much more than the best peer one gets for the same cost."""
        return self.best_peer / value if value and self.best_peer else None

    def to_floor(self, value: float | None) -> float | None:
        """The same against the floor."""
        return self.floor / value if value and self.floor else None


def faults_of(run: Run) -> str:
    """What went wrong in a run, for a person; empty: nothing."""
    if "error" in run:
        return str(run["error"])
    counts = [f"{run[key]} {key.replace('_', ' ')}" for key in FAULTS if run.get(key)]
    return ", ".join(counts)


def middle(runs: Sequence[Run], key: str) -> float | None:
    """The median of `key`; None when there is none, or a run was at fault."""
    if not runs or any(faults_of(run) for run in runs):
        return None
    values = [run[key] for run in runs if key in run]
    return float(median(values)) if values else None


def tabulate(rows: Iterable[Row], columns: Sequence[Column], runs: Runs) -> list[Line]:
    """The lines of the table, without those that nobody has a figure for."""
    lines = []
    for row in rows:
        of_work = runs.get(row.work, {})
        found = [middle(of_work.get(column.name, ()), row.key) for column in columns]
        values = tuple(None if value is None else value * row.factor for value in found)
        if any(value is not None for value in values):
            best = _least(columns, values, "peer")
            lines.append(Line(row, values, best, _least(columns, values, "floor")))
    return lines


def _least(columns: Sequence[Column], values: Sequence[float | None], kind: str) -> float | None:
    pairs = zip(columns, values, strict=True)
    return min((it for column, it in pairs if column.kind == kind and it), default=None)


def faults(runs: Runs) -> list[str]:
    """A sentence for every run that was at fault."""
    return [
        f"{work} on {server}: {fault}"
        for work, of_work in runs.items()
        for server, its_runs in of_work.items()
        for run in its_runs
        if (fault := faults_of(run))
    ]


# ------------------------------------------------------------------ text


def figures(lines: Sequence[Line], columns: Sequence[Column]) -> list[list[str]]:
    """What was measured, as text, its heads first."""
    heads = ["work", "unit", *(column.name for column in columns)]
    return [heads, *([it.row.label, it.row.unit, *map(format_figure, it.values)] for it in lines)]


def ratios(lines: Sequence[Line], columns: Sequence[Column]) -> list[list[str]]:
    """What ours gives for the same cost as the best peer and as the floor, as text."""
    ours = [(index, column) for index, column in enumerate(columns) if column.kind == "ours"]
    heads = ["work", "best peer"]
    for _, column in ours:
        heads += [f"{column.name}, to it", f"{column.name}, to the floor"]
    table = [heads]
    for line in lines:
        best = [
            column.name
            for column, value in zip(columns, line.values, strict=True)
            if column.kind == "peer" and value is not None and value == line.best_peer
        ]
        row = [line.row.label, best[0] if best else "–"]
        for index, _ in ours:
            value = line.values[index]
            row += [format_ratio(line.to_best_peer(value)), format_ratio(line.to_floor(value))]
        table.append(row)
    return table


def format_figure(value: float | None) -> str:
    """Three digits that matter."""
    if value is None:
        return "–"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def format_ratio(value: float | None) -> str:
    """As in `1.25 ×`."""
    return "–" if value is None else f"{value:.2f} ×"


def as_text(table: Sequence[Sequence[str]]) -> str:
    """Columns side by side for a terminal; figures to the right, words to the left."""
    widths = [max(len(row[at]) for row in table) for at in range(len(table[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at < 2 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    )


def as_markdown(table: Sequence[Sequence[str]]) -> str:
    """The same for a page."""
    rule = ["---" if at < 2 else "---:" for at in range(len(table[0]))]
    rows = [table[0], rule, *table[1:]]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def put_between(page: str, text: str) -> str:
    """`page` with `text` where the figures go; raises `ValueError` when there is no such place."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no place for figures: {BEGIN} and behind it {END}")
    return f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}"
