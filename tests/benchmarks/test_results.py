"""From the figures of single runs to tables and bars: values in, values out."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from benchmarks import compare, plot, results
from benchmarks.results import Column
from benchmarks.works import ROWS, WORKS, Row

CPU = Row("hot", "hot", "cpu", "µs")
P99 = Row("hot", "hot, p99", "p99_us", "ms", 1e-3)
COLUMNS = (
    Column("ngircd", "peer"),
    Column("nats", "peer"),
    Column("stored", "ours"),
    Column("floor", "floor"),
)
RUNS = {
    "hot": {
        "ngircd": [{"cpu": 3.0, "p99_us": 2_000}, {"cpu": 1.0, "p99_us": 9_000}, {"cpu": 2.0}],
        "nats": [{"cpu": 4.0, "lost": 0}],
        "stored": [{"cpu": 1.6, "p99_us": 1_000}],
        "floor": [{"cpu": 0.8}],
    }
}
[LINE, LATENCY] = results.tabulate([CPU, P99], COLUMNS, RUNS)


def test_a_figure_is_the_median_of_its_rounds_in_its_unit() -> None:
    assert LINE.values == (2.0, 4.0, 1.6, 0.8)
    assert LATENCY.values == (5.5, None, 1.0, None)


def test_ratios_are_to_the_best_peer_and_to_the_floor() -> None:
    assert (LINE.best_peer, LINE.floor) == (2.0, 0.8)
    assert LINE.to_best_peer(1.6) == pytest.approx(1.25)
    assert LINE.to_floor(1.6) == pytest.approx(0.5)
    assert LATENCY.to_floor(1.0) is None
    assert LINE.to_best_peer(None) is None
    assert LINE.to_best_peer(0.0) is None


@pytest.mark.parametrize("fault", results.FAULTS)
def test_a_run_at_fault_has_no_figure_and_is_told(fault: str) -> None:
    runs = {"hot": {"nats": [{"cpu": 1.0}, {"cpu": 1.0, fault: 3}]}}
    assert results.tabulate([CPU], COLUMNS, runs) == []
    assert results.faults(runs) == [f"hot on nats: 3 {fault.replace('_', ' ')}"]


def test_a_server_that_did_not_start_is_told() -> None:
    runs = {"hot": {"nats": [{"error": "it does not listen: port in use"}], "floor": []}}
    assert results.faults(runs) == ["hot on nats: it does not listen: port in use"]
    assert results.middle((), "cpu") is None


def test_the_tables() -> None:
    assert results.as_text(results.figures([LINE, LATENCY], COLUMNS)).splitlines() == [
        "work      unit  ngircd  nats  stored  floor",
        "hot       µs      2.00  4.00    1.60   0.80",
        "hot, p99  ms      5.50     –    1.00      –",
    ]
    assert results.as_markdown(results.ratios([LINE, LATENCY], COLUMNS)).splitlines() == [
        "| work | best peer | stored, to it | stored, to the floor |",
        "| --- | --- | ---: | ---: |",
        "| hot | ngircd | 1.25 × | 0.50 × |",
        "| hot, p99 | ngircd | 5.50 × | – |",
    ]


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (0.4567, "0.46"), (12.345, "12.3"), (123.4, "123")]
)
def test_three_digits_are_enough(value: float | None, text: str) -> None:
    assert results.format_figure(value) == text


def test_the_figures_go_to_their_place_and_nowhere_else() -> None:
    page = f"before\n{results.BEGIN}\nold\n{results.END}\nafter\n"
    once = results.put_between(page, "new\n")
    assert once == f"before\n{results.BEGIN}\n\nnew\n\n{results.END}\nafter\n"
    assert results.put_between(once, "new") == once
    with pytest.raises(ValueError, match="no place for figures"):
        results.put_between(f"{results.END}{results.BEGIN}", "new")


def test_every_row_belongs_to_a_work_and_every_work_has_a_row() -> None:
    assert {row.work for row in ROWS} == {work.name for work in WORKS}
    assert len({row.label for row in ROWS}) == len(ROWS)


# ------------------------------------------------------------------ bars


def bars(svg: str) -> dict[str, float]:
    """Class → length of the bars, in order."""
    space = "{http://www.w3.org/2000/svg}"
    found = ET.fromstring(svg).iter(f"{space}rect")
    return {
        f"{index} {it.get('class')}": float(it.get("width", 0)) for index, it in enumerate(found)
    }


def test_a_bar_is_as_long_as_what_one_gets_for_the_cost() -> None:
    lengths = bars(plot.draw([LINE], COLUMNS, "title"))
    one = lengths["0 peer"]
    assert list(lengths) == ["0 peer", "1 peer", "2 ours", "3 floor"]
    assert [length / one for length in lengths.values()] == pytest.approx([1.0, 0.5, 1.25, 2.0])


def test_a_bar_that_would_leave_the_picture_is_cut_and_notched() -> None:
    [line] = results.tabulate(
        [CPU], COLUMNS, {"hot": {"ngircd": [{"cpu": 9.0}], "floor": [{"cpu": 1.0}]}}
    )
    svg = plot.draw([line], COLUMNS, "title")
    lengths = bars(svg)
    assert lengths["1 floor"] == pytest.approx(2 * lengths["0 peer"])
    assert svg.count("<path") == 1
    assert ">1.00<" in svg


def test_without_a_peer_the_floor_is_the_measure() -> None:
    [line] = results.tabulate(
        [CPU], COLUMNS, {"hot": {"stored": [{"cpu": 2.0}], "floor": [{"cpu": 1.0}]}}
    )
    svg = plot.draw([line], COLUMNS, "a <b> & c")
    lengths = bars(svg)
    assert lengths["0 ours"] == pytest.approx(lengths["1 floor"] / 2)
    assert "a &lt;b&gt; &amp; c" in svg
    assert "<line" not in svg


# ------------------------------------------------------------------ the command


def document(runs: object) -> dict[str, object]:
    return {
        "date": "2026-01-01",
        "machine": "2 × abacus",
        "rounds": 3,
        "seconds": 4.0,
        "columns": [{"name": it.name, "kind": it.kind} for it in COLUMNS],
        "runs": runs,
    }


def run_main(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["compare", *map(str, arguments)])
    return compare.main()


def test_what_was_measured_is_shown_and_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = {
        "hot": {"ngircd": [{"cpu_us_per_delivery": 0.6}], "stored": [{"cpu_us_per_delivery": 0.4}]}
    }
    source, page = tmp_path / "results.json", tmp_path / "page.md"
    source.write_text(json.dumps(document(runs)))
    page.write_text(f"# Page\n\n{results.BEGIN}\n{results.END}\n")
    assert run_main(monkeypatch, "--from", source, "--write", page) == 0
    assert "1.50 ×" in capsys.readouterr().out
    written = page.read_text()
    assert "Measured on 2026-01-01: 2 × abacus; 3 rounds of 4 s, medians." in written
    assert "| hot | µs of CPU per delivery | 0.60 | – | 0.40 | – |" in written
    assert "(page.svg)" in written
    ET.fromstring((tmp_path / "page.svg").read_text())


def test_a_fault_ends_in_exit_code_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "results.json"
    source.write_text(json.dumps(document({"hot": {"stored": [{"lost": 2}]}})))
    assert run_main(monkeypatch, "--from", source) == 1
    assert "at fault: hot on stored: 2 lost" in capsys.readouterr().out


def test_a_name_that_nothing_has_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_main(monkeypatch, "--works", "hot,cold") == 1
    assert "no work is called cold; there are hot, rooms" in capsys.readouterr().err
