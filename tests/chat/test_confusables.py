"""Every character of Unicode's confusables table: none of them makes a second somebody.

The table is that of UTS 39 (`securechat/chat/confusables.txt`). For each of its characters there is
a nick with what it looks like, held by an account or by somebody online, and one with the character
in its place; or else the server's own names with it.
"""

from __future__ import annotations

from collections import defaultdict

import pytest

from securechat.chat.accounts import new_account
from securechat.chat.identities import Identities
from securechat.chat.nicks import RESERVED, Nick, parse_nick, prototypes, unicode_version
from securechat.chat.roles import Role
from securechat.errors import Rejected

TABLE = dict(prototypes())


def nick_of(text: str) -> Nick | None:
    """The nick that is shown as `text`; None: no nick is (it is refused, or kept as another)."""
    try:
        nick = parse_nick(text)
    except Rejected:
        return None
    return nick if nick.text == text else None


def is_refused(identities: Identities, nick: Nick) -> bool:
    try:
        identities.check_free(nick, None)
    except Rejected as no:
        return no.code == "nick_taken"
    return False


def test_the_table_is_a_whole_one() -> None:
    assert len(TABLE) > 6_000
    assert unicode_version().split(".")[0].isdigit()


@pytest.mark.parametrize("is_account", [True, False])
def test_no_character_of_the_table_passes_for_what_it_looks_like(is_account: bool) -> None:
    """`xpx` is there, with p what the character looks like; `xcx` with it is refused."""
    tried = 0
    for code, look in TABLE.items():
        victim, fake = nick_of(f"x{look}x"), nick_of(f"x{chr(code)}x")
        if victim is None or fake is None:
            continue  # no nick can have it
        identities = Identities()
        holder = identities.add(victim, b"1", 1.0)
        if is_account:
            identities.enrol(holder, new_account(holder.number, victim, Role.MEMBER, 1.0))
        assert is_refused(identities, fake), (hex(code), ascii(look))
        tried += 1
    assert tried > 900


def test_no_two_characters_that_look_the_same_stand_side_by_side() -> None:
    """Also where what they look like can be in no nick itself."""
    groups = defaultdict(list)
    for code, look in TABLE.items():
        nick = nick_of(f"x{chr(code)}x")
        if nick is not None:
            groups[look].append(nick)
    tried = 0
    for first, *others in groups.values():
        identities = Identities()
        identities.add(first, b"1", 1.0)
        for other in others:
            assert is_refused(identities, other), (ascii(first.text), ascii(other.text))
            tried += 1
    assert tried > 500


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_no_character_of_the_table_makes_a_name_of_the_servers(name: str) -> None:
    """Put in the place of each letter, and of each two that one character looks like."""
    tried = 0
    for code, look in TABLE.items():
        for shown in {look, look.casefold()}:
            for at in range(len(name)) if shown and shown in name else ():
                if name.startswith(shown, at):
                    fake = name[:at] + chr(code) + name[at + len(shown) :]
                    assert nick_of(fake) is None, ascii(fake)
                    tried += 1
    assert tried > 50


def test_characters_that_cannot_be_seen_are_in_no_nick_or_make_no_other() -> None:
    """What the table maps to nothing is refused, or does not tell two nicks apart."""
    unseen = [code for code, look in TABLE.items() if not look]
    assert unseen
    identities = Identities()
    identities.add(parse_nick("bobby"), b"1", 1.0)
    for code in unseen:
        nick = nick_of(f"bob{chr(code)}by")
        assert nick is None or is_refused(identities, nick), hex(code)
