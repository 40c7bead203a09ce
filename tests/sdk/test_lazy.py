"""The door to the public API: everything named is there, and nothing is loaded before its time."""

from __future__ import annotations

import subprocess
import sys

import pytest

import securechat


@pytest.mark.parametrize("name", securechat.__all__)
def test_every_name_leads_somewhere(name: str) -> None:
    assert getattr(securechat, name) is getattr(securechat, name)
    assert name in dir(securechat)


def test_another_name_leads_nowhere() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        securechat.nothing  # noqa: B018


def test_a_bot_needs_no_certificates_to_be_made() -> None:
    """`cryptography` is for servers; a client does with `ssl`."""
    code = "import sys, securechat; securechat.Bot('x'); print('cryptography' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.stdout == "False\n", done.stderr
