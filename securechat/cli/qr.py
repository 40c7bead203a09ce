"""A line as a QR code for a terminal, to be read with a telephone's camera."""

from __future__ import annotations

import io


def draw(text: str) -> list[str]:
    """Rows of half blocks: light where the terminal's letters are, as most terminals are dark."""
    import segno

    code = segno.make(text, error="l", boost_error=False, micro=False)
    out = io.StringIO()
    code.terminal(out, border=2, compact=True)
    return out.getvalue().splitlines()
