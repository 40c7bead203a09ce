"""JSON mode: one object per line both ways, for programs that hold a conversation.

In: `{"text": …}` says something (`to`, a room or @nick, is the first room unless given; `action`
and `reply_to` as on the wire), `{"command": NAME, …}` gives a command with its keys, or quits.
A `tag` of any kind comes back with what answers the line. Out: see docs/pipes.md. At the end of
the input it waits until everything is stored and answered, then leaves.

The exit code is 0, or 1 if something was refused or nobody reads the output any more; what ends
the client is raised.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any, Final

from ..client.client import ChatClient
from ..client.entries import is_whole
from ..client.events import (
    CaughtUp,
    ClientEvent,
    Connecting,
    Draft,
    DraftState,
    Ended,
    Heard,
    Message,
    Offline,
    Online,
)
from ..errors import ClientError, GaveUp
from ..protocol.envelopes import Error
from . import jsonlines
from .pipe import MAX_UNSETTLED, PATIENCE, lines
from .report import OutputFailed, complain, forget_stdout, put

_STDIN: Final = 0
#: Of an event, what the line says otherwise, and what lets in: the client has kept that.
_UNSAID: Final = {"type", "session"}


class _BadLine(Exception):
    """A line of input that means nothing; the message says why."""


def run(client: ChatClient, room: str) -> int:
    """Converse from stdin to stdout until either, or the client, ends; returns the exit code.

    `room` is where a text without `to` goes. Raises the ClientError that ended the client.
    """
    return _JsonPipe(client, room).run()


class _JsonPipe:
    """The main thread writes what the client tells; a daemon thread reads and asks."""

    def __init__(self, client: ChatClient, room: str) -> None:
        self._client = client
        self._room = room
        #: Guards all below and the output; notified when the reader may go on.
        self._changed = threading.Condition()
        self._tags: dict[str, Any] = {}  # by the id of what the tagged line asked for
        self._unanswered: set[str] = set()
        self._was_online = self._ended = self._failed = self._unread = False
        self._gave_up: ClientError | None = None

    def run(self) -> int:
        """Until the client has ended."""
        self._client.start()
        threading.Thread(target=self._read_all, name="stdin", daemon=True).start()
        event: ClientEvent | None = None
        leaving = False
        while not isinstance(event, Ended):
            event = self._client.events.get()
            with self._changed:
                self._take(event)
                self._changed.notify_all()
            if self._unread and not leaving:
                leaving = True
                self._client.close()
        error = event.error or self._gave_up
        if error is not None:
            raise error
        return 1 if self._failed or self._unread else 0

    # ------------------------------------------------------------------ in

    def _read_all(self) -> None:
        """The thread's work; whatever happens, the client is closed and the main thread ends."""
        reason = None
        try:
            with self._changed:
                self._changed.wait_for(lambda: self._was_online or self._ended)
            for number, line in enumerate(lines(_STDIN), 1):
                self._client.settle(None, MAX_UNSETTLED)
                with self._changed:
                    if self._ended or self._unread:
                        break
                    asked = self._do(number, line) if line.strip() else {}
                if asked.get("command") == "quit":
                    reason = asked.get("reason")
                    break
            self._wait_for_the_rest()
        finally:
            self._client.close(reason if isinstance(reason, str) else None)

    def _do(self, number: int, line: bytes) -> Mapping[str, Any]:
        """Carry out one line; what it said, if that made sense."""
        asked: dict[str, Any] = {}
        try:
            asked = _object_of(line)
            id = self._ask(asked)
        except (_BadLine, ValueError) as problem:
            self._failed = True
            told = {"code": "bad_input", "message": str(problem), "line": number}
            self._put("error", {**told, "tag": asked.get("tag")})
            return {}
        except ClientError:
            return {}  # `Ended` is on its way and says why
        if id is not None and "tag" in asked:
            self._tags[id] = asked["tag"]
        return asked

    def _ask(self, asked: Mapping[str, Any]) -> str | None:
        keys = {key: value for key, value in asked.items() if key != "tag"}
        if "command" in keys:
            name = keys.pop("command")
            if keys.keys() & {"name", "self"}:
                raise _BadLine("no command has such a key; `securechat schema` tells which it has")
            if name == "quit":
                return None
            id = self._client.command(str(name), **keys)
            self._unanswered.add(id)
            return id
        to = keys.pop("to", self._room)
        if "text" not in keys or keys.keys() - {"text", "action", "reply_to"}:
            raise _BadLine('expected {"text": …} with to, action, reply_to, or {"command": …}')
        return self._client.say(to, **keys)

    def _wait_for_the_rest(self) -> None:
        """Wait for answers and echoes, as long as they come."""
        with self._changed:
            answered = self._changed.wait_for(lambda: self._ended or not self._unanswered, PATIENCE)
        if not ((self._client.settle(PATIENCE) and answered) or self._ended):
            self._gave_up = GaveUp(
                f"Not everything was confirmed within {PATIENCE:.0f} s; what was not is kept, and"
                " sent by the next command that reaches the server."
            )

    # ------------------------------------------------------------------ out

    def _take(self, event: ClientEvent) -> None:
        name, keys = _told(event)
        id = keys.get("re") if isinstance(event, Heard) else keys.get("id")
        if isinstance(event, Online):
            self._was_online = True
            if event.held:
                self._client.confirm_drafts(True)
        elif isinstance(event, Ended):
            self._ended = True
        elif isinstance(event, Draft):
            self._failed |= event.state is DraftState.REFUSED
        elif isinstance(event, Heard) and is_whole(event.system):
            self._unanswered.discard(event.system.re or "")
            self._failed |= isinstance(event.system, Error) and event.system.re is not None
        self._put(name, {**keys, "tag": self._tags.get(id or "")})

    def _put(self, event: str, keys: Mapping[str, Any]) -> None:
        if self._unread:
            return
        try:
            put([jsonlines.line(event, keys)])
        except BrokenPipeError:
            self._unread = True
            forget_stdout()
        except OutputFailed as error:
            self._unread = True
            complain(str(error))


def _object_of(line: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(line)
    except (ValueError, RecursionError):
        raise _BadLine("this is no JSON in UTF-8") from None
    if not isinstance(asked, dict):
        raise _BadLine("this is no JSON object")
    return asked


def _told(event: ClientEvent) -> tuple[str, dict[str, Any]]:
    """The name and the keys of an event."""
    match event:
        case Connecting(host, port, attempt):
            return "connecting", {"host": host, "port": port, "attempt": attempt}
        case Online(welcome):
            return "online", {
                "nick": welcome.nick,
                "server": welcome.server,
                "max_text": welcome.limits.max_text,
                "resumed": event.resumed,
                "back": event.back,
            }
        case CaughtUp(missed, sent):
            return "caught_up", {"missed": missed, "sent": sent}
        case Offline():
            return "offline", {"reason": event.reason, "retry_in": event.retry_in}
        case Message(conversation, posted, own, missed):
            keys = jsonlines.message(posted, conversation)
            return "message", {**keys, "own": own, "missed": missed}
        case Draft():
            return "draft", {
                "id": event.id,
                "conversation": event.conversation,
                "state": event.state.value,
                "seq": event.seq,
                "reason": event.reason or None,
                "code": event.code or None,
            }
        case Heard(system):
            keys = system.model_dump(mode="json", exclude=_UNSAID, exclude_none=True)
            return keys.pop("event"), keys
        case _:
            error = getattr(event, "error", None)
            return "ended", {"reason": None if error is None else str(error)}
