"""When the front end is done with what it was told: then cursors may be kept."""

from __future__ import annotations

from securechat.client.events import Connecting, Message
from securechat.client.mailbox import Mailbox
from securechat.protocol.envelopes import Posted

POSTED = Posted(id="x-1", to="#lobby", sender="eve", seq=1, ts="", text="hello")
MESSAGE = Message("#lobby", POSTED, own=False, missed=False)


def test_what_was_taken_is_done_with() -> None:
    mailbox = Mailbox()
    mailbox.tell(MESSAGE)
    assert not mailbox.is_idle
    mailbox.events.get()
    assert mailbox.is_idle


def test_a_front_end_that_acknowledges_is_done_when_it_says_so() -> None:
    mailbox = Mailbox(acknowledges=True)
    mailbox.tell(Connecting("localhost", 1, 1))
    assert mailbox.is_idle
    mailbox.tell(MESSAGE)
    mailbox.tell(MESSAGE)
    while not mailbox.events.empty():
        mailbox.events.get()
    mailbox.acknowledge()
    assert not mailbox.is_idle
    mailbox.acknowledge()
    assert mailbox.is_idle
