"""The keys of the full screen: one table, which is obeyed, and from which the help (F1) is made.

They are no bindings of Textual's: those are looked up after a key has gone through all widgets, and
what is typed behind it is in the composer by then; so a word could land in the room one left.
Which keys do what can be changed by the rows' names (see `keymap`).
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Key(NamedTuple):
    """One row: what it is called, what is pressed, what it does, and how the help tells it.

    `keys` are Textual's names; `action` is the method behind `action_`, which gets `value` unless
    that is None. Rows beside each other with one summary are one line of the help; rows without
    summary stand for what every editor does.
    """

    name: str
    keys: tuple[str, ...]
    action: str
    summary: str = ""
    value: int | None = None


def _key(
    name: str, keys: str, summary: str = "", action: str = "", value: int | None = None
) -> Key:
    return Key(name, tuple(keys.split()), action or name.replace("-", "_"), summary, value)


_BEFORE: Final = "what you typed before; in several lines: move"
_COMPLETE: Final = "complete a nick, room or command; the one before"
_WORD: Final = "a word back, forward"
_LINE: Final = "to the beginning, the end"
_CUT_WORD: Final = "cut the word before, behind"
_CUT_LINE: Final = "cut all before, all behind the cursor"

#: While something is typed, or could be. Readline's, as people have them in their fingers.
COMPOSER: Final = (
    _key("enter", "enter", "send, or give the /command"),
    _key("new-line", "alt+enter ctrl+j shift+enter", "begin another line"),
    _key("older", "up", _BEFORE),
    _key("newer", "down", _BEFORE),
    _key("complete", "tab", _COMPLETE, "complete", 1),
    _key("complete-back", "shift+tab", _COMPLETE, "complete", -1),
    _key("clear", "ctrl+c", "clear what is typed; twice within 2 s: quit"),
    _key("delete-or-quit", "ctrl+d", "quit, if nothing is typed"),
    _key("line-start", "ctrl+a home", _LINE, "cursor_line_start"),
    _key("line-end", "ctrl+e", _LINE, "cursor_line_end"),
    _key("word-left", "alt+b ctrl+left alt+left", _WORD, "cursor_word_left"),
    _key("word-right", "alt+f ctrl+right alt+right", _WORD, "cursor_word_right"),
    _key("kill-word-left", "ctrl+w alt+backspace", _CUT_WORD),
    _key("kill-word-right", "alt+d", _CUT_WORD),
    _key("kill-line-left", "ctrl+u", _CUT_LINE),
    _key("kill-line-right", "ctrl+k", _CUT_LINE),
    _key("yank", "ctrl+y", "put back what was cut"),
    _key("transpose", "ctrl+t", "swap two letters"),
    _key("undo", "ctrl+underscore ctrl+z", "undo"),
    _key("left", "left ctrl+b", action="cursor_left"),
    _key("right", "right ctrl+f", action="cursor_right"),
    _key("delete-left", "backspace ctrl+h"),
    _key("delete-right", "delete"),
    _key("end", "end"),
)

_SCROLL: Final = "scroll; at the top older messages come"
_ENDS: Final = "to the oldest, to the newest"
_SHOW: Final = "that conversation"
_STEP: Final = "the next conversation, the one before"
_REFUSED: Final = "send again, or drop, what was not sent"
_FOLD: Final = "conversations, people: show or hide"

#: Wherever one is on the chat's screen.
CHAT: Final = (
    _key("page-up", "pageup shift+up", _SCROLL, "page", -1),
    _key("page-down", "pagedown shift+down", _SCROLL, "page", 1),
    _key("top", "ctrl+home", _ENDS),
    _key("bottom", "ctrl+end", _ENDS),
    *(_key(f"show-{number}", f"alt+{number}", _SHOW, "show", number) for number in range(1, 10)),
    _key("next", "ctrl+n alt+down", _STEP, "step", 1),
    _key("previous", "ctrl+p alt+up", _STEP, "step", -1),
    _key("next-active", "alt+a", "where something is new, calls for you first"),
    _key("jump", "ctrl+k alt+k", "find a conversation (where there is nothing to cut)"),
    _key("search", "ctrl+r", "search back in what was said; again: further back"),
    _key("choose", "ctrl+up alt+m", "choose a message, to copy it or to answer"),
    _key("send-again", "alt+r", _REFUSED),
    _key("drop", "alt+x", _REFUSED),
    _key("fold-rooms", "f7", _FOLD),
    _key("fold-people", "f8", _FOLD),
    _key("bare", "alt+l", "messages alone, to copy them; again: all"),
    _key("fold-moves", "alt+j", "who came and went: one by one, or in short"),
    _key("next-theme", "f9", "dark, light, high contrast"),
    _key("redraw", "ctrl+l", "draw the screen anew"),
    _key("escape", "escape", "end the search; to the newest"),
    _key("help", "f1", "this help"),
)

_CHOOSE: Final = "choose the one above, below"

#: While a message is chosen; all else is typed.
CHOSEN: Final = (
    _key("chosen-up", "up k ctrl+up", _CHOOSE, "choose_step", -1),
    _key("chosen-down", "down j ctrl+down", _CHOOSE, "choose_step", 1),
    _key("chosen-again", "r", "send it again, if it was not sent; else answer"),
    _key("chosen-drop", "x", "drop it, if it was not sent"),
    _key("chosen-copy", "y c", "copy it"),
    _key("chosen-done", "escape enter ctrl+c", "type on"),
)
