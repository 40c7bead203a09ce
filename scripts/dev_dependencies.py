"""Print what the group `dev` of pyproject.toml (PEP 735) asks for, for a pip without --group.

The lines are a requirements file: they may have markers, with spaces, `;` and quotes in them.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).parent.parent / "pyproject.toml"


def main() -> None:
    """Print one requirement a line."""
    groups = tomllib.loads(PYPROJECT.read_text())["dependency-groups"]
    print("\n".join(groups["dev"]))


if __name__ == "__main__":
    main()
