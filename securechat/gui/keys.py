"""The keys of the window: one table, that is bound and shown by the help. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple


class Key(NamedTuple):
    """Tk's event sequences, the method of the window that they call, and what the help says."""

    sequences: tuple[str, ...]
    method: str
    shown: str
    does: str


#: Obeyed wherever the keyboard's focus is in the window.
WINDOW: Final = (
    Key(("<Control-k>",), "jump", "Ctrl-K", "go to a room or person by a few letters"),
    Key(("<Control-j>",), "join_room", "Ctrl-J", "join a room, or make one"),
    Key(
        ("<Control-Next>", "<Alt-Down>"),
        "next_conversation",
        "Alt-Down, Ctrl-PgDn",
        "the next conversation",
    ),
    Key(
        ("<Control-Prior>", "<Alt-Up>"),
        "previous_conversation",
        "Alt-Up, Ctrl-PgUp",
        "the one before",
    ),
    Key(("<Alt-a>",), "next_active", "Alt-A", "where something is new, calls for you first"),
    Key(("<Prior>",), "page_up", "PgUp", "older messages"),
    Key(("<Next>",), "page_down", "PgDn", "newer messages"),
    Key(("<Control-Home>",), "to_top", "Ctrl-Home", "the oldest that is here"),
    Key(("<Control-End>",), "to_end", "Ctrl-End", "the newest message"),
    Key(("<Control-f>",), "find", "Ctrl-F", "search in this conversation"),
    Key(("<Control-o>",), "open_link", "Ctrl-O", "open a link that was said here"),
    Key(("<F6>",), "next_pane", "F6", "messages, people, rooms, where one types"),
    Key(("<Shift-F6>",), "previous_pane", "Shift-F6", "the same backwards"),
    Key(("<F2>",), "change_nick", "F2", "go by another nick"),
    Key(("<Control-t>",), "change_topic", "Ctrl-T", "what this room is about"),
    Key(("<Alt-r>",), "send_again", "Alt-R", "send again what was not sent here"),
    Key(("<Alt-x>",), "drop", "Alt-X", "drop what was not sent here"),
    Key(("<Control-w>",), "leave_here", "Ctrl-W", "leave this room, put this person aside"),
    Key(
        ("<Control-plus>", "<Control-equal>", "<Control-KP_Add>"),
        "larger",
        "Ctrl-Plus",
        "larger text",
    ),
    Key(("<Control-minus>", "<Control-KP_Subtract>"), "smaller", "Ctrl-Minus", "smaller text"),
    Key(("<Control-0>", "<Control-KP_0>"), "usual_size", "Ctrl-0", "text of the usual size"),
    Key(("<F9>",), "next_theme", "F9", "light, dark, high contrast, as the system"),
    Key(("<F10>",), "open_menu", "F10", "the menu"),
    Key(("<Control-comma>",), "settings", "Ctrl-,", "settings"),
    Key(("<F1>",), "help", "F1", "this help"),
    Key(("<Escape>",), "escape", "Esc", "back to where one types"),
    Key(("<Control-q>",), "close", "Ctrl-Q", "leave"),
)

#: What the composer obeys besides, for the help.
COMPOSER: Final = (
    ("Enter", "send"),
    ("Shift-Enter", "begin another line"),
    ("Up, Down", "what you typed before"),
    ("Tab", "complete a nick, room or command; else go on as in any window"),
    ("Alt-1 … Alt-9", "that conversation"),
    ("Left, Right in a list", "move its border"),
    ("Up, Down in the messages", "choose one; Enter or Menu says what can be done with it"),
    ("Menu, Shift-F10", "what can be done with a room, person or message"),
)
