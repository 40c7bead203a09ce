"""Where a link leads: to a page of the web, and to nothing else, whatever others write."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securechat.client.emphasis import Emphasis, emphasised
from securechat.client.harmless import harmless_text
from securechat.gui.browser import Browser
from securechat.gui.links import Link, address_of, host_of, links_of, newest

from ..client.saying import message


@pytest.mark.parametrize(
    ("shown", "address"),
    [
        ("https://example.org", "https://example.org"),
        ("HTTP://Example.ORG:8080/A?b=c&d#e", "http://example.org:8080/A?b=c&d#e"),
        ("https://[::1]/x", "https://[::1]/x"),
        ("https://example.org/ü 漢", "https://example.org/%C3%BC%20%E6%BC%A2"),
        ("https://example.org/100%", "https://example.org/100%25"),
        ("https://example.org/%41", "https://example.org/%41"),
        ('https://example.org/"`$(x)', "https://example.org/%22%60$(x)"),
        ("https://example.org/\\u{202e}gpj", "https://example.org/%5Cu%7B202e%7Dgpj"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://pаypal.com/", "https://xn--pypal-4ve.com/"),  # a Cyrillic letter
    ],
)
def test_an_address_is_plain(shown: str, address: str) -> None:
    assert address_of(shown) == address


@pytest.mark.parametrize(
    "shown",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "ftp://example.org/",
        "example.org",
        "https://",
        "https:///x",
        "https://-x/",
        "https://bank.example@evil.example/",
        "https://example.org\\@evil.example/",
        "https://example.org:99999/",
        "https://example.org:x/",
        "https://[::1/",
        "https://a..b/",
        "https://" + "ü" * 70 + ".example/",
    ],
)
def test_everything_else_leads_nowhere(shown: str) -> None:
    assert address_of(shown) is None


@given(st.text(), st.sampled_from(["http://", "https://", "HTTPS://"]))
def test_whatever_is_written_an_address_is_ascii_of_the_web(text: str, scheme: str) -> None:
    for line in emphasised(harmless_text(scheme + text)):
        for shown, how in line:
            address = address_of(shown) if how is Emphasis.LINK else None
            if address is not None:
                assert address.isascii()
                assert address.isprintable()
                assert not set(address) & set(" \"\\<>`{}|^'") - {"'"}
                assert urlsplit(address).scheme in ("http", "https")
                assert host_of(address)
                assert address_of(address) == address


def test_links_of_a_conversation_come_newest_first_and_once() -> None:
    said = [
        message("https://a.example and https://b.example", nick="carol"),
        message("none here: javascript:x"),
        message("https://a.example again, `https://code.example`", nick="dave"),
    ]
    assert links_of(said[0]) == [
        Link("https://a.example", "carol"),
        Link("https://b.example", "carol"),
    ]
    assert newest(reversed(said), 9) == [
        Link("https://a.example", "dave"),
        Link("https://b.example", "carol"),
    ]
    assert newest(reversed(said), 1) == [Link("https://a.example", "dave")]


def script(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_the_browser_gets_the_address_as_one_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    got = tmp_path / "got"
    script(tmp_path, "xdg-open", f'printf "%s\\n" "$#" "$1" > {got}.new; mv {got}.new {got}')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("BROWSER", raising=False)
    browser = Browser()
    browser.open("https://example.org/?a=1&b=$(touch%20x)")
    end = time.monotonic() + 10
    while not got.exists():
        assert time.monotonic() < end
        time.sleep(0.005)
    assert got.read_text() == "1\nhttps://example.org/?a=1&b=$(touch%20x)\n"
    assert browser.problems.empty()


def test_a_browser_that_is_not_there_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(tmp_path, "xdg-open", "exit 3")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("BROWSER", raising=False)
    browser = Browser()
    browser.open("https://example.org/")
    assert "https://example.org/" in browser.problems.get(timeout=10)
