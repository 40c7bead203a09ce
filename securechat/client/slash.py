"""What a person types, made into what to do.

`parse` takes one typed line and the conversation it was typed in, and returns an action (see
`actions`); it does nothing itself. What is not right is raised as `BadInput`, one sentence with the
cure, and never sent. A line that does not begin with a slash is said; `//` at its beginning says a
slash. Text of several lines is always said: what was pasted is never carried out.
"""

from __future__ import annotations

from typing import Final

from .actions import Action, Row, Say
from .arguments import BadInput, WrongArguments
from .commands import ROWS, find, here_of

#: The width of what is typed, in the help of all commands.
_USAGE: Final = 22


def parse(line: str, here: str | None) -> Action | None:
    """The action that `line`, typed in conversation `here`, asks for; None for an empty one.

    Raises BadInput.
    """
    text = line.rstrip()
    if not text:
        return None
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise BadInput("Not sent: it holds bytes that are no UTF-8. Set your locale to UTF-8.")
    if "\n" in text:
        return Say(here_of(here), text)
    if not text.startswith("/"):
        if text.lstrip().startswith("/"):
            raise BadInput(
                "Not sent: it begins with a space and a slash. Remove the space to give the"
                " command, or begin with // to say it."
            )
        return Say(here_of(here), text)
    if text.startswith("//"):
        return Say(here_of(here), text[1:])
    word, _, rest = text[1:].partition(" ")
    row = find(word)
    try:
        return row.make(rest.strip(), here)
    except WrongArguments as problem:
        why = f"{problem} " if str(problem) else ""
        raise BadInput(f"{why}Usage: {row.usage}, for example: {row.example}") from None


def has_secret(line: str) -> bool:
    """Whether somebody typed a password where it does not belong: such a line is not remembered."""
    word, _, rest = line.strip().partition(" ")
    allowed = {"/register": 0, "/login": 1, "/passwd": 0}.get(word.lower())
    return allowed is not None and len(rest.split()) > allowed


def overview() -> list[str]:
    """The help of all commands, as lines of text; what is long stands in a line of its own."""
    told = [(row.usage, row.summary) for row in ROWS]
    lines = []
    for usage, summary in (*told, ("//TEXT", "say a text that begins with a slash")):
        if len(usage) > _USAGE:
            lines.append(usage)
            usage = ""
        lines.append(f"{usage:<{_USAGE}}  {summary}")
    return lines


def explanation(row: Row) -> list[str]:
    """The help of one command, as lines of text."""
    also = f" (also {', '.join('/' + alias for alias in row.aliases)})" if row.aliases else ""
    return [f"{row.usage}: {row.summary}{also}", f"for example: {row.example}"]
