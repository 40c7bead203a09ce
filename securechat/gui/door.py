"""The door in front of the chat: which server, as whom, and whether it is the right one.

A person fills it in, or it is filled in already. `enter` gets where to go, as whom and whom to
trust; nothing else is known here of what comes behind it.
"""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from queue import Empty
from tkinter import ttk
from typing import Final

from pydantic import SecretStr

from ..client.harmless import harmless_line
from ..client.invite_link import SCHEME, InviteLink
from ..client.known_file import KnownFile
from ..client.known_servers import Server
from ..client.remembered import last_nick
from ..client.trust_policy import Wishes
from ..errors import ClientError, KeyChanged, Refused, SecureChatError
from ..target import Target
from .marks import FirstVisit, NewMark, stop_in_plain_words
from .meeting import Admitted, Asked, Failed, Knock, Meeting, parse_where
from .scrolled import Scrolled

_LONGEST_NICK: Final = 32
_WANTS_PASSWORD: Final = frozenset({"auth_failed", "auth_required"})


class Door(ttk.Frame):
    """The form, and below it what is to be said or asked. Call `look` again and again."""

    def __init__(
        self,
        master: tk.Misc,
        *,
        file: KnownFile,
        wishes: Wishes,
        servers: Sequence[str],
        enter: Callable[[Admitted], None],
        titled: Callable[[str], None],
    ) -> None:
        super().__init__(master)
        self._file = file
        self._wishes = wishes
        self._enter = enter
        self._titled = titled
        self._meeting: Meeting | None = None
        self._question: ttk.Frame | None = None
        self._suggested = ""
        self._scrolled = Scrolled(self)
        self._scrolled.pack(fill="both", expand=True)
        form = self._scrolled.body
        ttk.Label(form, text="securechat", style="Large.TLabel").pack(anchor="w")
        ttk.Label(
            form,
            text="Whoever runs the chat has sent you an invite, or told you where it is.",
            style="Faint.TLabel",
        ).pack(anchor="w", pady=(2, 12))
        self._server = ttk.Combobox(form, values=list(servers), font="chat")
        self._nick = ttk.Entry(form, font="chat")
        self._password = ttk.Entry(form, font="chat", show="•")
        self._fields = (self._server, self._nick, self._password)
        labels = (
            "Invite, or where the chat is",
            "What others shall call you (an invite may say it already)",
            "Password, if you have one",
        )
        for label, field in zip(labels, self._fields, strict=True):
            ttk.Label(form, text=label).pack(anchor="w", pady=(8, 2))
            field.pack(fill="x")
            field.bind("<Return>", lambda _: self.knock())
        self._button = ttk.Button(form, text="Connect", command=self.knock, style="Accent.TButton")
        self._button.pack(anchor="e", pady=(14, 0))
        self._said = ttk.Label(form, justify="left", style="Faint.TLabel")
        self._said.pack(anchor="w", pady=(14, 0))
        self._server.bind("<<ComboboxSelected>>", lambda _: self._suggest_nick())
        if len(servers) == 1:
            self._server.set(servers[0])

    # ------------------------------------------------------------------ told by the window

    def fill(self, server: str, nick: str) -> None:
        """Fill the form in."""
        if server:
            self._server.set(server)
        self._set_nick(nick)
        self._suggest_nick()

    def dress(self, background: str, unit: int) -> None:
        """Take on a colour, and sizes that go with text of `unit` pixels."""
        self._scrolled.dress(background, unit)

    def _set_nick(self, nick: str) -> None:
        self._nick.delete(0, "end")
        self._nick.insert(0, nick)

    def _suggest_nick(self) -> None:
        """Offer the nick that one went by there the last time, unless another is typed."""
        if self._nick.get() not in ("", self._suggested):
            return
        try:
            target = parse_where(self._server.get())
        except ValueError:
            return
        if isinstance(target, Target):
            self._suggested = last_nick(self._file.path.parent, *target)
            self._set_nick(self._suggested)

    def present(self, problem: SecureChatError | None = None) -> None:
        """Let a person fill it in; `problem` is why one did not get in."""
        self._open(True)
        self._titled("securechat" if problem is None else "not let in · securechat")
        if isinstance(problem, KeyChanged):
            self._say(stop_in_plain_words(problem), is_bad=True)
            self._offer_new_mark()
        elif problem is not None:
            self._say(harmless_line(str(problem)), is_bad=True)
        field = self._next_field(problem)
        field.focus_force()
        if isinstance(field, ttk.Entry):
            field.select_range(0, "end")  # what is typed or pasted now takes its place

    def _next_field(self, problem: SecureChatError | None) -> ttk.Entry | ttk.Button:
        """Where something is missing, or has to be mended."""
        if SCHEME in self._server.get().lower():
            return self._button if problem is None else self._server
        if isinstance(problem, Refused):
            return self._password if problem.code in _WANTS_PASSWORD else self._nick
        if problem is not None or not self._server.get():
            return self._server
        return self._button if self._nick.get() else self._nick

    def look(self) -> None:
        """See what became of the meeting."""
        if self._meeting is None:
            return
        try:
            event = self._meeting.events.get_nowait()
        except Empty:
            return
        match event:
            case Asked(server, fingerprint):
                self._ask(str(server), fingerprint)
            case Admitted(target, nick):
                self._meeting = None
                self._say(f"Connecting to {harmless_line(target.host)} …")
                self.fill(Server.at(*target).typed, nick)  # an invite is used up
                self._password.delete(0, "end")
                self._enter(event)
            case Failed(error):
                self._meeting = None
                self.present(error)

    def close(self) -> None:
        """Nobody waits any longer."""
        if self._meeting is not None:
            self._meeting.cancel()
            self._meeting = None

    # ------------------------------------------------------------------ the person

    def knock(self) -> None:
        """Go to the server that the form names."""
        if self._meeting is not None:
            return
        knock = self._knock()
        if isinstance(knock, str):
            self._say(knock, is_bad=True)
            return
        self._titled("securechat")
        self._say(f"Looking for {harmless_line(knock.host)} …")
        self._open(False)
        self._meeting = Meeting(knock, self._wishes, self._file)
        self._meeting.start()

    def stop(self) -> None:
        """Wait no longer for the server."""
        self.close()
        self._say("")
        self.present()

    def _knock(self) -> Knock | str:
        """What the form says, or what is wrong with it."""
        typed, nick = self._server.get().strip(), self._nick.get().strip()
        password = SecretStr(self._password.get()) if self._password.get() else None
        try:
            where = parse_where(typed)
        except ValueError:
            self._server.focus_set()
            if "securechat:" in typed.lower():
                return "This is not the whole invite. Copy all of the line, up to its last letter."
            return (
                "Which server? Paste the invite that you were sent, or type the name you were "
                "told, for example chat.example.org, or localhost for one on this computer."
            )
        is_invited = isinstance(where, InviteLink)
        if len(nick) > _LONGEST_NICK or not (nick or is_invited):
            self._nick.focus_set()
            return "What shall others call you? A nick has 1 to 32 characters, for example bob."
        return Knock(where, nick, password)

    # ------------------------------------------------------------------ what is said and asked

    def _open(self, is_open: bool) -> None:
        for field in self._fields:
            field.configure(state="normal" if is_open else "disabled")
        if is_open:
            self._button.configure(text="Connect", command=self.knock)
        else:
            self._button.configure(text="Stop", command=self.stop)
        self._forget_question()

    def _forget_question(self) -> None:
        if self._question is not None:
            self._question.destroy()
            self._question = None

    def _say(self, text: str, *, is_bad: bool = False) -> None:
        self._said.configure(text=text, style="Bad.TLabel" if is_bad else "Faint.TLabel")

    def _ask(self, server: str, fingerprint: str) -> None:
        """The question of the first meeting, for somebody who never heard of keys."""
        self._say("")
        self._titled(f"first visit to {server} · securechat")
        self._forget_question()
        question = FirstVisit(self._scrolled.body, server, fingerprint, self._answer)
        question.pack(fill="x")
        question.take_keyboard()
        self._question = question

    def _answer(self, is_the_same: bool) -> None:
        self._forget_question()
        if self._meeting is not None:
            self._meeting.answer(is_the_same)

    def _offer_new_mark(self) -> None:
        """Take a new mark of the server that the form names."""
        where = parse_where(self._server.get())
        server = Server.at(where.host, where.port)

        def keep(mark: str) -> None:
            today = datetime.now(UTC).date()
            try:
                self._file.change(lambda known: known.with_key(server, mark, today))
            except ClientError as problem:
                self._say(harmless_line(str(problem)), is_bad=True)
                return
            self._forget_question()
            self._say(f"From now on {server} is known by that fingerprint. Connect again.")
            self._button.focus_set()

        self._question = NewMark(self._scrolled.body, keep)
        self._question.pack(fill="x")
