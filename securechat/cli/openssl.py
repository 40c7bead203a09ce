"""Has OpenSSL start with our key exchange groups: `prefer_modern_groups` comes before all else.

OpenSSL reads its configuration once in a process, when `ssl` or `hashlib` is first imported; what
comes later is ignored in silence. So this is called before the commands are imported, and
`net.tls.allows_old_groups` looks at the start of the server whether it helped. Nothing is raised.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_VARIABLE: Final = "OPENSSL_CONF"
_CONFIGURATION: Final = Path(__file__).parents[1] / "net" / "openssl.cnf"


def prefer_modern_groups(arguments: Sequence[str]) -> None:
    """Start OpenSSL with them if this is to be a server, and whoever runs it has not chosen."""
    if "serve" not in arguments or _VARIABLE in os.environ or "_ssl" in sys.modules:
        return
    os.environ[_VARIABLE] = str(_CONFIGURATION)
    try:
        import ssl  # noqa: F401 - this is what reads it
    finally:
        del os.environ[_VARIABLE]  # other libraries bring an OpenSSL of their own
