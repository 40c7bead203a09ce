# ruff: noqa: F403 - all that its rooms say is said here; a list of it would be one more to keep
"""The vocabulary of the wire: every envelope as a frozen pydantic model, told apart by direction.

A client can say `ClientEnvelope` (a draft or a command, see `commands`), a server `ServerEnvelope`
(a posted chat or a system event, see `events`). This is the door: all names are imported from here,
wherever they stand behind it. Contract: docs/protocol.md.
"""

from .commands import *
from .events import *
from .moderating import *
from .schema import *
from .values import *
