"""The borders between the panes, by mouse and by keyboard, and what small windows leave out."""

from __future__ import annotations

import gc
import tkinter as tk
from collections.abc import Iterator

import pytest

pytest.importorskip("tkinter", reason="this Python has no tkinter: install python3-tk")

from securechat.gui.look import LIGHT
from securechat.gui.panes import Panes, Widths

UNIT = 10


class Desk:
    """Panes in a window; `moved` is what was wanted by a person."""

    def __init__(self, root: tk.Tk) -> None:
        self.root = root
        self.moved: list[Widths] = []
        self.panes = Panes(root)
        self.panes.dress(LIGHT, UNIT)
        self.panes.pack(fill="both", expand=True)
        self.panes.remember(Widths(20, 15), self.moved.append)
        self.resize(900)

    def resize(self, width: int) -> None:
        self.root.geometry(f"{width}x300+0+0")
        self.settle()

    def settle(self) -> None:
        for _ in range(3):
            self.root.update()

    @property
    def sides(self) -> tuple[int, int]:
        """The widths of the sides in pixels; 0: not there."""
        left, right = (
            side.winfo_width() if side.winfo_ismapped() else 0
            for side in (self.panes.left, self.panes.right)
        )
        return left, right

    def drag(self, start: int, to: int) -> None:
        for sequence, x in (
            ("<Motion>", start),
            ("<Button-1>", start),
            ("<B1-Motion>", to),
            ("<ButtonRelease-1>", to),
        ):
            self.panes.event_generate(sequence, x=x, y=100)
            self.settle()


@pytest.fixture
def desk(tcl: str) -> Iterator[Desk]:
    desk = Desk(tk.Tk(tcl))
    yield desk
    desk.root.destroy()
    del desk
    gc.collect()  # Tk's objects end in the thread that made them


def test_sides_keep_their_width_when_the_window_grows(desk: Desk) -> None:
    assert desk.sides == (200, 150)
    desk.resize(1_100)
    assert desk.sides == (200, 150)
    assert desk.moved == []


def test_borders_are_moved_by_mouse_and_remembered(desk: Desk) -> None:
    desk.drag(201, 251)
    assert desk.moved == [Widths(25, 15)]
    desk.drag(900 - 151, 900 - 101)
    assert desk.moved[-1] == Widths(25, 10)
    assert desk.sides == (250, 100)
    desk.panes.dress(LIGHT, 2 * UNIT)  # larger text, wider sides: as many heights of it
    desk.resize(1_190)
    assert desk.sides[0] == pytest.approx(1_190 / 3, abs=1)  # the third that it may take
    assert desk.sides[1] == 200


def test_borders_are_moved_by_keyboard_within_bounds(desk: Desk) -> None:
    desk.panes.widen(desk.panes.left, 1)
    desk.panes.widen(desk.panes.right, -1)
    desk.settle()
    assert desk.sides == (210, 140)
    for _ in range(60):
        desk.panes.widen(desk.panes.left, 1)
        desk.panes.widen(desk.panes.right, -1)
    desk.settle()
    assert desk.moved[-1] == Widths(30, 5)
    assert desk.sides == (300, 50)


def test_a_narrow_window_has_room_for_the_messages(desk: Desk) -> None:
    desk.resize(51 * UNIT)
    assert desk.sides == (170, 0)
    desk.resize(33 * UNIT)
    assert desk.sides == (0, 0)
    assert desk.panes.is_narrow
    desk.drag(100, 150)  # there is no border to be moved
    desk.resize(900)
    assert desk.sides == (200, 150)
    assert desk.moved == []


def test_people_are_there_only_in_rooms(desk: Desk) -> None:
    desk.panes.show_people(False)
    desk.settle()
    assert desk.sides == (200, 0)
    desk.panes.show_people(True)
    desk.settle()
    assert desk.sides == (200, 150)
