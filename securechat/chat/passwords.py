"""What may be a password: long enough, and not one of those that are tried first.

In: what somebody chose. Raised: `Rejected` (`bad_password`). Nothing else is asked of it: any
character is welcome, and it is never cut (ASVS 5.0, 6.2). How it is kept is the business of
`server.auth`.
"""

from __future__ import annotations

from typing import Final

from ..errors import Rejected

MIN_PASSWORD: Final = 8

#: Of those that are long enough, what guessers try first; their digits and tails are looked past.
_COMMON: Final = frozenset(
    {
        *("password", "passwort", "passw0rd", "p@ssw0rd", "letmein", "changeme", "welcome"),
        *("iloveyou", "sunshine", "princess", "football", "baseball", "superman", "starwars"),
        *("trustno", "whatever", "computer", "internet", "administrator", "admin", "qwertyuiop"),
        *("qwertyui", "qwerty", "asdfghjkl", "zxcvbnm", "q1w2e3r4t5y6", "1q2w3e4r", "1q2w3e4r5t"),
        *("1qaz2wsx", "qazwsxedc", "abcdefgh", "securechat", "master", "dragon", "monkey"),
        *("shadow", "michael", "jennifer", "liverpool", "chocolate", "secret", "geheim"),
    }
)
_RUNS: Final = ("01234567890123456789", "98765432109876543210", "abcdefghijklmnopqrstuvwxyz")


def check_password(password: str, nick: str) -> None:
    """Raise `bad_password` for what somebody called `nick` had better not choose."""
    if len(password) < MIN_PASSWORD:
        raise Rejected(
            "bad_password",
            f"A password has at least {MIN_PASSWORD} characters. Four words make a good one.",
        )
    plain = password.casefold()
    core = plain.strip("0123456789!?.,#$*+-_ ")
    if (
        len(set(plain)) < 4
        or plain in _COMMON
        or core in _COMMON
        or core == nick.casefold()
        or any(plain in run for run in _RUNS)
    ):
        raise Rejected(
            "bad_password",
            "That password is among the first that anybody would try. Four words make a good one.",
        )
