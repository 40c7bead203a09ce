"""docs/protocol.md is run: its bytes, its JSON, its session; its tables are those of the code."""

from __future__ import annotations

import ast
import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pydantic import BaseModel

from securechat.chat.passwords import MIN_PASSWORD
from securechat.chat.searching import MAX_PARTS, Asked, parse_query
from securechat.config import ChatLimits
from securechat.net import deadlines
from securechat.protocol import envelopes, framing
from securechat.protocol.codec import Refusal, decode_client, decode_server, encode
from securechat.protocol.connection import MAX_BAD_IN_A_ROW, Connection, Role, State
from securechat.protocol.envelopes import (
    ALPN,
    COMMANDS,
    EVENTS,
    FATAL_CODES,
    CommandHelp,
    Conversation,
    Draft,
    Error,
    Hello,
    Limits,
    Member,
    Posted,
    RoomInfo,
    Sanction,
    SessionInfo,
    Welcome,
)
from securechat.protocol.framing import encode_frame

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "protocol.md").read_text("utf-8")
DECODERS = {"client": decode_client, "server": decode_server}


class Block(NamedTuple):
    """A fenced block: its language, who speaks in it, its lines."""

    language: str
    by: str
    lines: list[str]


def blocks(text: str) -> list[Block]:
    fenced = re.findall(r"^```(\w+) ?(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [Block(language, by, inside.splitlines()) for language, by, inside in fenced]


def sections(text: str) -> dict[str, str]:
    """The text of each `## section`."""
    _, *parts = re.split(r"^## ", text, flags=re.MULTILINE)
    return dict(part.split("\n", 1) for part in parts)


def tables(text: str) -> list[list[list[str]]]:
    """The rows of each table, without their heads."""
    found = re.findall(r"^\|.*\|\n\| ---.*\n((?:\|.*\|\n)+)", text, re.MULTILINE)
    return [
        [[cell.strip() for cell in row.strip("|").split(" |")] for row in table.splitlines()]
        for table in found
    ]


def words(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def meaning(envelope: BaseModel) -> dict[str, Any]:
    return envelope.model_dump(mode="json", exclude_unset=True)


BLOCKS = blocks(TEXT)
SECTIONS = sections(TEXT)
DUMPS = [(block, after) for block, after in pairwise(BLOCKS) if block.language == "hexdump"]
LINES = [
    (block.by, line)
    for block in BLOCKS
    if block.language == "json" and block.by in DECODERS
    for line in block.lines
]
SESSIONS = [block.lines for block in BLOCKS if block.language == "session"]


def test_the_page_has_the_examples_that_are_tested_here() -> None:
    assert (len(DUMPS), len(SESSIONS)) == (4, 2)
    assert len(LINES) >= 6
    assert {block.language for block in BLOCKS} == {"text", "hexdump", "json", "session"}


def test_the_contents_are_those_of_the_page() -> None:
    listed = re.findall(r"^\d+\. \[(.+)\]\(#(.+)\)$", TEXT, re.MULTILINE)
    assert [title for title, _ in listed] == list(SECTIONS)
    assert [anchor for _, anchor in listed] == [
        title.lower().replace(" ", "-") for title in SECTIONS
    ]


# ------------------------------------------------------------------ examples


def bytes_of(dump: list[str]) -> bytes:
    """The bytes of a hex dump, whose offsets and letters must fit them."""
    data = bytes.fromhex("".join(line[10:59] for line in dump))
    for at, line in zip(range(0, len(data), 16), dump, strict=True):
        piece = data[at : at + 16]
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in piece)
        assert line[:8] == f"{at:08x}"
        assert line[60:] == f"|{shown}|"
    return data


def server_in(state: State) -> Connection:
    server = Connection(Role.SERVER)
    if state is State.OPEN:
        server.receive_data(encode_frame(encode(Hello(id="h", protocol=1, nick="bob"))))
        assert server.next_events()
        server.send(welcome())
    return server


def welcome() -> Welcome:
    limits = Limits(
        max_frame=65_536, max_text=4_000, rate=20, burst=100, presence=500, idle_timeout=90
    )
    return Welcome(protocol=1, server="s", version="1", nick="bob", epoch="e", limits=limits)


@pytest.mark.parametrize(("dump", "after"), DUMPS, ids=range(len(DUMPS)))
def test_a_hex_dump_is_what_goes_over_the_wire(dump: Block, after: Block) -> None:
    frame, [said] = bytes_of(dump.lines), after.lines
    assert after.language == "json"
    if after.by == "refusal":
        server = server_in(State.OPEN if frame[0] == 0 else State.GREETING)
        server.receive_data(frame)
        [refusal] = server.next_events()
        assert isinstance(refusal, Refusal)
        code, message, re_, fatal, _ = refusal
        assert encode(Error(re=re_, code=code, message=message, fatal=fatal)) == said.encode()
    else:
        envelope = DECODERS[after.by](frame[4:])
        assert isinstance(envelope, BaseModel)
        assert after.by == dump.by
        assert meaning(envelope) == json.loads(said)
        assert encode_frame(encode(envelope)) == frame


def test_the_lengths_that_the_text_tells_are_those_of_the_dumps() -> None:
    first, _ = DUMPS[0]
    assert f"say that {len(bytes_of(first.lines)) - 4} follow" in TEXT
    assert f"{int.from_bytes(b'GET ', 'big'):,} bytes" in TEXT


@pytest.mark.parametrize(("by", "line"), LINES)
def test_an_example_is_an_envelope_with_no_key_that_there_is_not(by: str, line: str) -> None:
    envelope = DECODERS[by](line.encode())
    assert isinstance(envelope, BaseModel), envelope
    assert meaning(envelope) == json.loads(line)


@pytest.mark.parametrize("lines", SESSIONS, ids=range(len(SESSIONS)))
def test_a_session_may_go_as_it_stands(lines: list[str]) -> None:
    ends = {"C": Connection(Role.CLIENT), "S": Connection(Role.SERVER)}
    for line in lines:
        speaker, _, said = line.partition(" ")
        other = ends["S" if speaker == "C" else "C"]
        other.receive_data(encode_frame(said.encode()))
        [heard] = other.next_events()
        assert isinstance(heard, BaseModel), heard
        assert meaning(heard) == json.loads(said)
        ends[speaker].send(heard)
    assert len({end.state for end in ends.values()}) == 1


def test_the_long_session_ends_and_the_short_one_goes_on() -> None:
    long, short = SESSIONS
    assert '"bye"' in long[-1]
    assert short[-1] == short[-2]  # once for the draft, once in the stream


# ------------------------------------------------------------------ tables


def test_the_table_of_commands() -> None:
    rows, _ = tables(SECTIONS["Commands"])
    listed = {words(name)[0]: (words(keys), words(more)) for name, keys, more, _ in rows}
    assert len(listed) == len(rows)
    assert listed.keys() == COMMANDS.keys()
    for name, (keys, more) in listed.items():
        fields = {
            key: field.is_required()
            for key, field in COMMANDS[name].model_fields.items()
            if key not in ("type", "id", "name")
        }
        assert {**dict.fromkeys(keys, True), **dict.fromkeys(more, False)} == fields, name


def test_the_answers_to_commands_are_events() -> None:
    rows, _ = tables(SECTIONS["Commands"])
    answers = {word for row in rows for word in words(row[3])}
    assert answers <= EVENTS.keys()


def test_the_table_of_events() -> None:
    rows, _ = tables(SECTIONS["Events"])
    listed = {words(event)[0]: words(keys) for event, keys, _ in rows}
    assert len(listed) == len(rows)
    assert listed.keys() == EVENTS.keys()
    for event, keys in listed.items():
        fields = EVENTS[event].model_fields.keys() - {"type", "event", "re"}
        assert sorted(keys) == sorted(fields), event


def test_the_table_of_what_stands_inside_events() -> None:
    _, rows = tables(SECTIONS["Events"])
    models: dict[str, type[BaseModel]] = {
        "limits": Limits,
        "members": Member,
        "rooms": RoomInfo,
        "conversations": Conversation,
        "commands": CommandHelp,
        "bans": Sanction,
        "sessions": SessionInfo,
    }
    listed = {words(inside)[0]: words(keys) for inside, keys in rows}
    assert listed.keys() == models.keys() | {"messages"}
    for inside, model in models.items():
        assert set(listed[inside]) == model.model_fields.keys(), inside


def test_the_tables_of_chats() -> None:
    draft, posted = tables(SECTIONS["Chat"])
    assert {key for row in draft for key in words(row[0])} == Draft.model_fields.keys()
    assert {key for row in posted for key in words(row[0])} == Posted.model_fields.keys()


def error_rows() -> dict[str, str]:
    """Each code of the table with what it says under `fatal`."""
    [rows] = tables(SECTIONS["Errors"])
    assert len({words(row[0])[0] for row in rows}) == len(rows)
    return {words(code)[0]: fatal for code, _, fatal in rows}


def test_the_table_of_errors_tells_the_fatal_ones() -> None:
    fatal = {code for code, how in error_rows().items() if how.startswith("yes")}
    assert fatal == FATAL_CODES
    assert all(how.startswith(("yes", "no")) for how in error_rows().values())


def test_the_table_of_errors_has_the_codes_of_the_vectors() -> None:
    vectors = json.loads((ROOT / "tests" / "vectors" / "errors.json").read_text("utf-8"))
    codes = {vector["envelope"]["code"] for vector in vectors if "envelope" in vector}
    assert error_rows().keys() == codes


def codes_in(source: str) -> set[str]:
    """The codes that `source` refuses something with."""
    makers = {"Rejected", "Refusal", "RemoteProtocolError", "Error"}
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            given = node.args[:1] if name in makers else []
            given += [key.value for key in node.keywords if key.arg == "code"]
            found |= {str(it.value) for it in given if isinstance(it, ast.Constant)}
    return found


def test_the_table_of_errors_has_every_code_that_a_server_says() -> None:
    used = set()
    for part in ("protocol", "chat", "net", "server"):
        for path in (ROOT / "securechat" / part).rglob("*.py"):
            used |= codes_in(path.read_text("utf-8"))
    assert {"bad_envelope", "hello_twice", "bad_nick"} <= used
    assert used <= error_rows().keys()


def test_a_code_would_be_found() -> None:
    source = 'Rejected("a", "m")\nx.Refusal("b")\nError(code="c", message="m")\nprint("d")\nf()()'
    assert codes_in(source) == {"a", "b", "c"}


def test_the_table_of_defaults() -> None:
    [rows] = tables(SECTIONS["Limits and defaults"])
    limits = ChatLimits()
    assert {what: float(value.replace(",", "")) for what, value in rows} == {
        "port": envelopes.DEFAULT_PORT,
        "largest frame before `welcome`, bytes": framing.GREETING_MAX_FRAME,
        "largest frame, bytes": framing.DEFAULT_MAX_FRAME,
        "longest text, code points": envelopes.MAX_TEXT,
        "longest topic, code points": envelopes.MAX_TOPIC,
        "messages in a page of `history` or `search`, at most": envelopes.MAX_HISTORY,
        "longest query, code points": envelopes.MAX_QUERY,
        "words and phrases in a query": MAX_PARTS,
        "longest word why one is away, code points": envelopes.MAX_AWAY,
        "messages that `join` with `last` asks for, at most": envelopes.MAX_LAST,
        "largest integer": envelopes.MAX_INTEGER,
        "frames a second": limits.rate,
        "frames at once": limits.burst,
        "bad envelopes in a row that are fatal": MAX_BAD_IN_A_ROW,
        "members above which a room tells a `count`": limits.presence,
        "connections of one identity": limits.connections_per_identity,
        "rooms that one connection may be in": limits.subscriptions,
        "a guest's session lives after its last use, days": limits.guest_days,
        "an account's session lives after its last use, days": limits.session_days,
        "sessions of one account": limits.sessions_per_account,
        "longest password, code points": envelopes.MAX_PASSWORD,
        "shortest password, code points": MIN_PASSWORD,
        "passwords that wait to be looked at": limits.proofs,
        "a former nick stays reserved, hours": limits.former_nick / 3_600,
        "grace after a lost link, seconds": limits.grace,
        "time for the handshake, seconds": deadlines.HANDSHAKE_TIME,
        "time for `hello`, seconds": deadlines.HELLO_TIME,
        "time for a frame begun, seconds": deadlines.FRAME_TIME,
        "silence before a `ping`, seconds": deadlines.PING_AFTER,
        "silence before `timeout`, seconds": limits.idle_timeout,
        "nothing read before `slow_consumer`, seconds": deadlines.STUCK_TIME,
    }


def test_the_page_says_what_else_the_code_says() -> None:
    assert f"ALPN is `{ALPN}`" in TEXT
    assert f"`127.0.0.1:{envelopes.DEFAULT_PORT}`" in TEXT
    assert f"`protocol` is {envelopes.PROTOCOL_VERSION}." in TEXT
    limit = COMMANDS["history"].model_fields["limit"].default
    assert f"`limit` is 1 to {envelopes.MAX_HISTORY}, {limit} if left out" in TEXT.replace(
        "\n  ", " "
    )


def test_the_page_explains_every_key_of_a_query() -> None:
    _, rows = tables(SECTIONS["Commands"])
    for part, _ in rows:
        for one in words(part):
            assert parse_query(one, 0.0) != Asked(), one
    keys = {one.partition(":")[0] for part, _ in rows for one in words(part) if ":" in one}
    assert keys == {"from", "in", "before", "after"}


def test_the_page_says_what_comes_later() -> None:
    for word in ("moderation", "edits"):
        assert word in SECTIONS["Later versions"]
