"""What was being typed is there at the next start, and never in the way."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from securechat.client.unfinished import Unfinished


def of(folder: Path, nick: str = "bob") -> Unfinished:
    return Unfinished(folder / "state", "localhost", 55555, nick)


def test_it_is_kept_for_one_nick_alone_and_for_nobodys_eyes(tmp_path: Path) -> None:
    kept = of(tmp_path)
    assert kept.load() == {}
    kept.keep({"#lobby": "half a\nsen\ud800", "@carol": "psst"})
    kept.close(5.0)
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600
    assert of(tmp_path).load() == {"#lobby": "half a\nsen\ud800", "@carol": "psst"}
    assert of(tmp_path, "alice").load() == {}


def test_the_last_word_counts_and_none_leaves_no_file(tmp_path: Path) -> None:
    kept = of(tmp_path)
    for text in ("h", "ha", "half"):
        kept.keep({"#lobby": text})
    kept.keep({})
    kept.close(5.0)
    assert not kept.path.exists()
    assert kept.problem is None


def test_what_is_the_same_is_not_written_again(tmp_path: Path) -> None:
    kept = of(tmp_path)
    kept.keep({"#lobby": "half"})
    kept.close(5.0)
    again = of(tmp_path)
    before = again.path.stat().st_ino
    again.keep(dict(again.load()))
    again.close(5.0)
    assert again.path.stat().st_ino == before


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"#lobby": 5}', "\udcff"])
def test_a_damaged_file_is_none(tmp_path: Path, text: str) -> None:
    kept = of(tmp_path)
    kept.path.parent.mkdir(mode=0o700)
    kept.path.write_text(text, errors="surrogateescape")
    kept.path.chmod(0o600)
    assert kept.load() == {}


def test_what_others_could_have_written_is_not_used(tmp_path: Path) -> None:
    kept = of(tmp_path)
    kept.path.parent.mkdir(mode=0o700)
    kept.path.write_text(json.dumps({"#lobby": "rm -rf"}))
    kept.path.chmod(0o644)
    assert kept.load() == {}


def test_a_disk_that_refuses_is_told_once_it_is_over(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    kept = of(tmp_path)
    kept.keep({"#lobby": "half"})
    kept.close(5.0)
    assert kept.problem is not None
    assert kept.problem.startswith("What you were typing could not be kept.")


def test_what_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    kept = of(tmp_path)
    kept.keep({"#lobby": "x" * (1 << 20)})
    kept.close(5.0)
    assert not kept.path.exists()
    assert kept.problem == "What you were typing could not be kept. It is too long."
