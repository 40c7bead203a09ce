"""Tab in zsh and fish: what `--install-completion` has them call, by the table that bash goes by.

In: the environment of a call. Out: what the shell reads, and an exit code. Nothing is raised. Typer
answers such calls, too, but loads pydantic for each key, and knows no `--nick=bo`.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from typing import Final, NamedTuple

from .completing import complete, offers

#: What tells that a shell asks; its value is `complete_` and the shell's name.
ASKED: Final = "_SECURECHAT_COMPLETE"


#: What zsh loads at the first Tab in the place of the function that it then calls: Typer's ends
#: there, and the first Tab brings nothing. `funcstack` is empty where it is evaluated (`--show-…`).
_ZSH: Final = """
#compdef %(prog_name)s

%(complete_func)s() {
  eval $(env _TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" \\
    %(autocomplete_var)s=complete_zsh %(prog_name)s)
}

compdef %(complete_func)s %(prog_name)s
if [[ ${funcstack[1]} == _%(prog_name)s ]]; then %(complete_func)s; fi
"""


def teach_typer() -> None:
    """Have Typer install, and show, our script for zsh."""
    from typer import _completion_shared as shared

    shared._completion_scripts["zsh"] = _ZSH


class Answer(NamedTuple):
    """What is printed, and the exit code."""

    text: str
    code: int = 0


def answer(environ: Mapping[str, str] = os.environ) -> Answer | None:
    """What the shell is told; None: none of these asks."""
    shell = environ.get(ASKED, "").removeprefix("complete_")
    if shell == "bash":
        return Answer("\n".join(complete(environ)))
    if shell not in ("zsh", "fish"):
        return None
    before, typed = parted(environ.get("_TYPER_COMPLETE_ARGS", ""))
    found = offers(before[1:], typed)
    if shell == "zsh":  # it is evaluated there
        return Answer(f"compadd -- {shlex.join(found)}" if found else "_files")
    if environ.get("_TYPER_COMPLETE_FISH_ACTION") == "is-args":  # no: fish offers files
        return Answer("", 0 if found else 1)
    return Answer("\n".join(found))


def parted(line: str) -> tuple[list[str], str]:
    """The words of a command line up to the cursor, and the one that is typed there."""
    parser = shlex.shlex(line, posix=True)
    parser.whitespace_split = True
    parser.commenters = ""  # rooms begin with #
    words: list[str] = []
    is_open = not line.endswith(" ")
    try:
        words.extend(parser)
    except ValueError:  # within quotes, or behind a backslash
        words.append(parser.token)
        is_open = True
    if is_open and words:
        return words[:-1], words[-1]
    return words, ""
