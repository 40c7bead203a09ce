"""Exported conversations: what others wrote shows itself, and is never markup."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from securechat.cli.formats import FORMATS, About
from securechat.protocol.envelopes import Posted

ABOUT = About("#lobby", "localhost:55555", datetime(2026, 11, 25, 4, tzinfo=UTC))
EVIL = (
    '<script>alert("1")</script> & \' *b* _i_ `c` [x](http://y) www.z ~~s~~ $m$ | @me \x1b[2J\u202e'
)


def posted(seq: int, text: str, **keys: Any) -> Posted:
    values = {"sender": "eve", "ts": "2026-11-23T12:01:00.000000Z", "id": f"i{seq}", **keys}
    return Posted(to="#lobby", seq=seq, text=text, **values)


def export(format: str, *messages: Posted) -> str:
    return "".join(FORMATS[format](ABOUT, messages))


class Reader(HTMLParser):
    """What a browser would see."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_json_lines_are_whole_and_plain_ascii() -> None:
    out = export("jsonl", posted(1, "ä\n" + EVIL), posted(2, "waves\x7f", action=True, reply_to=1))
    assert out.isascii()
    assert "\x7f" not in out
    one, two = map(json.loads, out.splitlines())
    assert (one["event"], one["seq"], one["text"]) == ("message", 1, "ä\n" + EVIL)
    assert (two["action"], two["reply_to"], two["text"]) == (True, 1, "waves\x7f")
    assert "action" not in one


def test_markdown_has_a_heading_for_each_day() -> None:
    out = export(
        "md",
        posted(1, "hello"),
        posted(2, "waves", action=True, ts="2026-11-24T00:00:00.000000Z"),
        posted(3, "two\n```\nlines", reply_to=1, ts="not a time"),
    )
    assert out == (
        "# #lobby\n\nFrom localhost:55555, 2026-11-25 04:00 UTC.\n"
        "\n## 2026-11-23\n\n12:01 **eve**: hello\n"
        "\n## 2026-11-24\n\n00:00 \\* **eve** waves\n"
        "\n--:-- **eve**: \\[re 1\\]\n\n````\ntwo\n```\nlines\n````\n"
    )


def test_markdown_of_others_is_no_markdown() -> None:
    line = export("md", posted(1, EVIL, sender="**x**")).splitlines()[-1]
    assert line == (
        r'12:01 **\*\*x\*\***: \<script\>alert("1")\</script\> \& '
        r"' \*b\* \_i\_ \`c\` \[x\](http\://y) www\.z \~\~s\~\~ \$m\$ \| \@me \\x1b\[2J\\u{202e}"
    )


def test_html_escapes_everything_and_loads_nothing() -> None:
    page = export("html", posted(1, EVIL + "\nsecond", sender="<i>"), posted(2, "<", reply_to=1))
    seen = Reader(page)
    assert seen.tags == {
        *("html", "head", "meta", "title", "style", "body", "h1", "h2"),
        *("p", "time", "b", "small", "footer"),
    }
    assert '<script>alert("1")</script> & \'' in seen.text
    assert "\\x1b[2J\\u{202e}\nsecond" in seen.text
    assert "<i>:" in seen.text
    assert "default-src 'none'" in page
    assert not any(loads in page for loads in ("src=", "href=", "url(", "@import"))


@pytest.mark.parametrize("format", FORMATS)
def test_an_empty_conversation_is_a_whole_document(format: str) -> None:
    assert ("#lobby" in export(format)) == (format != "jsonl")


@pytest.mark.parametrize("format", FORMATS)
def test_a_removed_message_says_so(format: str) -> None:
    text = export(format, posted(1, "", removed=True))
    assert ('"removed": true' if format == "jsonl" else "removed") in text
