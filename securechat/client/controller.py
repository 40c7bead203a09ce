"""One person's chat without a screen: typed lines go to the client, events become entries.

Front ends hand in each typed line (`enter`) and each event of the client (`take`), and draw the
entries that come out. The timeline, and which conversation is shown, live here. One thread at a
time; no screen, no socket of its own. What was typed wrongly is raised as `BadInput`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from ..errors import ClientError
from ..protocol.envelopes import (
    AwayIs,
    Error,
    HelpIs,
    HistoryPage,
    Joined,
    Left,
    Renamed,
    SearchPage,
    System,
)
from . import commands, slash
from .actions import (
    Around,
    Ask,
    Clear,
    Confirm,
    Enter,
    Explain,
    Ignore,
    Leave,
    Quit,
    Reconnect,
    Remove,
    Reply,
    Say,
    Search,
    Secretly,
    SetBell,
)
from .arguments import BadInput
from .bell import Bell
from .entries import REMOVED, Entry, Kind, counted, is_whole
from .events import ClientEvent, Ended, Heard, Offline, Online
from .ignored import Ignored
from .interface import Client, KeepsIgnored
from .recall import Recall
from .standing import Standing
from .timeline import Timeline
from .unseen import flaw

#: A room larger than this is not listed name by name when we come in.
MAX_LISTED: Final = 30

#: Messages of a page of history that is fetched while somebody scrolls up.
OLDER_PAGE: Final = 100

#: Messages that a search brings, and those before and behind one that was found.
FOUND_PAGE: Final = 20
NEAR: Final = 10


class Controller:
    """The state between a person and a client.

    `interactive`: somebody is there to be told who is in a room, and to be asked what becomes of
    drafts; else those are sent again. `has_sides`: who is in a room, and how the link is, is shown
    all the time beside the messages, so it is not told once more among them. `unanswered` are the
    commands that were typed and wait for an answer; `latest` is the id of what the line entered
    last has sent, a message or a command, None: nothing. `asking` are secrets that the line just
    entered needs: have them typed where nobody sees it and call `answer`, or `leave_unanswered`.
    `leaving` is set when the person wants to leave: close the client with that reason. `clearing`
    is set when an empty screen is wanted: whoever draws one sets it back. `done` is set when
    nothing will follow; then `error` is what ended it, None if it was wished.
    """

    def __init__(
        self,
        client: Client,
        nick: str,
        rooms: tuple[str, ...],
        *,
        interactive: bool = True,
        has_sides: bool = False,
    ) -> None:
        self.client = client
        self._ignored = client.ignored if isinstance(client, KeepsIgnored) else Ignored()
        self.timeline = Timeline(nick, ignored=self._ignored, tells_attempts=not has_sides)
        self.asking: Secretly | None = None
        self.bell = Bell()
        self.leaving: Quit | None = None
        self.clearing = False
        self.done = False
        self.error: ClientError | None = None
        self.unanswered: set[str] = set()
        self.latest: str | None = None
        self._interactive = interactive
        self._has_sides = has_sides
        self._moving: set[str] = set()
        self._asides: set[str] = set()  # commands that nobody typed
        self._recall = Recall()
        self._standing = Standing()
        if rooms:
            self.timeline.look_at(rooms[0])

    @property
    def focus(self) -> str | None:
        """The conversation that is shown, and that what is typed goes to."""
        return self.timeline.focus

    # ------------------------------------------------------------------ the person

    def enter(self, line: str, now: datetime, here: str | None) -> list[Entry]:
        """Do what `line`, typed in conversation `here`, asks for. `now` in UTC.

        Raises BadInput, and ClientError when the client has ended and `Ended` is on its way.
        """
        self.latest = None
        action = slash.parse(line, here)
        if action is None:
            return []
        try:
            told = _DO[type(action)](self, action)
        except ValueError as problem:  # no such thing can be sent
            raise BadInput(f"Not sent: {problem}") from None
        return [Entry(Kind.ANSWER, now, text) for text in told]

    def answer(self, secrets: Sequence[str]) -> None:
        """Give the command of `asking` what was asked for; raises as `enter` does."""
        action, self.asking = self.asking, None
        assert action is not None
        keys, before = dict(action.keys), ""
        # "Try again" would have people type a password where it is said to all.
        again = f"Type /{action.name} to be asked again."
        for question, secret in zip(action.questions, secrets, strict=True):
            if not question.key and secret != before:
                raise BadInput(f"Those were two different passwords; nothing was sent. {again}")
            if not secret and not question.optional:
                raise BadInput(f"Nothing was typed, so nothing was sent. {again}")
            if question.key and secret:
                keys[question.key] = secret
            before = secret
        try:
            self._command(action.name, **keys)
        except ValueError as problem:
            raise BadInput(f"Not sent: {problem}") from None

    def flaw(self, secrets: Sequence[str]) -> str | None:
        """What is wrong with the last of `secrets`, the answers so far; None: nothing we know of.

        Have it typed anew then; the second of two that differ, with the first.
        """
        assert self.asking is not None
        return flaw(self.asking.questions, secrets, self.timeline.nick)

    def leave_unanswered(self) -> None:
        """Whoever was asked would rather not say."""
        self.asking = None

    def fetch_older(self, name: str, before: int) -> None:
        """Ask for what was said in conversation `name` before message `before`.

        It comes from `take` as entries that are `recalled`. Does nothing when it is under way,
        when there is nothing older, or no link.
        """
        if not self.timeline.online or not self._recall.has_older(name, before):
            return
        try:
            fetch = self.client.command("history", to=name, before=before, limit=OLDER_PAGE)
        except (ClientError, ValueError):  # it ended, or it is a name that no server could have
            return
        self._asides.add(fetch)
        self._recall.fetch(fetch, name)

    def find(self, query: str | None) -> None:
        """Look for messages; None: for older ones than were found last.

        They come from `take` as entries that are `found`. Raises BadInput when there is nothing
        older, and ClientError when the client has ended.
        """
        before = None
        if query is None:
            goes_on = self._recall.next_search()
            if goes_on is None:
                raise BadInput("There is nothing more. Look for something: /search WORDS")
            query, before = goes_on
        keys = {"before": before} if before is not None else {}
        self._recall.search(self._command("search", query=query, limit=FOUND_PAGE, **keys), query)

    def show_around(self, name: str, seq: int, near: int = NEAR) -> str:
        """Ask for what was said around message `seq` of conversation `name`; returns the command.

        It comes from `take` as entries that are `found`. Raises ClientError when the client ended.
        """
        fetch = self._command("history", to=name, before=seq + near + 1, limit=2 * near + 1)
        self.timeline.expect_context(fetch, seq)
        return fetch

    def send_again(self, draft_id: str) -> None:
        """Say once more what was refused; raises ClientError when the client has ended."""
        draft = self.timeline.refused[draft_id]
        self.client.say(draft.conversation, draft.text, action=draft.action)
        del self.timeline.refused[draft_id]

    def forget(self, draft_id: str) -> None:
        """Do not show any longer what was refused."""
        draft = self.timeline.refused.pop(draft_id, None)
        if draft is not None and draft.code == "no_such_user":
            self.timeline.close_unused(draft.conversation)

    def _say(self, action: Say) -> list[str]:
        size = len(action.text)
        if size > self.timeline.max_text:
            raise BadInput(
                f"Not sent: a message has at most {self.timeline.max_text:,} characters,"
                f" this one {size:,}. Split it."
            )
        self.latest = self.client.say(action.to, action.text, action=action.action)
        return []

    def _ask(self, action: Ask) -> list[str]:
        self._command(action.name, **action.keys)
        return []

    def go_to(self, name: str) -> None:
        """Show conversation `name`, once we have joined it if it is a room that we are not in.

        Raises ClientError when the client has ended.
        """
        if self.timeline.conversation(name).joined:
            self.timeline.look_at(name)
        else:
            self._moving.add(self._command("join", room=name))

    def _enter(self, action: Enter) -> list[str]:
        self.go_to(action.name)
        return []

    def _leave(self, action: Leave) -> list[str]:
        if action.name.startswith("@"):
            if self.focus == action.name:
                self.timeline.step_back()
            self.timeline.close_unused(action.name)
        else:
            self._command("leave", room=action.name)
        return []

    def _explain(self, action: Explain) -> list[str]:
        if action.row is not None:
            return slash.explanation(action.row)
        self._asides.add(self._command("help"))
        return slash.overview()

    def _search(self, action: Search) -> list[str]:
        self.find(action.query)
        return []

    def _around(self, action: Around) -> list[str]:
        self.show_around(action.name, action.seq)
        return []

    def _confirm(self, action: Confirm) -> list[str]:
        self.client.confirm_drafts(action.send)
        return []

    def _secretly(self, action: Secretly) -> list[str]:
        refusal = self._standing.refusal(action.name)
        if refusal is not None:
            raise BadInput(refusal)
        self.asking = action
        return []

    def _reconnect(self, _action: Reconnect) -> list[str]:
        if self.timeline.online:
            raise BadInput("You are connected. If nothing goes through, that is noticed by itself.")
        self.client.hurry()
        return ["trying again now"]

    def _quit(self, action: Quit) -> list[str]:
        self.leaving = action
        return []

    def _remove(self, action: Remove) -> list[str]:
        seq = action.seq or self._last_of(action.to, action.nick)
        keys = {} if action.reason is None else {"reason": action.reason}
        self._command("remove", to=action.to, seq=seq, **keys)
        return []

    def _last_of(self, name: str, nick: str | None) -> int:
        """The number of the last message that `nick` (None: we) said; raises BadInput."""
        for line in reversed(self.timeline.conversation(name).lines):
            is_theirs = line.own if nick is None else line.nick.casefold() == nick.casefold()
            if line.seq and is_theirs and line.text != REMOVED:
                return line.seq
        whose = "of yours" if nick is None else "of theirs"
        raise BadInput(f"There is no message {whose} here. Look with /history, or give its number.")

    def _ignore(self, action: Ignore) -> list[str]:
        if action.nick is None:
            nicks = ", ".join(self._ignored)
            return [f"you ignore {nicks}" if nicks else "you ignore nobody"]
        try:
            change = self._ignored.add if action.on else self._ignored.drop
            changed = change(action.nick)
        except OSError as problem:
            raise BadInput(
                f"That holds until you leave: it could not be kept ({problem})."
            ) from None
        word = "ignore" if action.on else "hear"
        return [f"you {word} {action.nick}{' now' if changed else ' already'}"]

    def _reply(self, action: Reply) -> list[str]:
        to = self.timeline.correspondent
        if to is None:
            raise BadInput("Nobody has written to you alone yet. Write first: /msg carol hello")
        return self._say(Say(to, action.text))

    def _set_bell(self, action: SetBell) -> list[str]:
        if action.level is not None:
            self.bell.level = action.level
        return [f"bell: {self.bell.level.value}"]

    def _clear(self, _action: Clear) -> list[str]:
        self.clearing = True
        self._recall.begin_again(self.focus)
        return []

    def _command(self, name: str, **keys: Any) -> str:
        command_id = self.latest = self.client.command(name, **keys)
        self.unanswered.add(command_id)
        return command_id

    # ------------------------------------------------------------------ the client

    def take(self, event: ClientEvent, now: datetime) -> list[Entry]:
        """Take one event of the client in; return what is to be drawn. `now` in UTC."""
        entries = list(self.timeline.feed(event, now))
        if isinstance(event, Online) and self._ignored.warning:
            entries.append(Entry(Kind.STATE, now, self._ignored.warning))
            self._ignored.warning = None
        if isinstance(event, Online):
            self._standing.greet(event.welcome)
            if event.new_epoch:
                self._recall.lose_history()
        if isinstance(event, Heard):
            self._standing.hear(event.system)
            entries = self._heard(event.system, entries, now)
        elif isinstance(event, Online) and event.held:
            entries.append(self._doubt(event.held, now))
        elif isinstance(event, Offline):
            self._recall.lose_link()
        elif isinstance(event, Ended):
            self.done, self.error = True, event.error
        return entries

    def _doubt(self, held: int, now: datetime) -> Entry:
        """Nobody knows whether drafts were stored in the server's former history."""
        waiting = counted(held, "message", "messages")
        if self._interactive:
            choice = "may not have been sent: /resend sends again, /discard drops"
            return Entry(Kind.STATE, now, f"{waiting} {choice}")
        self.client.confirm_drafts(True)
        return Entry(Kind.STATE, now, f"sending {waiting} again")

    def _heard(self, system: System, entries: list[Entry], now: datetime) -> list[Entry]:
        if isinstance(system, Renamed) and system.old in self._ignored:
            with suppress(OSError, ValueError):  # it holds for this run then
                self._ignored.add(system.nick)
        answers = system.re
        if answers is None:
            return entries
        aside = answers in self._asides
        if is_whole(system):
            self.unanswered.discard(answers)
            self._asides.discard(answers)
        if isinstance(system, Joined):
            self._came_in(system, answers, first=bool(entries))
        elif isinstance(system, Left) and self.focus == system.room:
            self.timeline.step_back()
        elif isinstance(system, HelpIs) and aside and entries:
            return self._more_help(now)
        elif isinstance(system, HistoryPage) and aside:
            self._recall.came(answers, system)
            return [entry for entry in entries if entry.recalled]
        elif isinstance(system, SearchPage):
            self._recall.found(answers, system)
        elif isinstance(system, AwayIs) and aside:
            return []
        elif isinstance(system, Error):
            self._moving.discard(answers)
            self._recall.refused(answers)
            return [] if aside else entries
        return entries

    def _came_in(self, joined: Joined, answers: str, *, first: bool) -> None:
        """We are in a room: by our word (then it is shown), or again after a lost link."""
        if answers in self._moving or self.focus is None:
            self._moving.discard(answers)
            self.timeline.look_at(joined.room)
        if not self._interactive:
            return
        try:
            listing = self.client.command("who", room=joined.room)
        except ClientError:  # it has ended meanwhile, and `Ended` is on its way
            return
        self._asides.add(listing)
        if not (first and not self._has_sides) or (joined.count or 0) > MAX_LISTED:
            self.timeline.hush(listing)

    def _more_help(self, now: datetime) -> list[Entry]:
        """What the server's help knows beyond our own."""
        more = [row for row in self.timeline.server_commands if row.name not in _KNOWN]
        told = "; ".join(f"{row.usage} ({row.summary})" for row in more)
        return [Entry(Kind.ANSWER, now, f"the server can do more: {told}")] if more else []


#: Commands of the wire that need no line in our help: ours have one, the rest go by themselves.
_KNOWN: Final = frozenset({"ping", "pong", "hello", "room", *(row.name for row in commands.ROWS)})

_DO: Final[Mapping[type, Callable[[Controller, Any], list[str]]]] = MappingProxyType(
    {
        Say: Controller._say,
        Ask: Controller._ask,
        Enter: Controller._enter,
        Leave: Controller._leave,
        Explain: Controller._explain,
        Search: Controller._search,
        Around: Controller._around,
        Confirm: Controller._confirm,
        Secretly: Controller._secretly,
        Reconnect: Controller._reconnect,
        Quit: Controller._quit,
        Remove: Controller._remove,
        Ignore: Controller._ignore,
        Reply: Controller._reply,
        SetBell: Controller._set_bell,
        Clear: Controller._clear,
    }
)
