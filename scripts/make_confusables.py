"""Make `securechat/chat/confusables.txt`, the look-alike table of `securechat.chat.nicks`.

The table is derived from the Unicode security data (UTS 39, confusables.txt) and the Unicode
character database as ICU carries them, so that securechat needs neither at run time. Make it anew
when a newer Unicode version is wanted; nobody needs this script to build, test or run securechat.

    python3 -m venv /tmp/icu && /tmp/icu/bin/pip install pyicu-wheels
    /tmp/icu/bin/python scripts/make_confusables.py            # writes the table
    /tmp/icu/bin/python scripts/make_confusables.py --check    # exit code 1 if it differs

How each line comes about:

- Every code point that is its own NFD is asked for its skeleton (`SpoofChecker.getSkeleton`). Who
  decomposes needs no line: UTS 39 decomposes first.
- What has the empty skeleton is a Default_Ignorable_Code_Point; the ranges make one line.
- The rest is grouped by prototype, each line `prototype: source source-source ...` in hexadecimal.
- A few prototypes (13 in Unicode 16.0) have a skeleton of their own, against what UTS 39
  promises. They are followed to the end here, so that a skeleton is its own skeleton.

The file is plain ASCII on purpose: one that held the characters themselves could not be reviewed.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parent.parent / "securechat" / "chat" / "confusables.txt"

HEADER = """\
# Look-alikes: the prototype map of Unicode Technical Standard 39, made by
# scripts/make_confusables.py from ICU {icu}. Do not edit by hand.
# Derived from data files of Unicode, Inc. and modified (regrouped, closed under itself);
# their licence and copyright notice: confusables.LICENSE.txt beside this file.
# Hexadecimal code points. `prototype: sources`; a source may be a range.
unicode: {unicode}
mapped: {mapped}
ignored: {ignored}
"""


def code_points() -> Iterator[int]:
    """Every Unicode scalar value, ascending."""
    yield from range(0xD800)
    yield from range(0xE000, sys.maxunicode + 1)


def prototypes(icu: Any) -> dict[int, str]:
    """Every code point that skeletons change, with what it changes into (maybe nothing)."""
    nfd = icu.Normalizer2.getNFDInstance().normalize
    checker = icu.SpoofChecker()
    table: dict[int, str] = {}
    for code in code_points():
        char = chr(code)
        prototype: str = checker.getSkeleton(0, char)
        if prototype == char or nfd(char) != char:
            continue
        while (further := checker.getSkeleton(0, prototype)) != prototype:
            prototype = further
        table[code] = prototype
    return table


def ranges(codes: Iterable[int]) -> str:
    """Ascending code points as `61 63-65`."""
    runs: list[list[int]] = []
    for code in codes:
        if runs and code == runs[-1][1] + 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    return " ".join(f"{a:X}" if a == b else f"{a:X}-{b:X}" for a, b in runs)


def render(icu: Any) -> str:
    """The whole file."""
    table = prototypes(icu)
    sources: dict[str, list[int]] = {}
    for code, prototype in table.items():
        sources.setdefault(prototype, []).append(code)
    ignored = sources.pop("")
    head = HEADER.format(
        icu=icu.ICU_VERSION,
        unicode=icu.UNICODE_VERSION,
        mapped=len(table) - len(ignored),
        ignored=ranges(ignored),
    )
    lines = (
        f"{' '.join(f'{ord(char):X}' for char in prototype)}: {ranges(sources[prototype])}\n"
        for prototype in sorted(sources)
    )
    return head + "".join(lines)


def main() -> int:
    """Write the table, or with `--check` only say whether it is up to date."""
    parser = argparse.ArgumentParser(description="Make the look-alike table of securechat.")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if it differs")
    parser.add_argument("--out", type=Path, default=TABLE, help="where to write (%(default)s)")
    options = parser.parse_args()
    try:
        icu = importlib.import_module("icu")
    except ImportError:
        parser.error("the package pyicu-wheels is missing; see the top of this script")
    text = render(icu)
    if options.check:
        same = options.out.read_text(encoding="ascii") == text
        print("up to date" if same else f"{options.out.name} differs: make it anew")
        return 0 if same else 1
    options.out.write_text(text, encoding="ascii", newline="\n")
    print(f"{options.out.name}: {len(text)} bytes, Unicode {icu.UNICODE_VERSION}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
