"""Bans and mutes as data: found by whom they are for, replaced, lifted, over in time."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest

from securechat.chat.identities import Identities
from securechat.chat.nicks import parse_nick
from securechat.chat.sanctions import (
    BAN,
    MUTE,
    Sanctions,
    address_of,
    parse_network,
)
from securechat.errors import Rejected
from securechat.records import KeepSanction


def sanction(act: str = BAN, room: str = "", **keys: Any) -> KeepSanction:
    plain = KeepSanction(0, act, room, 0, "", "", "", None, 1.0, "ann", "")
    return plain._replace(**keys)


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("192.0.2.7:4711", "192.0.2.7"),
        ("192.0.2.7", "192.0.2.7"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("[fe80::1%eth0]:4711", "fe80::1"),
        ("[::ffff:192.0.2.7]:1", "192.0.2.7"),
        ("nowhere", None),
        ("", None),
    ],
)
def test_the_address_of_a_peer(peer: str, address: str | None) -> None:
    found = address_of(peer)
    assert (None if found is None else str(found)) == address


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("192.0.2.7", "192.0.2.7/32"),
        ("192.0.2.7/24", "192.0.2.0/24"),
        ("2001:db8::7", "2001:db8::/64"),
        ("2001:db8::7/128", "2001:db8::7/128"),
        ("::ffff:192.0.2.7", "192.0.2.7/32"),
    ],
)
def test_the_network_that_is_meant(text: str, network: str) -> None:
    assert parse_network(text) == ip_network(network)


@pytest.mark.parametrize("text", ["", "x", "1.2.3", "192.0.2.0/33", "300.1.1.1", "::/129", "/8"])
def test_what_is_no_network(text: str) -> None:
    with pytest.raises(Rejected) as raised:
        parse_network(text)
    assert raised.value.code == "bad_envelope"


def test_each_is_found_by_whom_it_is_for_and_by_nobody_else() -> None:
    identities = Identities()
    ann = identities.add(parse_nick("ann"), b"1", 1.0)
    bob = identities.add(parse_nick("bob"), b"2", 1.0)
    sanctions = Sanctions()
    kept, replaced = sanctions.add(sanction(MUTE, "#a", identity=ann.number, until=10.0))
    assert (kept.number, replaced) == (1, [])
    assert sanctions.on(MUTE, "#a", ann, 9.0) == kept
    assert sanctions.on(MUTE, "#a", ann, 10.0) is None
    assert sanctions.on(BAN, "#a", ann, 9.0) is None
    assert sanctions.on(MUTE, "#b", ann, 9.0) is None
    assert sanctions.on(MUTE, "#a", bob, 9.0) is None
    assert sanctions.on_nick(bob.nick, 9.0) is None
    assert sanctions.on_peer("192.0.2.7:1", 9.0) is None
    assert (len(sanctions), sanctions.of_room("#a", 9.0), sanctions.of_room("#a", 10.0)) == (
        *(1, [kept]),
        [],
    )
    assert (sanctions.silences("#a"), sanctions.silences("")) == (True, False)


def test_two_networks_of_one_width_and_one_of_another() -> None:
    sanctions = Sanctions()
    wide, _ = sanctions.add(sanction(network="192.0.2.0/24"))
    other, _ = sanctions.add(sanction(network="198.51.100.0/24"))
    narrow, _ = sanctions.add(sanction(network="203.0.113.7/32", until=5.0))
    assert sanctions.on_peer("192.0.2.9:1", 1.0) == wide
    assert sanctions.on_peer("198.51.100.9:1", 1.0) == other
    assert sanctions.on_peer("203.0.113.7:1", 1.0) == narrow
    assert sanctions.on_peer("203.0.113.7:1", 5.0) is None
    assert sanctions.on_peer("[2001:db8::1]:1", 1.0) is None
    again, replaced = sanctions.add(sanction(network="192.0.2.0/24", until=9.0))
    assert replaced == [wide]
    sanctions.drop(again)
    assert sanctions.on_peer("192.0.2.9:1", 1.0) is None
    assert sanctions.on_peer("198.51.100.9:1", 1.0) == other
    assert sanctions.take_over(6.0) == [narrow]
    sanctions.drop(other)
    assert len(sanctions) == 0


def test_of_two_that_meet_on_one_person_each_can_be_lifted() -> None:
    """One by account and one by nick: lifting the first leaves the second in force."""
    ann = Identities().add(parse_nick("ann"), b"1", 1.0)
    sanctions = Sanctions()
    by_account, _ = sanctions.add(sanction(account="eve", identity=ann.number))
    by_nick, replaced = sanctions.add(sanction(nick="ann", identity=ann.number))
    assert replaced == [by_account]
    assert sanctions.on(BAN, "", ann, 1.0) == by_nick


def test_what_was_kept_may_overlap_and_hold_a_nick_that_is_none_now() -> None:
    ann = Identities().add(parse_nick("ann"), b"1", 1.0)
    older = sanction(identity=ann.number, number=3)
    newer = sanction(identity=ann.number, nick="no longer a nick", number=7)
    sanctions = Sanctions([older, newer])
    assert sanctions.on(BAN, "", ann, 1.0) == newer
    sanctions.drop(older)
    assert sanctions.on(BAN, "", ann, 1.0) == newer
    assert sanctions.add(sanction(nick="bob"))[0].number == 8


def test_there_is_a_bound_to_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("securechat.chat.sanctions.MAX_SANCTIONS", 2)
    sanctions = Sanctions()
    sanctions.add(sanction(nick="one"))
    sanctions.add(sanction(nick="two", room="#a"))
    sanctions.add(sanction(nick="three", room="#b"))
    with pytest.raises(Rejected) as raised:
        sanctions.add(sanction(nick="four", room="#c"))
    assert raised.value.code == "forbidden"
    sanctions.add(sanction(nick="five"))  # rooms do not use up what is the server's
    with pytest.raises(Rejected):
        sanctions.add(sanction(nick="six"))
