"""`securechat.connect` against a real server: what comes back, what is raised, what comes again."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

import securechat
from securechat import (
    CannotConnect,
    ClientError,
    Connected,
    Disconnected,
    GaveUp,
    Message,
    NotTrusted,
    Receipt,
    Refused,
    Rejected,
    TimedOut,
)
from securechat.certs import check_server_pair
from securechat.chat.limits import TokenBucket
from securechat.config import ChatLimits
from securechat.sdk import exchange
from securechat.testing import ChatServer

DEADLINE = 10.0

Kind = TypeVar("Kind", bound=securechat.Event)


# ------------------------------------------------------------------ send, receive


def test_a_receipt_says_where_the_message_stands(chat_server: ChatServer) -> None:
    with chat_server.connect("ann") as ann, chat_server.connect("bob") as bob:
        assert bob.send("#lobby", "hello") == Receipt("#lobby", 1, ann.receive(DEADLINE).id)
        receipt = bob.send("@ann", "waves", action=True)
        message = ann.receive(DEADLINE)
        assert (receipt.conversation, receipt.seq) == ("@ann", 1)
        assert (message.conversation, message.sender, message.text) == ("@bob", "bob", "waves")
        assert (message.action, message.is_direct, message.by_bot) == (True, True, False)
        assert abs(message.time - datetime.now(UTC)) < timedelta(minutes=1)
        answer = ann.send("#lobby", "hi", reply_to=1)
        assert (answer.seq, bob.receive(DEADLINE).reply_to) == (2, 1)


def test_one_hears_oneself_only_if_wished(chat_server: ChatServer) -> None:
    with chat_server.connect("ann", own=True) as ann, chat_server.connect("bob") as bob:
        ann.send("#lobby", "one")
        bob.send("#lobby", "two")
        heard = [ann.receive(DEADLINE) for _ in range(2)]
        assert [(one.text, one.own) for one in heard] == [("one", True), ("two", False)]
        assert bob.receive(DEADLINE).text == "one"
        with pytest.raises(TimedOut):
            bob.receive(0.0)


def test_a_loop_over_messages_ends_when_the_chat_is_closed(chat_server: ChatServer) -> None:
    with chat_server.connect("ann") as ann, chat_server.connect("bob") as bob:
        for number in range(3):
            bob.send("#lobby", str(number))
        heard = []
        for message in ann:
            heard.append(message.text)
            if message.text == "2":
                threading.Thread(target=ann.close).start()
        assert heard == ["0", "1", "2"]
        with pytest.raises(ClientError, match="closed"):
            ann.send("#lobby", "late")


@pytest.mark.parametrize(
    ("to", "text", "code"),
    [
        ("#nowhere", "hello", "no_such_room"),
        ("@nobody", "hello", "no_such_user"),
        ("#lobby", " ", "bad_text"),
        ("#lobby", "x" * 4_001, "text_too_long"),
    ],
)
def test_what_the_server_refuses_is_raised(
    chat_server: ChatServer, to: str, text: str, code: str
) -> None:
    with chat_server.connect("ann") as ann:
        with pytest.raises(Rejected) as raised:
            ann.send(to, text)
        assert raised.value.code == code
        assert ann.send("#lobby", "fine").seq == 1


def test_what_is_no_message_at_all_is_a_value_error(chat_server: ChatServer) -> None:
    with chat_server.connect("ann") as ann, pytest.raises(ValueError, match="cannot be sent"):
        ann.send("lobby", "hello")


def test_many_threads_may_send(chat_server: ChatServer) -> None:
    with chat_server.connect("ann") as ann, chat_server.connect("bob") as bob:
        threads = [
            threading.Thread(target=lambda: [ann.send("#lobby", "x") for _ in range(5)])
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        assert [bob.receive(DEADLINE).seq for _ in range(20)] == list(range(1, 21))
        for thread in threads:
            thread.join()


def test_what_nobody_receives_waits_outside(
    chat_server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "MOST_WAITING", 3)
    with chat_server.connect("ann") as ann, chat_server.connect("bob") as bob:
        for number in range(20):
            bob.send("#lobby", str(number))
        assert ann.send("#lobby", "I can still send").seq == 21
        assert [ann.receive(DEADLINE).text for _ in range(20)] == [str(n) for n in range(20)]


def test_who_sends_fast_keeps_the_pace_of_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = list[float]()

    class Watched(TokenBucket):
        """For it no time goes by, however busy this machine is."""

        def available(self, now: float) -> int:
            return super().available(self.began) if waits else self.begin(now)

        def begin(self, now: float) -> int:
            self.began = now
            return super().available(now)

        def wait(self) -> float:
            waits.append(super().wait())
            return waits[-1]

    monkeypatch.setattr(exchange, "TokenBucket", Watched)
    limits = replace(ChatLimits(), rate=50.0, burst=40)
    with ChatServer(tmp_path, limits=limits) as server, server.connect("ann") as ann:
        assert (ann.server.rate, ann.server.burst) == (50.0, 40)
        began = time.monotonic()
        for _ in range(22):
            ann.send("#lobby", "x")
        assert waits == pytest.approx([*[0.0] * 20, 1 / 50, 2 / 50])  # half of the burst is ours
        assert time.monotonic() - began > 3 / 50


# ------------------------------------------------------------------ commands


def test_commands_come_back_with_values(chat_server: ChatServer) -> None:
    with chat_server.connect("ann") as ann, chat_server.connect("bob", rooms=[]) as bob:
        ann.send("#lobby", "one")
        ann.send("#lobby", "two")
        assert ann.topic("#lobby", "Tea at four") == ann.topic("#lobby") == "Tea at four"
        room = bob.join("#lobby", last=1)
        assert (room.name, room.members, room.topic, room.seq) == ("#lobby", 2, "Tea at four", 2)
        assert bob.receive(DEADLINE).text == "two"
        assert [(one.name, one.members) for one in bob.rooms()] == [("#lobby", 2)]
        assert {one.nick for one in bob.who("#lobby")} == {one.nick for one in bob.who()}
        page = ann.history("#lobby", limit=1)
        assert ([one.text for one in page.messages], page.more) == (["two"], True)
        assert [one.own for one in page.messages] == [True]
        assert [one.seq for one in bob.history("#lobby", before=2).messages] == [1]
        assert bob.change_nick("carol") == bob.nick == "carol"
        assert abs(bob.server_time() - datetime.now(UTC)) < timedelta(minutes=1)
        bob.leave("#lobby")
        with pytest.raises(Rejected) as raised:
            bob.send("#lobby", "gone")
        assert raised.value.code == "not_a_member"


def test_a_command_that_is_refused_is_raised(chat_server: ChatServer) -> None:
    with chat_server.connect("ann") as ann, pytest.raises(Rejected) as raised:
        ann.who("#nowhere")
    assert raised.value.code == "no_such_room"


def test_long_answers_come_whole(tmp_path: Path) -> None:
    limits = replace(ChatLimits(), rate=0.0)
    with ChatServer(tmp_path, limits=limits) as server, server.connect("ann", rooms=[]) as ann:
        names = [f"#room{number}" for number in range(40)]
        for name in names:
            ann.join(name)
            ann.topic(name, "\N{HOT BEVERAGE}\N{SNOWFLAKE}" * 250)
        assert sorted(one.name for one in ann.rooms()) == sorted(names)  # two frames


# ------------------------------------------------------------------ connecting


@pytest.mark.parametrize(
    "keys",
    [{"rooms": "lobby"}, {"since": "yesterday"}, {"since": -1}, {"nick": "x" * 300}],
)
def test_what_cannot_be_is_a_value_error(chat_server: ChatServer, keys: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        chat_server.connect(**{"nick": "ann", **keys})


def test_the_port_may_stand_behind_the_host(chat_server: ChatServer) -> None:
    where = f"{chat_server.host}:{chat_server.port}"
    certs = chat_server.certs
    with securechat.connect(where, nick="ann", certs=certs, keep=False) as ann:
        assert ann.send("#lobby", "hi").seq > 0
    with pytest.raises(ValueError, match="say it once"):
        securechat.connect(where, 1, nick="ann", certs=certs, keep=False)


def test_a_bot_finds_the_port_behind_the_host(chat_server: ChatServer) -> None:
    where = f"{chat_server.host}:{chat_server.port}"
    bot = securechat.Bot("robby")
    bot.on_start(lambda _chat: bot.stop())
    bot.serve(where, certs=chat_server.certs, keep=False)
    with pytest.raises(SystemExit) as ended:
        bot.run(where, 1, certs=chat_server.certs, keep=False)
    assert ended.value.code == 2


def test_nobody_there() -> None:
    with pytest.raises(CannotConnect):
        securechat.connect("127.0.0.1", 1, nick="ann", certs=None, keep=False)


def test_nobody_to_trust(chat_server: ChatServer, tmp_path: Path) -> None:
    with pytest.raises(NotTrusted, match="cannot be read"):
        securechat.connect("127.0.0.1", chat_server.port, nick="ann", certs=tmp_path, keep=False)
    with pytest.raises(NotTrusted, match="is not trusted"):
        securechat.connect("127.0.0.1", chat_server.port, nick="ann", certs=None, keep=False)


def test_the_key_may_be_named_and_is_known_from_then_on(
    chat_server: ChatServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    where = ("127.0.0.1", chat_server.port)
    pair = check_server_pair(chat_server.certs, now=datetime.now(UTC))
    with pytest.raises(NotTrusted, match="NOT the one you trust"):
        securechat.connect(*where, nick="ann", fingerprint="00" * 32, keep=False)
    for nick, key in (("ann", pair.key_fingerprint), ("ben", None)):
        securechat.connect(*where, nick=nick, fingerprint=key, keep=False).close()


def test_the_certificate_may_be_named_itself(chat_server: ChatServer) -> None:
    ca = chat_server.certs / "ca.pem"
    securechat.connect("127.0.0.1", chat_server.port, nick="ann", certs=ca, keep=False).close()


def test_a_nick_that_is_taken(chat_server: ChatServer) -> None:
    keys: dict[str, Any] = {"certs": chat_server.certs, "keep": False}
    with (
        securechat.connect("127.0.0.1", chat_server.port, nick="ann", **keys),
        pytest.raises(Refused, match="nick"),
    ):
        securechat.connect("127.0.0.1", chat_server.port, nick="ann", **keys)


def test_a_room_that_is_refused(tmp_path: Path) -> None:
    limits = replace(ChatLimits(), subscriptions=1)
    with ChatServer(tmp_path, limits=limits) as server:
        with pytest.raises(Rejected) as raised:
            server.connect("ann", rooms=["#one", "#two"])
        assert raised.value.code == "forbidden"


def test_a_link_that_is_lost_for_good(chat_server: ChatServer) -> None:
    keys: dict[str, Any] = {"certs": chat_server.certs, "keep": False, "reconnect": False}
    with securechat.connect("127.0.0.1", chat_server.port, nick="ann", **keys) as ann:
        chat_server.stop()
        with pytest.raises(GaveUp):
            for _ in ann:
                pass
        with pytest.raises(GaveUp):
            ann.send("#lobby", "hello")


# ------------------------------------------------------------------ since, and coming back


def test_now_is_not_what_was_said_before(chat_server: ChatServer) -> None:
    with chat_server.connect("ann") as ann:
        ann.send("#lobby", "before")
        for _ in range(2):
            with chat_server.connect("bob") as bob:
                ann.send("#lobby", "now")
                assert (one := bob.receive(DEADLINE)).text == "now"
                assert not one.missed
            ann.send("#lobby", "between")


def test_behind_a_number(chat_server: ChatServer) -> None:
    with chat_server.connect("ann") as ann:
        for text in "abc":
            ann.send("#lobby", text)
        with chat_server.connect("bob", since=1) as bob:
            heard = [bob.receive(DEADLINE) for _ in range(2)]
    assert [(one.seq, one.text, one.missed) for one in heard] == [(2, "b", True), (3, "c", True)]


def test_last_is_where_we_were_done(chat_server: ChatServer) -> None:
    with chat_server.connect("ann") as ann:
        with chat_server.connect("bob", since="last") as bob:
            for text in "abc":
                ann.send("#lobby", text)
            assert [bob.receive(DEADLINE).text for _ in range(3)] == ["a", "b", "c"]
        ann.send("#lobby", "d")
        bob = chat_server.connect("bob", since="last")
        assert bob.receive(DEADLINE).text == "d"
        bob.close()  # and not by the end of a `with`: who knows what became of d
        ann.send("@bob", "e")
        with chat_server.connect("bob", since="last") as bob:
            assert {bob.receive(DEADLINE).text for _ in range(2)} == {"d", "e"}
        with chat_server.connect("bob", since="last") as bob:
            ann.send("#lobby", "f")
            assert bob.receive(DEADLINE).text == "f"


@pytest.mark.slow
def test_a_restart_in_between_loses_nothing(tmp_path: Path) -> None:
    with (
        ChatServer(tmp_path, keep=True) as server,
        server.connect("ann") as ann,
        server.connect("bob") as bob,
    ):
        ann.send("#lobby", "one")
        server.restart()
        assert ann.send("#lobby", "two").seq == 2
        assert [bob.receive(DEADLINE).text for _ in range(2)] == ["one", "two"]


@pytest.mark.slow
def test_how_the_link_is_comes_in_its_place(tmp_path: Path) -> None:
    with ChatServer(tmp_path, keep=True) as server, server.connect("ann") as ann:
        server.restart()
        heard = [ann.next_event(DEADLINE) for _ in range(3)]
        assert heard[0] == Connected(resumed=False)
        assert isinstance(heard[1], Disconnected)
        assert heard[2] == Connected(resumed=True)


def test_a_new_run_resumes_nothing(chat_server: ChatServer) -> None:
    for _ in range(2):  # the second time the server knows us
        with chat_server.connect("ann") as ann:
            assert ann.next_event(DEADLINE) == Connected(resumed=False)


@pytest.mark.slow
def test_a_server_that_has_forgotten_all_resumes_nothing(chat_server: ChatServer) -> None:
    with chat_server.connect("ann") as ann:
        assert wait_for(ann, Connected) == Connected(resumed=False)
        chat_server.restart()
        assert wait_for(ann, Connected) == Connected(resumed=False)


@pytest.mark.slow
def test_being_away_outlives_the_server(tmp_path: Path) -> None:
    with ChatServer(tmp_path, keep=True) as server, server.connect("ann") as ann:
        ann.away("lunch")
        wait_for(ann, Connected)
        server.restart()
        wait_for(ann, Connected)
        with server.connect("ben") as ben:
            deadline = time.monotonic() + DEADLINE
            while (why := ben.whois("ann").away) is None:
                assert time.monotonic() < deadline
            assert why == "lunch"


@pytest.mark.slow
def test_an_echo_that_does_not_come_in_time_still_comes(tmp_path: Path) -> None:
    with ChatServer(tmp_path, keep=True) as server, server.connect("ann", own=True) as ann:
        server.stop()
        wait_for(ann, Disconnected)
        with pytest.raises(Rejected) as raised:
            ann.who()
        assert raised.value.code == "offline"
        with pytest.raises(TimedOut, match="may still come"):
            ann.send("#lobby", "late", timeout=0.0)
        server.restart()
        message = wait_for(ann, Message)
        assert (message.text, message.own) == ("late", True)


def wait_for(chat: securechat.Chat, kind: type[Kind]) -> Kind:
    while not isinstance(event := chat.next_event(DEADLINE), kind):
        pass
    return event


def test_an_account_comes_in_by_its_password(chat_server: ChatServer, tmp_path: Path) -> None:
    certs, port = chat_server.certs, chat_server.port
    with securechat.connect(
        port=port, certs=certs, nick="robot", state_dir=tmp_path / "a"
    ) as robot:
        robot._exchange.client.command("register", password="oil and electricity")
        deadline = time.monotonic() + DEADLINE
        while robot.who()[0].role != "member":
            assert time.monotonic() < deadline
            time.sleep(0.02)
    with pytest.raises(Refused) as refusal:
        securechat.connect(port=port, certs=certs, nick="robot", state_dir=tmp_path / "b")
    assert refusal.value.code == "auth_required"
    for password in ("oil and electricity", None):  # then by the session that was kept
        with securechat.connect(
            port=port, certs=certs, nick="robot", password=password, state_dir=tmp_path / "b"
        ) as robot:
            assert {it.nick: it.role for it in robot.who()} == {"robot": "member"}
