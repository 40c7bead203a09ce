"""The table of slash commands: what each typed line asks for, and what is said about wrong ones."""

from __future__ import annotations

import re

import pytest

from securechat.client import commands
from securechat.client.actions import (
    Action,
    Around,
    Clear,
    Confirm,
    Enter,
    Explain,
    Leave,
    Quit,
    Reply,
    Say,
    Search,
    Secretly,
    SetBell,
    ask,
)
from securechat.client.arguments import BadInput, room_name
from securechat.client.bell import BellLevel
from securechat.client.commands import find
from securechat.client.slash import explanation, has_secret, overview, parse
from securechat.errors import SecureChatError


@pytest.mark.parametrize(
    ("line", "action"),
    [
        ("hello", Say("#lobby", "hello")),
        ("  indented", Say("#lobby", "  indented")),
        ("hello  ", Say("#lobby", "hello")),
        ("//etc/motd", Say("#lobby", "/etc/motd")),
        ("a /b", Say("#lobby", "a /b")),
        ("/me  waves  ", Say("#lobby", "waves", action=True)),
        ("/msg carol psst, you", Say("@carol", "psst, you")),
        ("/MSG @carol psst", Say("@carol", "psst")),
        ("/w carol psst", Say("@carol", "psst")),
        ("/time", ask("time")),
        ("/joke", ask("joke")),
        ("/rooms", ask("rooms")),
        ("/LIST", ask("rooms")),
        ("/conversations", ask("conversations")),
        ("/who", ask("who", room="#lobby")),
        ("/who all", ask("who")),
        ("/who Garden", ask("who", room="#garden")),
        ("/names #garden", ask("who", room="#garden")),
        ("/nick robert", ask("nick", nick="robert")),
        ("/sessions", ask("sessions")),
        ("/logout", ask("logout")),
        ("/logout elsewhere", ask("logout", elsewhere=True)),
        ("/logout 6b3f09c2a1d4", ask("logout", session="6b3f09c2a1d4")),
        ("/topic", ask("topic", room="#lobby")),
        ("/topic roses & weeds", ask("topic", room="#lobby", text="roses & weeds")),
        ("/topic -", ask("topic", room="#lobby", text="")),
        ("/history", ask("history", to="#lobby", limit=commands.DEFAULT_PAGE)),
        ("/history 500", ask("history", to="#lobby", limit=500)),
        ("/join garden", Enter("#garden")),
        ("/j #Garden", Enter("#garden")),
        ("/room garden", Enter("#garden")),
        ("/query carol", Enter("@carol")),
        ("/reply coming", Reply("coming")),
        ("/bell", SetBell(None)),
        ("/bell Mentions", SetBell(BellLevel.MENTIONS)),
        ("/clear", Clear()),
        ("/leave", Leave("#lobby")),
        ("/part garden", Leave("#garden")),
        ("/leave @carol", Leave("@carol")),
        ("/help", Explain(None)),
        ("/help msg", Explain(find("msg"))),
        ("/help /MSG", Explain(find("msg"))),
        ("/resend", Confirm(True)),
        ("/discard", Confirm(False)),
        ('/search "green tea" from:bob', Search('"green tea" from:bob')),
        ("/find tea", Search("tea")),
        ("/more", Search(None)),
        ("/context 12", Around("#lobby", 12)),
        ("/context garden [12]", Around("#garden", 12)),
        ("/context @carol 12", Around("@carol", 12)),
        ("/away", ask("away", text="away")),
        ("/away for lunch", ask("away", text="for lunch")),
        ("/back", ask("away")),
        ("/whois @carol", ask("whois", nick="carol")),
        ("/quit", Quit(None)),
        ("/q good night", Quit("good night")),
        ("/exit", Quit(None)),
    ],
)
def test_what_a_line_asks_for(line: str, action: Action) -> None:
    assert parse(line, "#lobby") == action


@pytest.mark.parametrize("line", ["", "   ", "\t"])
def test_an_empty_line_asks_for_nothing(line: str) -> None:
    assert parse(line, "#lobby") is None


@pytest.mark.parametrize("line", ["/quit\nnow", "one\ntwo", "  /quit\nnow"])
def test_several_lines_are_said_whatever_they_begin_with(line: str) -> None:
    assert parse(line, "#lobby") == Say("#lobby", line)


@pytest.mark.parametrize(
    ("line", "named"),
    [("/jion garden", "/join"), ("/tiem", "/time"), ("/HELPP", "/help"), ("/nmaes", "/who")],
)
def test_an_unknown_command_names_the_nearest(line: str, named: str) -> None:
    with pytest.raises(BadInput, match=f"nothing was sent. Did you mean {named}?"):
        parse(line, "#lobby")


@pytest.mark.parametrize("line", ["/", "/ hello", "/xyzzy", "/\x1b]0;title\x07", "/" + "x" * 99])
def test_what_resembles_nothing_points_to_help(line: str) -> None:
    with pytest.raises(BadInput, match=r"nothing was sent\. /help lists them") as caught:
        parse(line, "#lobby")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200


def test_a_space_before_a_slash_is_not_guessed_about() -> None:
    with pytest.raises(BadInput, match="Remove the space"):
        parse(" /quit", "#lobby")


@pytest.mark.parametrize(
    "line",
    [
        "/msg",
        "/msg carol",
        "/msg carol   ",
        f"/msg {'x' * 33} hi",
        "/nick",
        "/nick two words",
        "/join",
        "/join two rooms",
        "/me",
        "/time now",
        "/who two rooms",
        "/leave two rooms",
        "/query",
        "/history 0",
        "/history 501",
        "/history ten",
        "/history ٣",
        "/history 1 2",
        "/topic " + "x" * 501,
        "/quit " + "x" * 201,
        "/resend it",
        "/search",
        "/search " + "x" * 501,
        "/more tea",
        "/context",
        "/context garden",
        "/context garden 0",
        "/context a b 1",
        "/context ٣",
        "/away " + "x" * 201,
        "/back now",
        "/whois",
        "/whois two words",
    ],
)
def test_wrong_arguments_show_usage_and_an_example(line: str) -> None:
    row = find(line.split()[0][1:])
    with pytest.raises(BadInput) as caught:
        parse(line, "#lobby")
    assert f"Usage: {row.usage}, for example: {row.example}" in str(caught.value)


@pytest.mark.parametrize(
    "line", ["hello", "/me waves", "/leave", "/history", "two\nlines", "/context 1"]
)
def test_without_a_room_one_is_told_to_enter_one(line: str) -> None:
    with pytest.raises(BadInput, match=r"You are in no room\. Enter one: /join lobby"):
        parse(line, None)


@pytest.mark.parametrize("here", [None, "@carol"])
def test_only_rooms_have_topics_and_who_is_everyone_elsewhere(here: str | None) -> None:
    with pytest.raises(BadInput, match="Only a room has a topic"):
        parse("/topic", here)
    assert parse("/who", here) == ask("who")


@pytest.mark.parametrize("word", ["", "#", "a b", "caf\u00e9", "x" * 33, "##a", "@carol"])
def test_what_is_no_room_name(word: str) -> None:
    with pytest.raises(BadInput, match="no room name"):
        room_name(word)


def test_bytes_that_are_no_text_are_not_sent() -> None:
    with pytest.raises(BadInput, match="UTF-8"):
        parse("caf\udce9", "#lobby")


def test_every_example_does_what_its_row_says() -> None:
    for row in commands.ROWS:
        assert row.example.split()[0] == f"/{row.name}"
        assert row.usage.split()[0] == f"/{row.name}"
        assert parse(row.example, "#lobby") is not None


def test_names_and_aliases_are_each_of_one_row() -> None:
    names = [name for row in commands.ROWS for name in (row.name, *row.aliases)]
    assert len(names) == len(set(names))
    assert {*commands.TAKES_ROOM, *commands.TAKES_NICK} <= set(names)


def test_help_tells_every_command() -> None:
    told = "\n".join(overview())
    for row in commands.ROWS:
        assert re.search(rf"^{re.escape(row.usage)}\s+{re.escape(row.summary)}$", told, re.M)
    assert all(len(line) <= 74 for line in told.splitlines())
    assert explanation(find("who")) == [
        "/who [ROOM]: who is here, in a room, or (/who all) online (also /names)",
        "for example: /who garden",
    ]
    assert explanation(find("time"))[0] == "/time: tell the server's time"


def test_bad_input_is_one_of_ours() -> None:
    assert issubclass(BadInput, SecureChatError)


# ------------------------------------------------------------------ passwords


@pytest.mark.parametrize(
    ("line", "name", "keys", "asked"),
    [
        ("/register", "register", {}, ["password", ""]),
        ("/login carol", "login", {"nick": "carol"}, ["password"]),
        ("/login @carol", "login", {"nick": "carol"}, ["password"]),
        ("/passwd", "passwd", {}, ["old", "password", ""]),
    ],
)
def test_a_password_is_no_part_of_the_line(
    line: str, name: str, keys: dict[str, str], asked: list[str]
) -> None:
    action = parse(line, "#lobby")
    assert isinstance(action, Secretly)
    assert (action.name, dict(action.keys)) == (name, keys)
    assert [one.key for one in action.questions] == asked
    assert [one.optional for one in action.questions].count(True) == (name == "passwd")
    assert not has_secret(line)


@pytest.mark.parametrize(
    "line",
    ["/register tulips", "/login carol tulips in may", "/passwd tulips", " /LOGIN carol tulips"],
)
def test_a_password_in_the_line_is_refused_and_not_remembered(line: str) -> None:
    with pytest.raises(BadInput) as refusal:
        parse(line.strip(), "#lobby")
    assert "was not sent" in str(refusal.value)
    assert "tulips" not in str(refusal.value)
    assert has_secret(line)


def test_other_lines_have_no_secret() -> None:
    assert not any(map(has_secret, ("hello", "/nick bob", "/msg carol login tulips", "")))
    with pytest.raises(BadInput, match="/login NICK"):
        parse("/login", None)


def test_the_usual_commands_are_there_under_their_names() -> None:
    usual = (
        *("me", "msg", "query", "reply", "nick", "names", "whois", "topic", "away", "back"),
        *("search", "clear", "bell", "quit", "join", "part", "list", "help"),
    )
    for name in usual:
        assert name in (find(name).name, *find(name).aliases)
