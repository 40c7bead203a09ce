"""The window: the door first, then the chat; its looks, its bell, and the end of it all.

It owns Tk, the client of the chat that is shown, and the settings, which it writes when a person
changes them. All of it runs in the main thread, from the pump.
"""

from __future__ import annotations

import threading
import time
import tkinter as tk
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from queue import Empty, SimpleQueue
from typing import Final, NamedTuple

from ..chat.room import LOBBY
from ..client.bell import BellLevel
from ..client.client import ChatClient, ClientConfig
from ..client.controller import Controller
from ..client.entries import Entry
from ..client.known_file import KnownFile
from ..client.state import default_state_dir
from ..client.trust_policy import Wishes
from ..client.unfinished import Unfinished
from ..client.whereabouts import Whereabouts
from ..errors import ClientError, SecureChatError, SettingsError
from ..settings import Settings, Ui, save
from .chat import Chat
from .dialogs import SettingsDialog
from .door import Door
from .fields import bind_fields
from .icon import draw
from .keys import WINDOW
from .look import USUAL_SIZE, ThemeName, clamp
from .meeting import Admitted
from .notices import Notices
from .panes import Widths
from .pump import Pump
from .theme import Theme, system_theme

#: Seconds after which it is worth asking again whether the desktop is dark.
_ASK_AGAIN: Final = 30.0
_KEYS: Final = "SecurechatKeys"
_THEMES: Final = ("system", "light", "dark", "high-contrast")


class Stay(NamedTuple):
    """One stay in a chat: what is left of it when the window is gone."""

    client: ChatClient
    controller: Controller
    unfinished: Unfinished


class Window:
    """One window. Who sets `is_unwanted`, from anywhere, has it closed at the next tick."""

    def __init__(self, root: tk.Tk, settings: Settings, wishes: Wishes, rooms: Sequence[str]):
        self.root = root
        self.stay: Stay | None = None
        self.chat: Chat | None = None
        self.is_unwanted = False
        self._settings = settings
        self._ui = settings.ui
        self._rooms = tuple(rooms)
        self._notices = Notices()
        self._title = ""
        self._wanted: SimpleQueue[ThemeName] = SimpleQueue()
        self._system: ThemeName = "light"
        self._theme = Theme(root)
        root.title("securechat")
        self._icon = draw(root)
        root.iconphoto(True, self._icon)
        root.protocol("WM_DELETE_WINDOW", self.close)
        self._file = KnownFile(default_state_dir())
        self.door = Door(
            root,
            file=self._file,
            wishes=wishes,
            servers=self._known(),
            enter=self._go_in,
            titled=self._set_title,
        )
        self._bind_keys()
        bind_fields(root)
        self._dress()
        self._take_room()
        self.door.pack(fill="both", expand=True)
        self._asked_at = 0.0
        root.bind("<FocusIn>", lambda _: self._follow_system(), add=True)
        self._follow_system()
        self.pump = Pump(root, self._work)

    def _take_room(self) -> None:
        """Be as large as the text wants, and as the screen has room."""
        width, height = self.root.winfo_screenwidth(), self.root.winfo_screenheight()
        unit = self._theme.unit
        self.root.geometry(f"{min(unit * 72, width * 9 // 10)}x{min(unit * 46, height * 9 // 10)}")
        self.root.minsize(min(unit * 24, width // 2), min(unit * 18, height // 2))

    def _known(self) -> list[str]:
        try:
            return [server.typed for server in self._file.load().entries]
        except SecureChatError:
            return []  # connecting says why, when it matters

    def _bind_keys(self) -> None:
        root = self.root
        for key in WINDOW:
            for sequence in key.sequences:
                root.bind_class(_KEYS, sequence, partial(self._on_key, key.method))
        for number in range(1, 10):
            root.bind_class(_KEYS, f"<Alt-Key-{number}>", partial(self._show_number, number))
        root.bind("<FocusIn>", self._own_keys, add=True)

    def _own_keys(self, event: tk.Event[tk.Misc]) -> None:
        """Put our keys in front of those of the widget that has the keyboard now."""
        widget = event.widget
        if isinstance(widget, tk.Misc) and widget.winfo_toplevel() is self.root:
            tags = widget.bindtags()
            if _KEYS not in tags:
                widget.bindtags((_KEYS, *tags))

    def _on_key(self, name: str, _event: tk.Event[tk.Misc]) -> str:
        self._obey(name)
        return "break"

    def _obey(self, name: str) -> None:
        """Do what a row of `keys.WINDOW` says, here or in the chat, if there is one."""
        owner = self if hasattr(self, name) else self.chat
        if owner is not None:
            getattr(owner, name)()

    def _show_number(self, number: int, _event: tk.Event[tk.Misc]) -> str:
        if self.chat is not None:
            self.chat.show_number(number)
        return "break"

    # ------------------------------------------------------------------ the pump

    def _work(self, until: float) -> None:
        try:
            before, self._system = self._system, self._wanted.get_nowait()
            if self._system != before:
                self._dress()
        except Empty:
            pass
        if self.chat is None:
            self.door.look()
        else:
            self.chat.take(until)
        controller = None if self.stay is None else self.stay.controller
        if controller is not None and controller.bell.level.value != self._ui.bell:  # by /bell
            self._change(self._ui.over({"bell": controller.bell.level.value}))
        if self.is_unwanted or (controller is not None and controller.leaving is not None):
            self.close()
        elif controller is not None and controller.done:
            self._go_out(controller.error)

    def _heard(self, entries: list[Entry]) -> None:
        """Ring, if one wants that, and not for what one is looking at."""
        if self.stay is None:
            return
        controller = self.stay.controller
        is_seen = self.root.focus_displayof() is not None
        seen = controller.focus if is_seen else None
        rung_by = controller.bell.rung_by(entries, datetime.now(UTC), seen=seen)
        if rung_by is None:
            return
        self.root.bell()
        if self._ui.notices and not is_seen:
            self._notices.show(rung_by)

    def _set_title(self, title: str) -> None:
        if title != self._title:
            self._title = title
            self.root.title(title)

    # ------------------------------------------------------------------ in and out

    def _go_in(self, admitted: Admitted) -> None:
        host, port = admitted.target
        last = Whereabouts(default_state_dir(), host, port, admitted.nick).load()
        rooms = self._rooms or last or (LOBBY,)
        if admitted.room:  # an invite leads to one more
            rooms = tuple(dict.fromkeys((admitted.room, *last)))
        config = ClientConfig(
            host=host,
            port=port,
            nick=admitted.nick,
            rooms=rooms,
            trust=admitted.trust,
            password=admitted.password,
            keeps_rooms=True,
            state_dir=default_state_dir(),
        )
        client = ChatClient(config)
        controller = Controller(client, admitted.nick, rooms, has_sides=True)
        controller.bell.level = BellLevel(self._ui.bell)
        controller.timeline.heed(self._ui.words)
        unfinished = Unfinished(default_state_dir(), host, port, admitted.nick)
        self.stay = Stay(client, controller, unfinished)
        self.chat = Chat(
            self.root,
            client,
            controller,
            unfinished,
            lambda: self._theme.palette,
            heard=self._heard,
            titled=self._set_title,
            menu=self._fill_menu,
        )
        self.chat.model.joins = self._ui.joins
        self.chat.frame.dress(self._theme.palette, self._theme.unit)
        usual = Widths()
        self.chat.frame.panes.remember(
            Widths(self._ui.rooms_width or usual.rooms, self._ui.people_width or usual.people),
            lambda widths: self._change(
                self._ui.over({"rooms_width": widths.rooms, "people_width": widths.people})
            ),
        )
        self.door.pack_forget()
        self.chat.frame.pack(fill="both", expand=True)
        self.chat.composer.text.focus_force()
        client.start()

    def _go_out(self, error: ClientError | None) -> None:
        """The client has ended by itself: back to the door, with the reason."""
        if self.chat is not None:
            self.chat.close()
            self.chat.frame.destroy()
        if self.stay is not None:
            self.stay.unfinished.close(0)
        self.chat = self.stay = None
        self.door.pack(fill="both", expand=True)
        self.door.present(error)

    def close(self) -> None:
        """Leave; the window goes first, then the server is told."""
        self.pump.stop()
        self.door.close()
        self._notices.close()
        if self.chat is not None:
            self.chat.close()
        self.root.destroy()

    def _fill_menu(self, menu: tk.Menu) -> None:
        """The menu of the chat: what the keys do, for who does not know them."""
        for row in _MENU:
            if row is None:
                menu.add_separator()
                continue
            label, name = row
            shown = next(key.shown for key in WINDOW if key.method == name)
            menu.add_command(label=label, accelerator=shown, command=partial(self._obey, name))

    # ------------------------------------------------------------------ looks and settings

    def _dress(self) -> None:
        name = self._system if self._ui.theme == "system" else self._ui.theme
        self._theme.dress(name, self._ui.font_size or USUAL_SIZE)
        self.door.dress(self._theme.palette.background, self._theme.unit)
        if self.chat is not None:
            self.chat.frame.dress(self._theme.palette, self._theme.unit)

    def _follow_system(self) -> None:
        """Ask the desktop whether it is dark, when somebody comes back to the window."""
        now = time.monotonic()
        if now >= self._asked_at + _ASK_AGAIN or not self._asked_at:
            self._asked_at = now
            threading.Thread(target=self._ask_system, name="gui-theme", daemon=True).start()

    def _ask_system(self) -> None:
        self._wanted.put(system_theme())

    def _change(self, ui: Ui) -> None:
        """Obey other settings, and keep them."""
        before, self._ui = self._ui, ui
        changed = {
            key: getattr(ui, key) for key in Ui.rows() if getattr(ui, key) != getattr(before, key)
        }
        if changed.keys() & {"theme", "font_size"}:
            self._dress()
        if self.stay is not None:
            self.stay.controller.bell.level = BellLevel(ui.bell)
        if self.chat is not None and "joins" in changed:
            self.chat.model.joins = ui.joins
            self.chat.messages.redraw(self.chat.model.page.redraw())
        try:
            save(self._settings.path, "ui", **changed)
        except SettingsError as problem:
            if self.chat is not None:
                self.chat.tell(str(problem))

    def settings(self) -> None:
        """Open the settings."""
        SettingsDialog(self.root, self._ui, self._change)

    def larger(self) -> None:
        """Larger text."""
        self._resize((self._ui.font_size or USUAL_SIZE) + 1)

    def smaller(self) -> None:
        """Smaller text."""
        self._resize((self._ui.font_size or USUAL_SIZE) - 1)

    def usual_size(self) -> None:
        """Text of the usual size."""
        self._resize(USUAL_SIZE)

    def _resize(self, size: int) -> None:
        self._change(self._ui.over({"font_size": clamp(size)}))

    def next_theme(self) -> None:
        """Take the next theme."""
        at = _THEMES.index(self._ui.theme)
        self._change(self._ui.over({"theme": _THEMES[(at + 1) % len(_THEMES)]}))


_MENU: Final = (
    ("Join a room …", "join_room"),
    ("Go to …", "jump"),
    ("Where something is new", "next_active"),
    ("Search …", "find"),
    ("Links that were said here …", "open_link"),
    None,
    ("Topic of this room …", "change_topic"),
    ("Leave this conversation", "leave_here"),
    None,
    ("Another nick …", "change_nick"),
    ("Settings …", "settings"),
    ("Larger text", "larger"),
    ("Smaller text", "smaller"),
    ("Help", "help"),
    None,
    ("Leave", "close"),
)
