"""What the full screen looks like, colours and all: pictures that are kept in docs/screens.

`make screens` draws them anew; look at them before you commit them. The clock, the zone and the
size are fixed, and nothing in them is left to chance.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from securechat.client.events import Draft, DraftState, Message
from securechat.protocol import envelopes as wire
from securechat.tui.setup import Setup
from tests.client.saying import NOON

from .person import Person, somebody

pytestmark = pytest.mark.slow

FOLDER: Final = Path(__file__).parents[2] / "docs" / "screens"
#: Of a font that would be loaded from elsewhere.
_FONT: Final = re.compile(r"\s*@font-face \{[^}]*\}")


class Picture(NamedTuple):
    """A scene, on a screen of some size."""

    name: str
    size: tuple[int, int]
    theme: str
    play: Callable[[Person], Awaitable[None]]


def say(
    bob: Person, sender: str, text: str, *, minute: int = 2, to: str = "#lobby", seq: int = 10
) -> None:
    ts = f"2026-11-23T12:{minute:02}:00.000000Z"
    posted = wire.Posted(id=f"p{seq}", to=to, sender=sender, seq=seq, ts=ts, text=text)
    bob.client.events.put(Message(to, posted, sender == "bob", False))


def unread(bob: Person, name: str) -> int:
    return bob.chat._timeline.conversation(name).unread


async def talk(bob: Person) -> None:
    """A morning in the lobby."""
    bob.client.hear(wire.TopicIs(room="#lobby", text="tea and tulips", nick="carol"))
    say(bob, "carol", "so *that* was it: the `--keep-days` of last week", minute=1)
    for nick in ("erin", "frank"):
        bob.client.hear(wire.Joined(room="#lobby", nick=nick))
    bob.client.hear(wire.Left(room="#lobby", nick="erin"))
    say(bob, "dave", "I wrote it down at https://wiki.example/keep_days", minute=1)
    say(bob, "dave", "```\n$ securechat serve --keep-days 90\n```")
    say(bob, "bob", "thank you!", minute=3)
    await bob.sees("thank you!")
    await bob.type("/join garden\n")
    await bob.sees_side("title", "#garden")
    say(bob, "carol", "bob: come here, the kettle sings", minute=4)
    say(bob, "dave", "no hurry", minute=4)
    await bob.sees("unread 2", lambda: f"unread {unread(bob, '#lobby')}")
    await bob.press("alt+1")
    await bob.sees("kettle")
    say(bob, "erin", "psst", to="@erin")
    say(bob, "dave", "the roses are out", to="#garden")
    bob.client.events.put(Draft("d8", "#lobby", "coming", DraftState.SENDING))
    await bob.sees("coming")
    await bob.sees("@erin", lambda: " ".join(bob.chat._timeline.conversations))
    await bob.sees("unread 1", lambda: f"unread {unread(bob, '#garden')}")
    await bob.type("half a sentence")


async def lost(bob: Person) -> None:
    """The network is gone, and something was refused."""
    await bob.type("hello\nrefuse this\n")
    await bob.sees("✗<bob> refuse this")
    bob.client.drop()
    await bob.type("is anybody there?\nI will wait\n")
    await bob.sees("I will wait")


PICTURES: Final = (
    Picture("talk", (90, 24), "dark", talk),
    Picture("talk-light", (90, 24), "light", talk),
    Picture("talk-contrast", (80, 24), "high-contrast", talk),
    Picture("talk-narrow", (40, 20), "dark", talk),
    Picture("offline", (80, 14), "dark", lost),
)


async def drawn(picture: Picture) -> str:
    """The picture as SVG."""
    setup = Setup(trust="known key", theme=picture.theme, clock=lambda: NOON, zone=NOON.tzinfo)
    async with somebody(size=picture.size, setup=setup) as bob:
        await picture.play(bob)
        await bob.pilot.pause(0.1)
        svg = bob.app.export_screenshot(title="securechat connect --nick bob")
    lines = (line.rstrip() for line in _FONT.sub("", svg).splitlines())
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_the_screen_looks_as_it_did(picture: Picture, tmp_path: Path) -> None:
    kept = FOLDER / f"{picture.name}.svg"
    svg = asyncio.run(drawn(picture))
    if os.environ.get("SCREENS") == "write":
        kept.write_text(svg, "utf-8")
        return
    (tmp_path / kept.name).write_text(svg, "utf-8")
    assert svg == kept.read_text("utf-8"), (
        f"{picture.name} looks different: compare {kept} with {tmp_path / kept.name};"
        " if it is better now, `make screens` keeps it"
    )


def test_no_picture_is_left_over() -> None:
    assert {path.stem for path in FOLDER.glob("*.svg")} == {one.name for one in PICTURES}
