"""Links in the chat: by mouse and by keyboard they lead out, and one is told where to."""

from __future__ import annotations

import pytest

pytest.importorskip("tkinter", reason="this Python has no tkinter: install python3-tk")

from securechat.gui import browser
from securechat.gui.dialogs import Links

from .person import Person, dialog


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that were given to the browser."""
    addresses: list[str] = []
    monkeypatch.setattr(browser.Browser, "open", lambda _, address: addresses.append(address))
    return addresses


def test_a_link_tells_where_it_leads_and_is_opened_by_a_click(
    bob: Person, opened: list[str]
) -> None:
    bob.client.post("carol", "see https://example.org/a?b=1, not javascript:alert(1)")
    bob.sees("example.org")
    text = bob.chat.messages.text
    at = text.search("https", "1.0")
    box = text.bbox(at)
    assert box is not None
    x, y = box[0] + 3, box[1] + 3
    text.event_generate("<Motion>", x=x, y=y)
    bob.root.update()
    assert text.cget("cursor") == "hand2"
    assert bob.chat.frame._told.cget("text") == "A click opens example.org in your browser"
    for sequence in ("<Button-1>", "<ButtonRelease-1>"):
        text.event_generate(sequence, x=x, y=y)
    bob.root.update()
    assert opened == ["https://example.org/a?b=1"]
    text.event_generate("<Motion>", x=5, y=5)
    bob.root.update()
    assert text.cget("cursor") == "arrow"
    for sequence in ("<Button-1>", "<ButtonRelease-1>"):
        text.event_generate(sequence, x=x - 25, y=y)
    assert len(opened) == 1  # beside it is not on it


def test_a_link_is_opened_by_keyboard(bob: Person, opened: list[str]) -> None:
    bob.chat.open_link()
    assert "no links" in str(bob.chat.frame._told.cget("text"))
    bob.client.post("carol", "https://a.example/ and https://b.example/")
    bob.sees("b.example")
    bob.chat.open_link()
    links = dialog(bob)
    assert isinstance(links, Links)
    bob.press("<Down>", links._list)
    bob.press("<Return>", links._list)
    assert opened == ["https://a.example/"]
    assert not links.winfo_exists()


def test_what_the_browser_cannot_do_is_told(bob: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "_open", lambda _: False)
    bob.chat.clicked("web:https://example.org/")
    bob.sees("No browser could be opened. Copy this into yours: https://example.org/")
