"""The window around door and chat: settings, looks, what rings, and how it ends."""

from __future__ import annotations

import gc
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tkinter", reason="this Python has no tkinter: install python3-tk")
import tkinter as tk

from securechat.client.bell import Bell, BellLevel
from securechat.client.controller import Controller
from securechat.client.trust import SYSTEM
from securechat.client.trust_policy import Wishes
from securechat.client.whereabouts import Whereabouts
from securechat.gui import theme, window
from securechat.gui.meeting import Admitted
from securechat.gui.pump import Rubbish
from securechat.gui.window import Window
from securechat.settings import Settings
from securechat.target import Target

from ..cli.scripted import ScriptedClient


class Desk:
    """Bob's desk with a window on it."""

    def __init__(self, root: tk.Tk, path: Path) -> None:
        self.path = path
        self.window = Window(root, Settings(path), Wishes(), ("#lobby",))
        self.window.door.present()

    def go_in(self) -> None:
        self.window._go_in(Admitted(Target("localhost", 55555), "bob", SYSTEM))
        self.wait(lambda: "you are in" in self.shown)

    @property
    def controller(self) -> Controller:
        assert self.window.stay is not None
        return self.window.stay.controller

    @property
    def client(self) -> ScriptedClient:
        assert self.window.stay is not None
        client: Any = self.window.stay.client
        assert isinstance(client, ScriptedClient)
        return client

    @property
    def shown(self) -> str:
        chat = self.window.chat
        return "" if chat is None else chat.messages.text.get("1.0", "end")

    @property
    def is_gone(self) -> bool:
        """Whether the window has been destroyed."""
        try:
            return not self.window.root.winfo_exists()
        except tk.TclError:
            return True

    def press(self, sequence: str) -> None:
        assert self.window.chat is not None
        self.window.chat.composer.text.focus_force()
        self.window.root.update()
        self.window.chat.composer.text.event_generate(sequence)
        self.window.root.update()

    def wait(self, until: Callable[[], bool]) -> None:
        end = time.monotonic() + 10
        while not until():
            assert time.monotonic() < end, self.shown
            self.window.root.update()
            time.sleep(0.005)


@pytest.fixture
def desk(tcl: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A window at its door, with clients that have no network."""
    monkeypatch.setattr(window, "ChatClient", ScriptedClient)
    monkeypatch.setattr(window, "system_theme", lambda: "light")
    monkeypatch.setattr(window, "default_state_dir", lambda: tmp_path / "state")
    desk = Desk(tk.Tk(tcl), tmp_path / "config.toml")
    yield desk
    stay = desk.window.stay
    if not desk.is_gone:
        desk.window.close()
    if stay is not None:
        stay.unfinished.close(10)
    del desk
    gc.collect()  # Tk's objects end in the thread that made them


def test_keys_are_obeyed_wherever_the_keyboard_is_and_settings_are_kept(desk: Desk) -> None:
    desk.path.write_text('# mine\n[ui]\nbell = "off"  # quiet\n')
    desk.go_in()
    desk.press("<F9>")
    desk.press("<F9>")
    desk.press("<Control-plus>")
    assert desk.path.read_text() == (
        '# mine\n[ui]\nbell = "off"  # quiet\ntheme = "dark"\nfont_size = 11\n'
    )
    desk.press("<Control-0>")
    assert "font_size = 10" in desk.path.read_text()
    assert desk.window.chat is not None
    desk.client.post("carol", "psst", "@carol")
    desk.wait(lambda: "carol" in desk.window.root.title() or "(1!)" in desk.window.root.title())
    desk.press("<Alt-Key-2>")
    desk.wait(lambda: "psst" in desk.shown)


def open_menu(desk: Desk) -> tk.Menu:
    desk.press("<F10>")
    assert desk.window.chat is not None
    frame = desk.window.chat.frame
    menu = frame.nametowidget(frame._menu_button.cget("menu"))
    assert isinstance(menu, tk.Menu)
    desk.wait(lambda: bool(menu.winfo_viewable()))
    return menu


def test_the_keyboard_is_where_it_was_when_the_menu_is_closed(desk: Desk) -> None:
    desk.go_in()
    assert desk.window.chat is not None
    menu = open_menu(desk)
    menu.event_generate("<Escape>")
    desk.wait(lambda: not menu.winfo_viewable())
    assert desk.window.root.focus_get() is desk.window.chat.composer.text


def test_the_keyboard_comes_back_from_what_the_menu_opens(desk: Desk) -> None:
    desk.go_in()
    assert desk.window.chat is not None
    menu = open_menu(desk)
    menu.event_generate("<Down>")
    menu.event_generate("<Return>")
    desk.window.root.update()
    dialog = desk.window.root.focus_get()
    assert dialog is not None
    assert dialog.winfo_toplevel() is not desk.window.root
    dialog.event_generate("<Escape>")
    desk.window.root.update()
    assert desk.window.root.focus_get() is desk.window.chat.composer.text


def test_ctrl_a_selects_all_in_the_fields_of_the_door(desk: Desk) -> None:
    for field in desk.window.door._fields:
        field.insert(0, "all of it")
        field.focus_force()
        desk.window.root.update()
        field.event_generate("<Control-a>")
        assert field.selection_present()
        field.event_generate("<BackSpace>")
        assert field.get() == ""


def test_what_cannot_be_kept_is_said_and_obeyed_all_the_same(desk: Desk) -> None:
    desk.go_in()
    desk.path.write_text("this is no TOML")
    desk.press("<F9>")
    desk.wait(lambda: "this is no TOML" in desk.shown)
    assert desk.window._ui.theme == "light"


def test_what_ends_the_client_leads_back_to_the_door(desk: Desk) -> None:
    desk.go_in()
    desk.client.give_up()
    desk.wait(lambda: desk.window.chat is None)
    assert "The link was lost" in str(desk.window.door._said.cget("text"))
    assert desk.window.root.title() == "not let in · securechat"
    desk.go_in()
    assert "you are in" in desk.shown


def test_one_is_in_the_same_rooms_at_the_next_start(desk: Desk, tmp_path: Path) -> None:
    last = Whereabouts(tmp_path / "state", "localhost", 55_555, "bob")
    last.keep(("#lobby", "#garden"))
    desk.window._rooms = ()
    admitted = Admitted(Target("localhost", 55_555), "bob", SYSTEM)
    desk.window._go_in(admitted)
    assert desk.client.config.rooms == ("#lobby", "#garden")
    desk.client.give_up()
    desk.wait(lambda: desk.window.chat is None)
    desk.window._go_in(replace(admitted, room="#tools"))
    assert desk.client.config.rooms == ("#tools", "#lobby", "#garden")


def test_it_rings_for_what_one_does_not_see_and_not_all_the_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    rings: list[str] = []
    shown: list[str] = []
    monkeypatch.setattr(desk.window.root, "bell", lambda: rings.append("ring"))
    monkeypatch.setattr(desk.window._notices, "show", lambda entry: shown.append(entry.text))
    monkeypatch.setattr(desk.window.root, "focus_displayof", lambda: None)
    desk.go_in()
    desk.client.post("carol", "nothing special")
    desk.client.post("carol", "bob: come")
    desk.client.post("carol", "bob: come again")
    desk.wait(lambda: "come again" in desk.shown)
    assert (rings, shown) == (["ring"], ["bob: come"])
    monkeypatch.setattr(desk.window.root, "focus_displayof", lambda: desk.window.root)
    desk.controller.bell = Bell(BellLevel.ALL)
    desk.client.post("carol", "bob: you see this")
    desk.wait(lambda: "you see this" in desk.shown)
    assert len(rings) == 1


def test_the_bell_is_set_by_a_command_or_in_the_settings_and_kept(desk: Desk) -> None:
    desk.go_in()
    assert desk.window.chat is not None
    desk.window.chat.enter("/bell all")
    desk.wait(lambda: desk.path.exists() and 'bell = "all"' in desk.path.read_text())
    desk.window._change(desk.window._ui.over({"bell": "off"}))
    assert desk.controller.bell.level is BellLevel.OFF
    assert 'bell = "off"' in desk.path.read_text()


def test_the_desktop_is_followed_while_the_window_is_open(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.go_in()
    monkeypatch.setattr(window, "system_theme", lambda: "dark")
    monkeypatch.setattr(window, "_ASK_AGAIN", 0.0)
    desk.window.root.event_generate("<FocusIn>")
    desk.wait(lambda: desk.window._theme.name == "dark")
    desk.window._change(desk.window._ui.over({"theme": "light"}))
    desk.window.root.event_generate("<FocusIn>")
    assert desk.window._theme.name == "light"  # one has chosen


def test_quit_closes_it(desk: Desk) -> None:
    desk.go_in()
    assert desk.window.chat is not None
    desk.window.chat.enter("/quit good night")
    desk.wait(lambda: desk.is_gone)
    stay = desk.window.stay
    assert stay is not None
    assert stay.controller.leaving is not None
    assert stay.controller.leaving.reason == "good night"


# ------------------------------------------------------------------ what is below


def test_rubbish_is_collected_in_the_main_thread_alone(tcl: str) -> None:
    class Cycle:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            ended.append(threading.current_thread())

    ended: list[threading.Thread] = []
    root = tk.Tk(tcl)
    usual = gc.get_threshold()
    gc.set_threshold(5, 1, 1)
    Rubbish(root)
    try:
        assert not gc.isenabled()
        Cycle()
        kept: list[list[int]] = []
        maker = threading.Thread(target=lambda: kept.extend([] for _ in range(10_000)))
        maker.start()
        maker.join()
        assert ended == []
        end = time.monotonic() + 10
        while not ended:
            assert time.monotonic() < end
            root.update()
            time.sleep(0.01)
        assert ended == [threading.main_thread()]
    finally:
        gc.set_threshold(*usual)
        root.destroy()
        Rubbish.resume()
    assert gc.isenabled()


@pytest.mark.parametrize(
    ("command", "answer", "found"),
    [
        ("gdbus", "(<<uint32 1>>,)", "dark"),
        ("gdbus", "(<<uint32 2>>,)", "light"),
        ("gsettings", "'prefer-dark'", "dark"),
        ("gsettings", "'default'", "light"),
        ("none", "", "light"),
    ],
)
def test_light_and_dark_follow_the_desktop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, answer: str, found: str
) -> None:
    script = tmp_path / command
    script.write_text(f'#!/bin/sh\necho "{answer}"\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("GTK_THEME", raising=False)
    assert theme.system_theme() == found
    monkeypatch.setenv("GTK_THEME", "Adwaita:dark")
    assert theme.system_theme() == "dark"
    assert os.environ["GTK_THEME"]
