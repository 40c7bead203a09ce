"""A display of our own, on which nobody looks: Xvfb, started here, where it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec

import pytest


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """The name of a display that is there as long as the tests."""
    if find_spec("_tkinter") is None:
        pytest.skip("this Python has no tkinter: install python3-tk")
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed: apt install xvfb")
    readable, writable = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writable), "-screen", "0", "1200x900x24", "-nolisten", "tcp"],
        pass_fds=(writable,),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(writable)
    with os.fdopen(readable) as told:
        number = told.readline().strip()
    assert number, "Xvfb did not start"
    yield f":{number}"
    server.terminate()
    server.wait(10)


@pytest.fixture(scope="session")
def tcl(display: str) -> str:
    """The display, once Tk is connected to it, which it stays until Python ends."""
    import tkinter as tk

    tk.Tk(display).destroy()
    return display
