"""Whose an echo is, and what a direct conversation is called, while people change their nicks."""

from __future__ import annotations

from securechat.client.names import FORMER_NICK, Names


def test_a_nick_that_we_gave_up_is_ours_for_a_while() -> None:
    names = Names("bob", ("rob",))
    names.become(10.0, "robert")
    assert names.nick == "robert"
    assert names.all_ours == {"rob", "bob", "robert"}
    assert names.is_mine("robert", 0.0)
    assert names.is_mine("bob", 10.0 + FORMER_NICK - 1)
    assert not names.is_mine("bob", 10.0 + FORMER_NICK)
    assert not names.is_mine("rob", 10.0)


def test_a_nick_that_we_ask_for_may_be_in_an_echo_before_we_hear_that_we_have_it() -> None:
    names = Names("bob")
    assert names.expect(" ") is None
    assert names.expect("robert") == "robert"
    assert (names.nick, names.all_ours) == ("bob", {"bob", "robert"})


def test_a_direct_conversation_goes_by_the_last_of_its_names() -> None:
    names = Names("bob")
    assert names.now_called("@carol", 0.0) == "@carol"
    names.rename(0.0, "@carol", "@caro")
    names.rename(1.0, "@caro", "@cara")
    assert [names.now_called(name, 2.0) for name in ("@carol", "@caro", "@cara", "#carol")] == [
        *("@cara", "@cara", "@cara"),
        "#carol",
    ]
    assert names.now_called("@carol", FORMER_NICK) == "@carol"
    names.rename(2.0, "@cara", "@carol")
    assert names.now_called("@carol", 3.0) == "@carol"
    names.lose_link()
    assert names.now_called("@caro", 3.0) == "@caro"
