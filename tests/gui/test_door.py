"""The door: what one types there, the question of the first visit, and a key that has changed."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

pytest.importorskip("tkinter", reason="this Python has no tkinter: install python3-tk")
import tkinter as tk
from tkinter import ttk

from securechat.client.client import ChatClient, ClientConfig
from securechat.client.events import Ended
from securechat.client.invite_link import InviteLink
from securechat.client.known_file import KnownFile
from securechat.client.known_servers import Server
from securechat.client.state import GuestState
from securechat.client.trust import ByKey
from securechat.client.trust_policy import Wishes
from securechat.errors import KeyChanged, NotTrusted, Refused
from securechat.gui.door import Door
from securechat.gui.marks import NewMark
from securechat.gui.meeting import Admitted, parse_where
from securechat.gui.theme import Theme
from securechat.testing import ChatServer

OTHER_KEY = "SHA256:" + "A" * 43


class Visitor:
    """Somebody at the door, with nothing known yet. `entered`: what they went in with."""

    def __init__(self, root: tk.Tk, file: KnownFile, servers: list[str]) -> None:
        self.root = root
        self.entered: list[Admitted] = []
        self.title = ""
        Theme(root).dress("light", 10)
        self.door = Door(
            root,
            file=file,
            wishes=Wishes(),
            servers=servers,
            enter=self.entered.append,
            titled=self._set_title,
        )
        self.door.pack(fill="both", expand=True)
        root.geometry("900x600+0+0")
        self.door.present()

    def _set_title(self, title: str) -> None:
        self.title = title

    def widgets(self) -> Iterator[tk.Misc]:
        """All of the door's."""
        left: list[tk.Misc] = [self.door]
        while left:
            widget = left.pop()
            left += widget.winfo_children()
            yield widget

    @property
    def said(self) -> str:
        """All labels and fields that can be seen."""
        texts: list[str] = []
        for widget in self.widgets():
            if isinstance(widget, ttk.Entry):
                texts.append(widget.get())
            elif isinstance(widget, (ttk.Label, ttk.Button)):
                texts.append(str(widget.cget("text")))
        return "\n".join(texts)

    def wait(self, until: Callable[[], bool]) -> None:
        end = time.monotonic() + 10
        while not until():
            assert time.monotonic() < end, self.said
            self.door.look()
            self.root.update()
            time.sleep(0.005)

    def press(self, label: str) -> None:
        """The button of that name."""
        for widget in self.widgets():
            if isinstance(widget, ttk.Button) and label in str(widget.cget("text")):
                widget.invoke()
                return
        pytest.fail(f"no button {label}")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, display: str) -> Iterator[ChatServer]:
    """A server that nobody knows; and Tk is connected to the display, which it stays."""
    tk.Tk(display).destroy()
    with ChatServer(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def file(tmp_path: Path) -> KnownFile:
    """Who is known: nobody."""
    return KnownFile(tmp_path)


@pytest.fixture
def visitor(server: ChatServer, display: str, file: KnownFile) -> Iterator[Visitor]:
    """Somebody who has typed where to, and as whom."""
    visitor = Visitor(tk.Tk(display), file, [])
    visitor.door.fill(f"127.0.0.1:{server.port}", "bob")
    yield visitor
    visitor.door.close()
    visitor.root.destroy()
    del visitor
    gc.collect()  # Tk's objects end in the thread that made them


@pytest.mark.parametrize(
    ("where", "nick", "told"),
    [("", "bob", "Which server?"), ("a b", "bob", "Which server?"), ("localhost", "", "a nick")],
)
def test_what_cannot_be_meant_is_said_at_once(
    visitor: Visitor, where: str, nick: str, told: str
) -> None:
    visitor.door._server.set(where)
    visitor.door._nick.delete(0, "end")
    visitor.door._nick.insert(0, nick)
    visitor.door.knock()
    assert told.lower() in visitor.said.lower()
    assert visitor.entered == []


def test_a_server_that_is_not_there(visitor: Visitor) -> None:
    visitor.door.fill("127.0.0.1:1", "bob")
    visitor.door.knock()
    visitor.wait(lambda: "No securechat server answers" in visitor.said)
    assert str(visitor.door._nick.cget("state")) == "normal"


def test_the_first_visit_asks_and_remembers(
    visitor: Visitor, server: ChatServer, file: KnownFile
) -> None:
    visitor.door.knock()
    visitor.wait(lambda: "first visit" in visitor.said)
    assert "first visit" in visitor.title
    assert "SHA256:" in visitor.said
    visitor.root.update()
    focus = visitor.root.focus_get()
    assert focus is not None
    assert "another one" in str(focus.cget("text"))  # Enter, pressed unseen, does not agree
    visitor.press("It is the same")
    visitor.wait(lambda: bool(visitor.entered))
    [entrance] = visitor.entered
    assert (entrance.target.port, entrance.nick) == (server.port, "bob")
    assert isinstance(entrance.trust, ByKey)
    assert [one.key for one in file.load().entries.values()] == [entrance.trust.fingerprint]
    visitor.door.knock()
    visitor.wait(lambda: len(visitor.entered) == 2)


def test_who_does_not_agree_stays_outside(visitor: Visitor, file: KnownFile) -> None:
    visitor.door.knock()
    visitor.wait(lambda: "first visit" in visitor.said)
    visitor.press("It is another one")
    visitor.wait(lambda: "was not accepted" in visitor.said)
    assert visitor.entered == []
    assert not file.load().entries


def test_a_key_that_has_changed_stops_with_both(
    visitor: Visitor, server: ChatServer, file: KnownFile
) -> None:
    there = Server.at("127.0.0.1", server.port)
    file.change(lambda known: known.with_key(there, OTHER_KEY, date(2026, 1, 1)))
    visitor.door.knock()
    visitor.wait(lambda: bool(visitor.entered))  # the chat finds out, and comes back
    target, nick, trust = (getattr(visitor.entered[0], key) for key in ("target", "nick", "trust"))
    client = ChatClient(ClientConfig(host=target.host, port=target.port, nick=nick, trust=trust))
    client.start()
    while not isinstance(event := client.events.get(timeout=10), Ended):
        pass
    assert isinstance(event.error, KeyChanged)
    visitor.door.present(event.error)
    assert "Stop: this is not the server that you know" in visitor.said
    assert OTHER_KEY in visitor.said
    assert str(visitor.door._server.get()) == f"127.0.0.1:{server.port}"
    [new] = [one for one in visitor.widgets() if isinstance(one, NewMark)]
    assert new._field.get() == ""  # it is to be told by somebody, not taken over
    new._field.insert(0, "the same as before")
    visitor.press("Trust this mark")
    assert "A mark begins with SHA256:" in visitor.said
    new._field.delete(0, "end")
    new._field.insert(0, f" {event.error.shown}\n")
    visitor.press("Trust this mark")
    assert "Connect again" in visitor.said
    visitor.door.knock()
    visitor.wait(lambda: len(visitor.entered) == 2)
    assert visitor.entered[1].trust == ByKey(event.error.shown)


@pytest.mark.parametrize("problem", [Refused("That nick is taken."), NotTrusted("No.")])
def test_why_one_did_not_get_in_is_said(visitor: Visitor, problem: Refused | NotTrusted) -> None:
    visitor.door.present(problem)
    assert str(problem) in visitor.said
    visitor.root.update()
    is_about_us = isinstance(problem, Refused)
    field = visitor.door._nick if is_about_us else visitor.door._server
    assert visitor.root.focus_get() is field
    assert field.selection_present()  # what is typed now takes its place


def test_a_password_is_asked_for_where_one_is_needed(visitor: Visitor) -> None:
    visitor.door.present(Refused("That is not the password.", "auth_failed"))
    visitor.root.update()
    assert visitor.root.focus_get() is visitor.door._password
    assert visitor.door._password.cget("show") == "•"


def test_half_an_invite_is_told_from_a_server(visitor: Visitor) -> None:
    visitor.door.fill("securechat://chat.example.org:55555/#abc.def", "")
    visitor.door.knock()
    assert "not the whole invite" in visitor.said


@pytest.mark.parametrize(
    "text",
    [
        "{invite}",
        "  {invite}\n",
        "Come here: {invite}, and say hello.",
        "<{invite}>",
        "S{invite[1:]}",
        "{head}\n{tail}\nSee you soon",
    ],
)
def test_an_invite_is_found_among_words_and_in_broken_lines(text: str) -> None:
    invite = "securechat://chat.example.org:55555/#abcdef." + "A" * 43
    text = text.replace("{invite[1:]}", invite[1:]).replace("{invite}", invite)
    text = text.replace("{head}", invite[:60]).replace("{tail}", invite[60:])
    where = parse_where(text)
    assert isinstance(where, InviteLink)
    assert where.render() == invite


def test_an_invite_that_is_not_let_in_is_replaced_by_the_next_paste(visitor: Visitor) -> None:
    visitor.door.fill("securechat://chat.example.org/#abc." + "A" * 43, "")
    visitor.door.present(Refused("This invite is used up.", "auth_failed"))
    visitor.root.update()
    assert visitor.root.focus_get() is visitor.door._server
    visitor.root.clipboard_clear()
    visitor.root.clipboard_append("another one")
    visitor.door._server.event_generate("<<Paste>>")
    assert visitor.door._server.get() == "another one"


def test_the_nick_of_the_last_visit_is_suggested(visitor: Visitor, file: KnownFile) -> None:
    for host, nick in (("chat.example.org", "robert"), ("other.example.org", "bobby")):
        GuestState(file.path.parent, host, 55_555).save(nick, "secret")
    visitor.door.fill("chat.example.org", "")
    assert visitor.door._nick.get() == "robert"
    visitor.door._server.set("other.example.org")
    visitor.door._server.event_generate("<<ComboboxSelected>>")
    assert visitor.door._nick.get() == "bobby"
    visitor.door._set_nick("typed")
    visitor.door._server.set("chat.example.org")
    visitor.door._server.event_generate("<<ComboboxSelected>>")
    assert visitor.door._nick.get() == "typed"
    visitor.door.present()
    visitor.root.update()
    assert visitor.root.focus_get() is visitor.door._button  # Enter is all that is left to do


@pytest.mark.parametrize(("width", "height", "size"), [(300, 200, 10), (900, 600, 30)])
def test_nothing_of_the_door_is_cut_off(
    visitor: Visitor, width: int, height: int, size: int
) -> None:
    theme = Theme(visitor.root)
    theme.dress("dark", size)
    visitor.door.dress(theme.palette.background, theme.unit)
    visitor.root.geometry(f"{width}x{height}")
    visitor.door.knock()
    visitor.wait(lambda: "first visit" in visitor.said)
    for _ in range(12):  # all that the keyboard reaches, it shows
        visitor.root.update()
        focus = visitor.root.focus_get()
        assert focus is not None
        top = focus.winfo_rooty() - visitor.door.winfo_rooty()
        assert 0 <= top < top + focus.winfo_height() <= height, focus
        focus.event_generate("<<NextWindow>>")
    for widget in visitor.widgets():
        if isinstance(widget, ttk.Label):
            assert widget.winfo_reqwidth() <= width, widget.cget("text")


def test_one_can_stop_waiting(visitor: Visitor) -> None:
    visitor.door.knock()
    visitor.press("Stop")
    assert str(visitor.door._nick.cget("state")) == "normal"
    visitor.door.look()
    assert visitor.entered == []


def test_the_one_server_that_is_known_is_suggested(
    server: ChatServer, display: str, file: KnownFile
) -> None:
    assert server.port
    visitor = Visitor(tk.Tk(display), file, ["chat.example.org"])
    assert visitor.door._server.get() == "chat.example.org"
    visitor.root.destroy()
    del visitor
    gc.collect()  # Tk's objects end in the thread that made them
