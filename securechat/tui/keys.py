"""The keys of the full screen: one table, which is obeyed, and from which the help (F1) is made.

They are no bindings of Textual's: those are looked up after a key has gone through all widgets, and
what is typed behind it is in the composer by then; so a word could land in the room one left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from ..client import slash


class Key(NamedTuple):
    """One row: what is pressed, what it does, and how the help tells both.

    `keys` are Textual's names; `action` is the method behind `action_`, which gets `value` unless
    that is None. Rows without `label` stand for what every editor does, or belong to the one above.
    """

    keys: str
    action: str
    label: str = ""
    summary: str = ""
    value: int | None = None


#: While something is typed, or could be. Readline's, as people have them in their fingers.
COMPOSER: Final = (
    Key("enter", "enter", "Enter", "send, or give the /command"),
    Key("alt+enter,shift+enter,ctrl+j", "new_line", "Alt-Enter, Ctrl-J", "begin another line"),
    Key("up", "older", "Up, Down", "what you typed before; in several lines: move"),
    Key("down", "newer"),
    Key("tab", "complete", "Tab", "complete a nick, room or command; again: the next one", 1),
    Key("shift+tab", "complete", "Shift-Tab", "the completion before", -1),
    Key("ctrl+c", "clear", "Ctrl-C", "clear what is typed; twice within 2 s: quit"),
    Key("ctrl+d", "delete_or_quit", "Ctrl-D", "quit, if nothing is typed"),
    Key("home,ctrl+a", "cursor_line_start", "Ctrl-A, Ctrl-E", "to the beginning, the end"),
    Key("ctrl+e", "cursor_line_end"),
    Key("alt+b,ctrl+left,alt+left", "cursor_word_left", "Alt-B, Alt-F", "a word back, forward"),
    Key("alt+f,ctrl+right,alt+right", "cursor_word_right"),
    Key("ctrl+w,alt+backspace", "kill_word_left", "Ctrl-W, Alt-D", "cut the word before, behind"),
    Key("alt+d", "kill_word_right"),
    Key("ctrl+u", "kill_line_left", "Ctrl-U, Ctrl-K", "cut all before, all behind the cursor"),
    Key("ctrl+k", "kill_line_right"),
    Key("ctrl+y", "yank", "Ctrl-Y", "put back what was cut"),
    Key("ctrl+t", "transpose", "Ctrl-T", "swap two letters"),
    Key("ctrl+underscore,ctrl+z", "undo", "Ctrl-_", "undo"),
    Key("left,ctrl+b", "cursor_left"),
    Key("right,ctrl+f", "cursor_right"),
    Key("backspace,ctrl+h", "delete_left"),
    Key("delete", "delete_right"),
    Key("end", "end"),
)

#: Wherever one is on the chat's screen.
CHAT: Final = (
    Key("pageup,shift+up", "page", "PgUp, PgDn", "scroll; at the top older messages come", -1),
    Key("pagedown,shift+down", "page", value=1),
    Key("ctrl+home", "top", "Ctrl-Home, End", "to the oldest, to the newest"),
    Key("ctrl+end", "bottom"),
    Key("alt+1", "show", "Alt-1 … Alt-9", "that conversation", 1),
    *(Key(f"alt+{number}", "show", value=number) for number in range(2, 10)),
    Key("ctrl+n,alt+down", "step", "Ctrl-N, Ctrl-P", "the next conversation, the one before", 1),
    Key("ctrl+p,alt+up", "step", value=-1),
    Key("alt+a", "next_active", "Alt-A", "where something is new, calls for you first"),
    Key("ctrl+k,alt+k", "jump", "Ctrl-K", "find a conversation (where there is nothing to cut)"),
    Key("ctrl+r", "search", "Ctrl-R", "search back in what was said; again: further back"),
    Key("alt+r", "send_again", "Alt-R, Alt-X", "send again, or drop, what was not sent"),
    Key("alt+x", "drop"),
    Key("f7", "fold_rooms", "F7, F8", "conversations, people: show or hide"),
    Key("f8", "fold_people"),
    Key("alt+l", "bare", "Alt-L", "messages alone, to copy them; again: all"),
    Key("alt+j", "fold_moves", "Alt-J", "who came and went: one by one, or in short"),
    Key("f9", "next_theme", "F9", "dark, light, high contrast"),
    Key("ctrl+l", "redraw", "Ctrl-L", "draw the screen anew"),
    Key("escape", "escape", "Esc", "end the search; to the newest"),
    Key("f1", "help", "F1", "this help"),
)


def by_key(rows: Sequence[Key]) -> Mapping[str, Key]:
    """The rows of a table by each of their keys."""
    return MappingProxyType({key: row for row in rows for key in row.keys.split(",")})


def obey(target: object, row: Key) -> None:
    """Do what a row says, at once."""
    action = getattr(target, f"action_{row.action}")
    if row.value is None:
        action()
    else:
        action(row.value)


def help_lines() -> list[str]:
    """All keys, and all commands, as lines of text."""
    listed = [row for row in (*CHAT, *COMPOSER) if row.label]
    width = max(len(row.label) for row in listed)
    keys = [f"{row.label:<{width}}  {row.summary}" for row in listed]
    return [*keys, "", *slash.overview()]
