"""A palette carried over to Tk: named fonts, ttk styles, and what the system wants.

With `sv-ttk` (the extra `gui`) light and dark are Sun Valley's; without it, and in high contrast,
they are `clam` in colours of our own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tkinter as tk
from importlib.util import find_spec
from tkinter import font, ttk
from typing import Final

from .look import FONTS, PALETTES, Palette, ThemeName, clamp, menu_of

_SUN_VALLEY_FONTS: Final = (
    ("SunValleyBodyFont", 1.0),
    ("SunValleyBodyStrongFont", 1.0),
    ("SunValleyCaptionFont", 0.86),
)
#: Seconds that the desktop may take to say whether it is dark.
_ASK_WITHIN: Final = 1.0
_PORTAL: Final = (
    *("gdbus", "call", "--session", "--timeout", "1"),
    *("--dest", "org.freedesktop.portal.Desktop"),
    *("--object-path", "/org/freedesktop/portal/desktop"),
    *("--method", "org.freedesktop.portal.Settings.Read"),
    *("org.freedesktop.appearance", "color-scheme"),
)
_GNOME: Final = ("gsettings", "get", "org.gnome.desktop.interface", "color-scheme")
_MACOS: Final = ("defaults", "read", "-g", "AppleInterfaceStyle")


class Theme:
    """How the whole window looks; `dress` carries it over to ttk and the named fonts."""

    def __init__(self, root: tk.Tk) -> None:
        self._root = root
        self.name: ThemeName = "light"
        self.unit = 14
        self._has_sun_valley = find_spec("sv_ttk") is not None
        family = font.nametofont("TkDefaultFont", root).actual("family")
        mono = font.nametofont("TkFixedFont", root).actual("family")
        self._fonts = {
            name: font.Font(
                root,
                name=name,
                exists=False,
                family=mono if name == "chat-mono" else family,
                weight="bold" if is_bold else "normal",
                slant="italic" if is_italic else "roman",
            )
            for name, (_, is_bold, is_italic) in FONTS.items()
        }
        self._styles = ttk.Style(root)

    @property
    def palette(self) -> Palette:
        """The colours."""
        return PALETTES[self.name]

    def dress(self, name: ThemeName, size: int) -> None:
        """Look like this from now on; `size` of the text in points."""
        self.name = name
        self._resize(clamp(size))
        if self._has_sun_valley and name != "high-contrast":
            import sv_ttk

            sv_ttk.set_theme(name, self._root)
            for kind in (self._root.winfo_class(), "Menu"):  # they would repaint all, styled or not
                self._root.unbind_class(kind, "<<ThemeChanged>>")
            self._resize_sun_valley()
            self._styles.configure(".", **self._basics(), borderwidth=0, relief="flat")
        else:
            self._styles.theme_use("clam")
            self._own_style()
        self._common_style()

    def _resize(self, size: int) -> None:
        per_point = float(self._root.tk.call("tk", "scaling"))
        pixels = size * max(1.0, per_point)
        for name, (times, _, _) in FONTS.items():
            self._fonts[name].configure(size=-max(6, round(pixels * times)))
        self.unit = round(pixels)
        for name in ("TkDefaultFont", "TkTextFont", "TkMenuFont"):
            font.nametofont(name, self._root).configure(size=-self.unit)

    def _resize_sun_valley(self) -> None:
        family = self._fonts["chat"].cget("family")
        for name, times in _SUN_VALLEY_FONTS:
            font.nametofont(name, self._root).configure(
                size=-round(self.unit * times), family=family
            )

    def _basics(self) -> dict[str, str]:
        """What all widgets have, whatever the theme below."""
        colours = self.palette
        return {
            "background": colours.background,
            "foreground": colours.text,
            "fieldbackground": colours.field,
            "troughcolor": colours.panel,
            "focuscolor": colours.accent,
            "selectbackground": colours.accent,
            "selectforeground": colours.on_accent,
            "insertcolor": colours.text,
            "font": "chat",
        }

    def _own_style(self) -> None:
        """`clam`, but flat and in our colours."""
        colours, style = self.palette, self._styles
        style.configure(
            ".",
            **self._basics(),
            bordercolor=colours.border,
            lightcolor=colours.background,
            darkcolor=colours.background,
            arrowcolor=colours.text,
        )
        style.map(".", foreground=[("disabled", colours.faint)])
        for button in ("TButton", "TMenubutton"):
            style.configure(
                button,
                background=colours.panel,
                padding=(10, 4),
                relief="solid" if self._is_contrast else "flat",
                borderwidth=1,
                bordercolor=colours.border,
            )
            style.map(
                button,
                background=[("active", colours.border), ("pressed", colours.border)],
                foreground=[("active", colours.background)] if self._is_contrast else [],
                bordercolor=[("focus", colours.accent)],
            )
        style.configure("Accent.TButton", background=colours.accent, foreground=colours.on_accent)
        style.map(
            "Accent.TButton",
            background=[("active", colours.accent)],
            foreground=[("active", colours.on_accent)],
            bordercolor=[("focus", colours.text)],
        )
        for field in ("TEntry", "TCombobox", "TSpinbox"):
            style.configure(field, padding=5, foreground=colours.text)
            style.map(
                field,
                bordercolor=[("focus", colours.accent)],
                lightcolor=[("focus", colours.accent)],
                fieldbackground=[("readonly", colours.field)],
                foreground=[("readonly", colours.text)],
            )
        style.configure("Treeview", background=colours.panel, fieldbackground=colours.panel)
        style.configure("TScrollbar", background=colours.border, gripcount=0)
        style.map("TScrollbar", background=[("disabled", colours.panel)])
        for box in ("TCheckbutton", "TRadiobutton"):
            style.configure(box, indicatorcolor=colours.field, padding=3)
            style.map(
                box,
                indicatorcolor=[("selected", colours.accent)],
                background=[("active", colours.background)],
            )

    @property
    def _is_contrast(self) -> bool:
        return self.name == "high-contrast"

    def _common_style(self) -> None:
        """What we name ourselves, whatever the theme below."""
        colours, style = self.palette, self._styles
        style.configure("Panel.TFrame", background=colours.panel)
        style.configure("Rule.TFrame", background=colours.border)
        labels = {
            "Title.TLabel": ("chat-title", colours.text, colours.background),
            "Large.TLabel": ("chat-large", colours.text, colours.background),
            "Faint.TLabel": ("chat-small", colours.faint, colours.background),
            "Bad.TLabel": ("chat-small", colours.error, colours.background),
            "Mono.TLabel": ("chat-mono", colours.text, colours.background),
            "Panel.TLabel": ("chat-small", colours.faint, colours.panel),
            "PanelTitle.TLabel": ("chat-bold", colours.text, colours.panel),
            "Bold.TLabel": ("chat-bold", colours.text, colours.background),
        }
        for name, (face, foreground, background) in labels.items():
            style.configure(name, font=face, foreground=foreground, background=background)
        style.configure(
            "Side.Treeview",
            background=colours.panel,
            fieldbackground=colours.panel,
            foreground=colours.text,
            font="chat",
            indent=0,
            borderwidth=0,
            relief="flat",
            rowheight=round(self.unit * 1.9),
        )
        style.layout("Side.Treeview", [("Treeview.treearea", {"sticky": "nswe"})])
        style.layout(
            "Side.Treeview.Item",
            [
                (
                    "Treeitem.padding",
                    {"sticky": "nswe", "children": [("Treeitem.text", {"sticky": "nswe"})]},
                )
            ],
        )
        style.configure("Item", padding=(self.unit, 0, 0, 0))
        style.map(
            "Side.Treeview",
            background=[("selected", "focus", colours.accent), ("selected", colours.chosen)],
            foreground=[("selected", "focus", colours.on_accent), ("selected", colours.on_chosen)],
        )
        options = {
            **{f"*Menu.{key}": value for key, value in menu_of(colours).items()},
            "*Menu.tearOff": "0",
            "*TCombobox*Listbox.background": colours.field,
            "*TCombobox*Listbox.foreground": colours.text,
            "*TCombobox*Listbox.selectBackground": colours.accent,
            "*TCombobox*Listbox.selectForeground": colours.on_accent,
            "*TCombobox*Listbox.font": "chat",
        }
        for pattern, value in options.items():
            self._root.option_add(pattern, value)
        self._root.configure(background=colours.background)


def system_theme() -> ThemeName:
    """What the desktop says, where it says something; light otherwise. Takes up to 2 s."""
    if ":dark" in os.environ.get("GTK_THEME", "").lower():
        return "dark"
    for command in (_PORTAL, _GNOME, _MACOS):
        answer = _ask(command)
        if answer is not None:
            is_dark = "dark" in answer.lower() or "uint32 1" in answer
            return "dark" if is_dark else "light"
    return "light"


def _ask(command: tuple[str, ...]) -> str | None:
    """What a command prints; None when it is not there, or fails."""
    if shutil.which(command[0]) is None:
        return None
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_ASK_WITHIN,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
