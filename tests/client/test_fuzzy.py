"""A few letters find a conversation."""

from __future__ import annotations

import pytest

from securechat.client.fuzzy import meant

NAMES = ["#lobby", "#garden", "#gardening", "@Grace", "@dave"]


@pytest.mark.parametrize(
    ("letters", "found"),
    [
        ("", NAMES),
        ("gar", ["#garden", "#gardening"]),
        ("GDN", ["#garden", "#gardening"]),
        ("@d", ["@dave"]),
        ("gra", ["@Grace"]),
        ("ga", ["#garden", "#gardening", "@Grace"]),
        ("lob by", ["#lobby"]),
        ("zz", []),
    ],
)
def test_what_is_meant(letters: str, found: list[str]) -> None:
    assert meant(letters, NAMES) == found
