"""What the client keeps on disk, behind one door: the guest's session and the outbox.

Nothing on disk is worth a chat: whatever goes wrong there is told once (`warn`), and the client
goes on without. With `folder` None nothing is kept at all.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..protocol.envelopes import Draft
from .outbox import Outbox
from .private import describe
from .snapshot import Snapshot
from .state import GuestState
from .whereabouts import Whereabouts


class Keeper:
    """The files of one run; `warn` takes a sentence for the user."""

    def __init__(
        self, folder: Path | None, host: str, port: int, warn: Callable[[str], None]
    ) -> None:
        self._folder = folder
        self._host = host
        self._port = port
        self._warn = warn
        self._warned = False
        self._state = None if folder is None else GuestState(folder, host, port)
        self._outbox: Outbox | None = None

    def load_session(self, nick: str) -> str | None:
        """The session that an earlier run left."""
        if self._state is None:
            return None
        loaded = self._state.load(nick)
        if loaded.warning is not None:
            self._warn(loaded.warning)
        return loaded.session

    def open_outbox(self, nick: str, run: str) -> tuple[Snapshot, ...]:
        """Begin to keep cursors and drafts; what earlier runs of the same person left of them."""
        if self._folder is None or self._state is None:
            return ()
        session = self._state.load(nick).session
        nicks = self._state.nicks_of(session) if session is not None else ()
        try:
            self._outbox = Outbox(self._folder, self._host, self._port, nick, run, nicks)
        except OSError as error:
            self._complain(error)
            return ()
        for warning in self._outbox.warnings:
            self._warn(warning)
        return self._outbox.saved

    # -------------------------------------------------------------- what happens

    def keep_session(self, nick: str, session: str) -> None:
        """The session is `nick`'s."""
        if self._state is not None:
            try:
                self._state.save(nick, session)
            except OSError as error:
                self._complain(error)

    def forget_session(self, nick: str) -> None:
        """The session of `nick` proves nothing any more."""
        if self._state is not None:
            try:
                self._state.forget(nick)
            except OSError as error:
                self._complain(error)

    def keep_draft(self, draft: Draft) -> None:
        """A draft is about to be sent; `flush` before it is."""
        if self._outbox is not None:
            self._outbox.add(draft)

    def forget_draft(self, id: str) -> None:
        """A draft is settled."""
        if self._outbox is not None:
            self._outbox.settle(id)

    def keep_nick(self, nick: str) -> None:
        """We go by another nick."""
        if self._outbox is not None:
            try:
                self._outbox.become(nick)
            except OSError as error:
                self._complain(error)

    def keep_name(self, nick: str) -> None:
        """Echoes of ours may bear `nick`."""
        if self._outbox is not None:
            self._outbox.name(nick)

    def keep_rooms(self, nick: str, rooms: tuple[str, ...]) -> None:
        """`nick` is in these rooms, for a start that names none."""
        if self._folder is not None:
            try:
                Whereabouts(self._folder, self._host, self._port, nick).keep(rooms)
            except OSError as error:
                self._complain(error)

    def move_cursor(self, old: str, new: str) -> None:
        """A conversation is called otherwise."""
        if self._outbox is not None:
            self._outbox.rename(old, new)

    def keep_cursors(self, cursors: dict[str, int]) -> None:
        """Messages up to these were shown."""
        if self._outbox is not None:
            self._outbox.move(cursors)

    def rewrite(self, snapshot: Snapshot) -> None:
        """Keep `snapshot`, and nothing else."""
        if self._outbox is not None:
            try:
                self._outbox.rewrite(snapshot)
            except OSError as error:
                self._complain(error)

    def flush(self, snapshot: Callable[[], Snapshot]) -> None:
        """Write what has happened; `snapshot` is asked for when the journal has grown too long."""
        if self._outbox is None:
            return
        try:
            self._outbox.flush()
        except OSError as error:
            self._complain(error)
            return
        if self._outbox.wants_rewrite:
            self.rewrite(snapshot())

    def close(self) -> None:
        """Leave everything to the next start."""
        outbox, self._outbox = self._outbox, None
        if outbox is not None:
            try:
                outbox.close()
            except OSError as error:
                self._complain(error)

    def _complain(self, error: OSError) -> None:
        if not self._warned:
            self._warned = True
            cure = "Lines not sent yet, or the nick, may be lost when this client ends"
            self._warn(f"This client cannot keep its state. {describe(error)}. {cure}.")
