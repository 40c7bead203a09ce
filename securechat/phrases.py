"""What a text is to a search, as values: its words, and what is looked for in it.

A leaf, for chat parses a query, stores find by it, and neither knows the other. Pure; nothing is
raised.

Words are compared without case and without accents ("Café" is `cafe`): NFKD, casefolded, without
the marks, composed again. Chinese and Japanese put nothing between words, so there each character
is a word, and what was typed as one is looked for as a row of them.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from unicodedata import combining, normalize

#: Kana, and Chinese characters in all their blocks.
_UNSPACED: Final = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_PLAIN_WORD: Final = re.compile(r"[0-9a-z]+")
_WORD: Final = re.compile(rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}])[^\W_])+")
#: The combining class of the marks that make another kana of one; they are no accents.
_KANA_VOICING: Final = 8
#: A bare word of so many letters finds those that it begins, too.
OPEN_FROM: Final = 3


def words(text: str) -> list[str]:
    """The words of `text`, in order, as they are compared."""
    if text.isascii():
        return _PLAIN_WORD.findall(text.lower())
    folded = normalize("NFKD", text).casefold()
    bare = (char for char in folded if combining(char) in (0, _KANA_VOICING))
    return _WORD.findall(normalize("NFC", "".join(bare)))


class Phrase(NamedTuple):
    """Words in a row; of an `open` one the last may go on: `gard` finds garden."""

    words: tuple[str, ...]
    open: bool = False

    def is_in(self, found: list[str]) -> bool:
        """Whether the phrase stands in a text of these words."""
        *whole, last = self.words
        size = len(whole)
        for at in range(len(found) - size):
            end = found[at + size]
            ends = end.startswith(last) if self.open else end == last
            if ends and found[at : at + size] == whole:
                return True
        return False


class Author(NamedTuple):
    """Whose messages: what was said under that nick, or by whoever goes by it now (0: nobody)."""

    nick: str
    identity: int


class Query(NamedTuple):
    """What is looked for, and by whom.

    `reader` finds what was said in rooms other than `hidden` ones, and in direct conversations of
    its own. All `phrases` must be there, and be said by one of `authors`, in one of the
    `conversations`, each where there are any; from `since` on, and before `until` (a `ts`, "" for
    none). `before`: older than that place in what was found before.
    """

    reader: int
    hidden: frozenset[str] = frozenset()
    phrases: tuple[Phrase, ...] = ()
    authors: tuple[Author, ...] = ()
    conversations: tuple[str, ...] = ()
    since: str = ""
    until: str = ""
    before: tuple[str, int] | None = None

    def may_read(self, conversation: str) -> bool:
        """Whether what is said in `conversation` (its key) is for the reader at all."""
        if conversation[0] == "#":
            return conversation not in self.hidden
        low, _, high = conversation[1:].partition(":")
        return str(self.reader) in (low, high)

    def covers(self, conversation: str) -> bool:
        """Whether `conversation` is looked into."""
        return (not self.conversations or conversation in self.conversations) and self.may_read(
            conversation
        )

    def matches(self, identity: int, sender: str, ts: str, place: int, text: str) -> bool:
        """Whether a message of a covered conversation is one that is looked for."""
        if not text:  # no text that was ever said is empty: this one was erased
            return False
        if ts < self.since or (self.until and ts >= self.until):
            return False
        if self.before is not None and (ts, place) >= self.before:
            return False
        if self.authors and not any(
            identity == author.identity or fold_nick(sender) == author.nick
            for author in self.authors
        ):
            return False
        if not self.phrases:
            return True
        found = words(text)
        return all(phrase.is_in(found) for phrase in self.phrases)


def fold_nick(nick: str) -> str:
    """A nick as `Author` has it."""
    return nick.casefold()
