"""Where a link in a text leads, for what can open it; and which part of a text must stay whole.

Pure. Only http and https are links (`emphasis` finds them). A target says what the text says, in
the characters of RFC 3986: what is not of those is percent-encoded, so that none can end the escape
sequence that it stands in (OSC 8 wants 32 to 126 only).
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

#: Bytes; VTE takes 2,083 and others no more than that.
LONGEST: Final = 2_000
#: RFC 3986, 2.2 and 2.3, and the percent sign of what is encoded already.
_RESERVED: Final = ":/?#[]@!$&'()*+,;=%"
#: A link of nothing but those: it may be broken nowhere, and looks like no line of ours anywhere.
#: What ends a sentence or closes a bracket around it is not of it.
WHOLE: Final = re.compile(
    r"\bhttps?://[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*[A-Za-z0-9~/#@$&+=%-]", re.IGNORECASE
)


def target_of(link: str) -> str:
    """Where `link`, a text made harmless, leads; nothing, if it is too long to be handed on."""
    target = quote(link, safe=_RESERVED)
    return target if len(target) <= LONGEST else ""
