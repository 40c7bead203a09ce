"""One line each, whatever is in it; and a flood of lines is told in one."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import pytest

from securechat.server.logs import Throttle, new_handler

HOSTILE = "".join(map(chr, range(0x110000 - 0x800, 0x110000))) + "".join(
    map(chr, (*range(0x300), *range(0x2000, 0x2100), 0xFEFF, 0xFFF9, 0xD800, 0x1D173, 0xE0041))
)


def lines_of(as_json: bool, capsys: pytest.CaptureFixture[str], **keys: Any) -> list[str]:
    record = logging.LogRecord("x", logging.ERROR, "x.py", 1, "nick %s", (HOSTILE,), None)
    vars(record).update(keys)
    new_handler(as_json=as_json).handle(record)
    return capsys.readouterr().err.splitlines()  # which ends lines at U+2028 and others, too


@pytest.mark.parametrize("as_json", [False, True])
def test_nothing_that_a_name_can_hold_makes_a_second_line(
    capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    [line] = lines_of(as_json, capsys)
    assert line.isprintable()
    assert "\\u2028" in line


def test_in_json_it_can_be_read_back(capsys: pytest.CaptureFixture[str]) -> None:
    [line] = lines_of(True, capsys)
    assert json.loads(line)["message"] == f"nick {HOSTILE}"


@pytest.mark.parametrize("as_json", [False, True])
def test_a_traceback_is_part_of_its_line(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    try:
        raise ValueError("first\nsecond\x1b[2J")
    except ValueError:
        [line] = lines_of(as_json, capsys, exc_info=sys.exc_info())
    assert "Traceback" in line
    assert "second" in line
    assert "\x1b" not in line


def record(msg: str, at: float, level: int = logging.INFO) -> logging.LogRecord:
    it = logging.LogRecord("x", level, "x.py", 1, msg, ("192.0.2.1",), None)
    it.created = at
    return it


def test_a_flood_of_one_wording_is_told_in_few_lines() -> None:
    throttle = Throttle(burst=5, rate=1.0)
    passed = [throttle.filter(record("no handshake from %s", 100.0)) for _ in range(1_000)]
    assert passed == [True] * 5 + [False] * 995
    assert throttle.filter(record("another of %s", 100.0)), "each wording by itself"
    late = record("no handshake from %s", 101.0)
    assert throttle.filter(late)
    assert late.getMessage() == "no handshake from 192.0.2.1 (and 995 more like it)"
    assert not throttle.filter(record("no handshake from %s", 101.0))


def test_errors_are_never_left_out() -> None:
    throttle = Throttle(burst=1, rate=0.001)
    assert all(throttle.filter(record("broken %s", 1.0, logging.ERROR)) for _ in range(100))
