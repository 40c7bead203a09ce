"""The messages of one conversation: a `tk.Text` that shows a `Page` and keeps its place.

What is at the end stays there, whatever comes; who has scrolled up is never moved. Near an end the
page is asked for more, and at the beginning the server.
"""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from tkinter import ttk
from typing import Final

from ..client.log import Position
from .lists import is_letter
from .look import Palette, tags_of
from .model import Model
from .page import Delete, Edit, Insert, Page, line_after
from .pieces import AGAIN, DROP, WEB, Row

#: So many lines from an end of the widget, more is put there.
_NEAR: Final = 60
#: Lines that one step of a wheel scrolls.
_WHEEL: Final = 3
_PADDING: Final = 4
_HIGHLIGHT: Final = 2


class Messages(ttk.Frame):
    """What a person does here is called back.

    `click` gets the tag of what was clicked, of a link with the link behind it as it stands there;
    `point` the link below the pointer, or ""; `menu` the line and place for a context menu; `typed`
    what is typed here, where nothing can be written.
    """

    def __init__(
        self,
        master: tk.Misc,
        *,
        click: Callable[[str], None],
        point: Callable[[str], None],
        menu: Callable[[int, int, int], None],
        typed: Callable[[str], None],
    ) -> None:
        super().__init__(master)
        self._model: Model | None = None
        self._click = click
        self._point = point
        self._menu = menu
        self._type = typed
        self._chosen: int | None = None
        self.follows = True
        self.text = tk.Text(
            self,
            wrap="word",
            state="disabled",
            font="chat",
            relief="flat",
            borderwidth=0,
            highlightthickness=_HIGHLIGHT,
            padx=4,
            pady=_PADDING,
            width=20,
            height=5,
            cursor="arrow",
            takefocus=True,
            undo=False,
        )
        bar = ttk.Scrollbar(self, command=self._drag, takefocus=False)
        self.text.configure(yscrollcommand=bar.set)
        self.columnconfigure(0, weight=1)
        self.rowconfigure(0, weight=1)
        self.text.grid(row=0, column=0, sticky="nsew")
        bar.grid(row=0, column=1, sticky="ns")
        self._empty = ttk.Label(self, justify="center", style="Faint.TLabel")
        self._to_end = ttk.Button(self, command=self.to_end, takefocus=False)
        self._bind()

    def _bind(self) -> None:
        text = self.text
        text.bind("<Button-4>", lambda _: self._wheel(-1))
        text.bind("<Button-5>", lambda _: self._wheel(1))
        text.bind("<MouseWheel>", lambda event: self._wheel(-1 if event.delta > 0 else 1))
        text.bind("<Up>", lambda _: self._then(lambda: self._choose(-1)))
        text.bind("<Down>", lambda _: self._then(lambda: self._choose(1)))
        text.bind("<Key>", self._typed)
        text.bind("<FocusOut>", lambda _: self._choose_none())
        text.bind("<Home>", lambda _: self._then(self.to_top))
        text.bind("<End>", lambda _: self._then(self.to_end))
        text.bind("<Control-a>", self._select_all)
        text.bind("<ButtonRelease-1>", self._released, add=True)
        text.bind("<Configure>", self._resized)
        for sequence in ("<Button-3>", "<Menu>", "<Shift-F10>", "<Return>"):
            text.bind(sequence, self._ask_menu)
        text.tag_bind("link", "<Enter>", lambda _: text.configure(cursor="hand2"))
        text.tag_bind("link", "<Leave>", lambda _: text.configure(cursor="arrow"))
        text.tag_bind(WEB, "<Motion>", lambda event: self._point(self._link_at(event)))
        text.tag_bind(WEB, "<Leave>", lambda _: self._point(""))

    # ------------------------------------------------------------------ told by the window

    def show(self, model: Model) -> None:
        """Show the conversation of `model.page`, at the place where one left it."""
        self._write([], clear=True)
        self._chosen = None
        self._model = model
        self.follows = True
        position = model.desk.position
        if position is None or not model.page.log.first <= position.number < model.page.log.end:
            self.update_page()
            return
        self._write(model.page.show(position.number))
        self.follows = False
        self.update_page()
        self.text.see(f"{model.page.line_of(position.number)}.0")
        self._moved()

    def leave(self) -> None:
        """Keep the place for when this conversation is shown again."""
        if self._model is None:
            return
        line = int(self.text.index(f"@0,{self.text.winfo_height()}").partition(".")[0])
        number = None if self.follows else self._model.page.number_at(line)
        self._model.desk.position = None if number is None else Position(number, 0)

    def update_page(self) -> None:
        """Show what is new."""
        if self._model is not None:
            self._write(self._model.edits(follow=self.follows))
            if not self.follows:
                self._refill(self._model)
            self._draw_to_end()

    def redraw(self, edits: Sequence[Edit]) -> None:
        """Carry out edits that the model asks for."""
        self._write(edits)

    def note(self, text: str) -> None:
        """Say `text` where there are no messages; nothing, where there are."""
        if text:
            self._empty.configure(text=text)
            self._empty.place(relx=0.5, rely=0.45, anchor="center")
        else:
            self._empty.place_forget()

    def dress(self, palette: Palette, unit: int) -> None:
        """Take on colours, and margins that go with text of `unit` pixels."""
        self.text.configure(
            background=palette.background,
            foreground=palette.text,
            selectbackground=palette.accent,
            selectforeground=palette.on_accent,
            inactiveselectbackground=palette.accent,
            highlightbackground=palette.background,
            highlightcolor=palette.accent,
        )
        for tag, options in tags_of(palette, unit).items():
            self.text.tag_configure(tag, options)
        self.text.tag_raise("hit")
        self.text.tag_raise("chosen")
        self.text.tag_raise("sel")
        if self.follows:
            self.text.see("end")

    # ------------------------------------------------------------------ scrolling

    def page_by(self, pages: int) -> None:
        """Scroll by windows."""
        self.text.yview_scroll(pages, "pages")
        self._moved()

    def to_top(self) -> None:
        """Go to the oldest that is held."""
        if self._model is not None:
            self._write(self._model.page.show(self._model.page.log.first))
            self.text.yview_moveto(0.0)
            self._moved()

    def to_end(self) -> None:
        """Go to the newest, and stay there."""
        if self._model is not None:
            self._write(self._model.page.show_end())
        self.follows = True
        self.update_page()
        self.text.see("end")
        self._draw_to_end()

    def show_item(self, number: int) -> None:
        """Bring an item into view and mark it."""
        if self._model is None:
            return
        page = self._model.page
        self._write(page.show(number))
        self.follows = False
        self.update_page()
        first, last = self._lines_of(number, page)
        self.unmark()
        self.text.tag_add("hit", f"{first}.0", f"{last}.0")
        self.text.see(f"{last}.0")
        self.text.see(f"{first}.0")
        self._moved()

    def _lines_of(self, number: int, page: Page) -> tuple[int, int]:
        """The first line of an item that is shown, and the one behind it."""
        first = page.line_of(number)
        return first, page.line_of(number + 1)

    def unmark(self) -> None:
        """Take the mark of what was found away."""
        self.text.tag_remove("hit", "1.0", "end")

    def _wheel(self, steps: int) -> str:
        self.text.yview_scroll(steps * _WHEEL, "units")
        self._moved()
        return "break"

    def _drag(self, *arguments: str) -> None:
        self.text.tk.call(str(self.text), "yview", *arguments)
        self._moved()

    def _released(self, event: tk.Event[tk.Text]) -> None:
        tags = self.text.tag_names(f"@{event.x},{event.y}")
        if not self.text.tag_ranges("sel"):
            for tag in tags:
                if tag.startswith((AGAIN, DROP)):
                    self._click(tag)
                elif tag == WEB:
                    self._click(f"{WEB}:{self._link_at(event)}")
        self._moved()  # selecting may have scrolled

    def _link_at(self, event: tk.Event[tk.Text]) -> str:
        """The link in that place; "" where there is none."""
        at = f"@{event.x},{event.y}"
        found = self.text.tag_prevrange(WEB, f"{at}+1c")
        return self.text.get(*found) if found and WEB in self.text.tag_names(at) else ""

    def _resized(self, _event: tk.Event[tk.Misc]) -> None:
        if self.follows:
            self.text.see("end")

    def _moved(self) -> None:
        """Somebody scrolled: look whether more is wanted, and whether it goes on at the end."""
        if self._model is None:
            return
        self._refill(self._model)
        is_end_seen = self.text.dlineinfo("end-1c") is not None
        self.follows = self._model.page.is_at_end and is_end_seen
        self._draw_to_end()

    def _refill(self, model: Model) -> None:
        """Put more where one comes near an end of what is there."""
        page = model.page
        top = int(self.text.index("@0,0").partition(".")[0])
        bottom = int(self.text.index(f"@0,{self.text.winfo_height()}").partition(".")[0])
        lines = int(self.text.index("end").partition(".")[0])
        if top <= _NEAR:
            older = page.show_older()
            self._write(older)
            if not older and top <= _NEAR // 2:
                model.fetch_older()
        elif bottom >= lines - _NEAR and not page.is_at_end:
            self._write(page.show_newer())

    def _draw_to_end(self) -> None:
        if self.follows or self._model is None:
            self._to_end.place_forget()
            return
        below = self._model.page.log.end - self._model.page.end
        self._to_end.configure(text=f"↓ {below} newer" if below else "↓ newest")
        self._to_end.place(relx=1.0, rely=1.0, x=-24, y=-10, anchor="se")

    # ------------------------------------------------------------------ the widget

    def _write(self, edits: Sequence[Edit], *, clear: bool = False) -> None:
        """Carry edits out and keep the view where it was, or at the end."""
        if not edits and not clear:
            return
        text = self.text
        line, _, column = text.index("@0,0").partition(".")
        info = None if self.follows else text.dlineinfo("@0,0")
        text.configure(state="normal")
        if clear:
            text.delete("1.0", "end")
        for edit in edits:
            if not isinstance(edit, Insert):
                text.delete(f"{edit.line}.0", f"{edit.line + edit.lines}.0")
            if not isinstance(edit, Delete):
                text.tk.call(str(text), "insert", f"{edit.line}.0", *arguments_of(edit.rows))
        text.configure(state="disabled")
        if self.follows:
            text.see("end")
        else:
            text.yview(f"{line_after(int(line), edits)}.{column}")
            if info is not None and info[1] < _PADDING + _HIGHLIGHT:
                text.yview_scroll(_PADDING + _HIGHLIGHT - info[1], "pixels")

    # ------------------------------------------------------------------ menus

    def _ask_menu(self, event: tk.Event[tk.Text]) -> str:
        if event.num == 3:
            x, y = event.x, event.y
        else:
            if self._chosen is None:
                self._choose(-1)
            x, y = self._below_chosen()
        line = int(self.text.index(f"@{x},{y}").partition(".")[0])
        self._menu(line, self.text.winfo_rootx() + x, self.text.winfo_rooty() + y)
        return "break"

    # ------------------------------------------------------------------ keyboard

    def _choose(self, step: int) -> None:
        """Choose the message before the chosen one, or behind it; first, the lowest in sight."""
        if self._model is None:
            return
        page = self._model.page
        at = self._lowest_in_sight(page) if self._chosen is None else self._chosen + step
        number = page.log.spoken_near(at, step)
        if number is None:
            self._wheel(step)
            return
        self._write(page.show(number))
        self._choose_none()
        self._chosen = number
        first, last = self._lines_of(number, page)
        self.text.tag_add("chosen", f"{first}.0", f"{last}.0")
        self.text.see(f"{last - 1}.0")
        self.text.see(f"{first}.0")
        self._moved()

    def _lowest_in_sight(self, page: Page) -> int:
        line = int(self.text.index(f"@0,{self.text.winfo_height()}").partition(".")[0])
        number = page.number_at(line)
        return page.end - 1 if number is None else number

    def _choose_none(self) -> None:
        self._chosen = None
        self.text.tag_remove("chosen", "1.0", "end")

    def _below_chosen(self) -> tuple[int, int]:
        """Where the first line of the chosen message stands."""
        found = self.text.tag_ranges("chosen")
        box = self.text.bbox(str(found[0])) if found else None
        return (40, self.text.winfo_height() // 2) if box is None else (40, box[1] + box[3] // 2)

    def _typed(self, event: tk.Event[tk.Text]) -> str | None:
        """Who clicked here and types means the field below."""
        if not is_letter(event):
            return None
        self._type(event.char)
        return "break"

    def _select_all(self, _event: tk.Event[tk.Text]) -> str:
        self.text.tag_add("sel", "1.0", "end-1c")
        return "break"

    def _then(self, do: Callable[[], None]) -> str:
        do()
        return "break"


def arguments_of(rows: Sequence[Row]) -> list[str | tuple[str, ...]]:
    """The rows as arguments of one `insert`: pieces and their tags by turns."""
    arguments: list[str | tuple[str, ...]] = []
    for row in rows:
        for piece in row.pieces:
            arguments += [piece.text, (*row.tags, *piece.tags)]
        arguments += ["\n", row.tags]
    return arguments
