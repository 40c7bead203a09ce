"""Rooms and people in the view model: who comes and goes, who ranks how, who is put out."""

from __future__ import annotations

from securechat.client.entries import Kind
from securechat.client.events import (
    Message,
)
from securechat.client.timeline import Timeline
from securechat.protocol import envelopes as wire

from .told_to import feed, heard, message, posted, texts


def test_entering_a_room_tells_how_it_stands_once(line: Timeline) -> None:
    joined = wire.Joined(room="#den", nick="bob", re="c1", seq=9, after=0, count=3, topic="Foxes")
    [entry] = feed(line, heard(joined))
    assert (entry.text, entry.conversation) == ("you are in #den, 3 people; topic: Foxes", "#den")
    den = line.conversation("#den")
    assert (den.joined, den.count, den.topic) == (True, 3, "Foxes")
    again = joined.model_copy(update={"count": 1, "topic": ""})
    assert feed(line, heard(again)) == []
    assert (den.count, den.topic) == (1, "")


def test_others_come_and_go(line: Timeline) -> None:
    entries = feed(
        line,
        heard(wire.Joined(room="#lobby", nick="carol")),
        heard(wire.Left(room="#lobby", nick="carol", reason="tired")),
        heard(wire.Left(room="#lobby", nick="dave")),
    )
    assert texts(entries) == ["carol joined", "carol left (tired)", "dave left"]
    lobby = line.conversation("#lobby")
    assert (lobby.count, list(lobby.people), lobby.joined) == (1, [], True)


def test_leaving_a_room(line: Timeline) -> None:
    [entry] = feed(line, heard(wire.Left(room="#lobby", nick="bob", re="c1")))
    assert entry.text == "you left #lobby"
    assert not line.conversation("#lobby").joined


def test_another_nick_keeps_its_rank_and_its_conversation(line: Timeline) -> None:
    for sender in ("carol", "dave"):
        feed(line, message("hi", sender), message("psst", sender, place=f"@{sender}"))
    feed(line, heard(wire.Joined(room="#lobby", nick="carol")))
    line.look_at("@carol")
    [entry] = feed(line, heard(wire.Renamed(old="carol", nick="Caroline")))
    assert entry.text == "carol goes by Caroline now"
    assert line.conversation("#lobby").latest_speakers() == ["dave", "Caroline"]
    assert list(line.conversation("#lobby").people) == ["Caroline"]
    assert list(line.conversations) == ["#lobby", "@Caroline", "@dave"]
    assert (line.focus, line.conversation("@Caroline").name) == ("@Caroline", "@Caroline")


def test_a_nick_that_stays_the_same_loses_nothing(line: Timeline) -> None:
    feed(line, message("hi", "carol"))
    assert feed(line, heard(wire.Renamed(old="carol", nick="carol"))) == []
    assert line.conversation("#lobby").latest_speakers() == ["carol"]


def test_our_own_new_nick_is_what_a_mention_is(line: Timeline) -> None:
    [entry] = feed(line, heard(wire.Renamed(old="bob", nick="rob", re="c1")))
    assert (entry.text, line.nick) == ("you go by rob now", "rob")
    assert [one.mention for one in feed(line, message("rob!"), message("bob!", seq=2))] == [
        True,
        False,
    ]


def test_large_rooms_tell_counts_and_levels(line: Timeline) -> None:
    told = feed(
        line,
        heard(wire.Count(room="#lobby", count=812)),
        heard(wire.Level(room="#lobby", seq=5, count=813, topic="Big")),
    )
    assert told == []
    lobby = line.conversation("#lobby")
    assert (lobby.count, lobby.topic) == (813, "Big")


def test_what_retention_took_is_told(line: Timeline) -> None:
    [entry] = feed(line, heard(wire.Trimmed(to="#lobby", after=100)))
    assert (entry.kind, entry.conversation) == (Kind.NOTICE, "#lobby")


def test_topics_are_read_set_and_taken_away(line: Timeline) -> None:
    entries = feed(
        line,
        heard(wire.TopicIs(room="#lobby", text="", re="c1")),
        heard(wire.TopicIs(room="#lobby", text="Foxes", nick="carol")),
        heard(wire.TopicIs(room="#lobby", text="Foxes", re="c2")),
        heard(wire.TopicIs(room="#lobby", text="", nick="carol")),
    )
    assert [(one.kind, one.text) for one in entries] == [
        (Kind.ANSWER, "no topic is set"),
        (Kind.NOTICE, "carol set the topic: Foxes"),
        (Kind.ANSWER, "topic of #lobby: Foxes"),
        (Kind.NOTICE, "carol took the topic away"),
    ]
    assert line.conversation("#lobby").topic == ""


def test_a_removed_message_shows_as_removed_wherever_it_is_held(line: Timeline) -> None:
    feed(line, message("bob: my password is 1234", seq=7))
    [notice] = feed(line, heard(wire.Removed(to="#lobby", seq=7, nick="ann")))
    assert (notice.kind, notice.text, notice.removes) == (
        *(Kind.NOTICE, "ann removed carol's message (7)"),
        7,
    )
    [kept] = [it for it in line.conversation("#lobby").lines if it.seq == 7]
    assert (kept.text, kept.mention) == ("(removed)", False)
    [notice] = feed(line, heard(wire.Removed(to="#lobby", seq=7, nick="carol")))
    assert notice.text == "carol removed their message (7)"
    [notice] = feed(line, heard(wire.Removed(to="#lobby", seq=99, nick="bob")))
    assert notice.text == "you removed a message (99)"


def test_a_message_that_comes_as_removed_is_counted_nowhere(line: Timeline) -> None:
    gone = posted("", seq=1, to="#garden", removed=True, action=True)
    [entry] = feed(line, Message("#garden", gone, False, False))
    assert (entry.kind, entry.text, entry.mention) == (Kind.MESSAGE, "(removed)", False)
    assert line.conversation("#garden").unread == 0
    page = wire.HistoryPage(to="#lobby", messages=(posted("", removed=True),), more=False, re="c1")
    assert [entry.text for entry in feed(line, heard(page))] == ["(removed)"]


def test_who_is_ignored_is_not_heard_and_counted_nowhere() -> None:
    line = Timeline("bob", ignored={"eve"})
    line.look_at("#lobby")
    assert feed(line, message("bob: hey", "eve", place="#garden")) == []
    assert feed(line, message("psst", "eve", place="@eve")) == []
    garden = line.conversation("#garden")
    assert (garden.unread, garden.mentions, garden.latest_speakers()) == (0, 0, [])
    assert list(garden.lines) == []
    page = (posted("a", "eve", 1), posted("b", "carol", 2))
    answer = heard(wire.HistoryPage(to="#lobby", messages=page, more=False, re="c1"))
    assert [entry.nick for entry in feed(line, answer)] == ["carol"]
    only = heard(wire.HistoryPage(to="#lobby", messages=page[:1], more=False, re="c2"))
    assert feed(line, only) == []


def test_acts_and_rules_are_told_where_they_hold(line: Timeline) -> None:
    act = wire.Moderated(act="mute", by="ann", room="#lobby", nick="eve")
    [told] = feed(line, heard(act))
    assert (told.kind, told.text, told.conversation) == (
        *(Kind.NOTICE, "ann muted eve in #lobby for good"),
        "#lobby",
    )
    feed(line, heard(wire.Moderated(act="kick", by="ann", room="#lobby", nick="bob")))
    assert not line.conversation("#lobby").joined
    rules = wire.RoomIs(room="#lobby", private=True, read_only=False, topic_locked=False)
    [read] = feed(line, heard(rules))
    [changed] = feed(line, heard(rules.model_copy(update={"nick": "ann"})))
    assert (read.kind, changed.kind) == (Kind.ANSWER, Kind.NOTICE)
    assert changed.text.startswith("ann changed the rules: #lobby is private")
    feed(line, heard(wire.Moderated(act="kick", by="ann", room="#unknown", nick="bob")))


def test_bans_are_listed_when_they_are_all_there(line: Timeline) -> None:
    row = wire.Sanction(act="ban", nick="eve", by="ann", since="2026-01-31T13:00:00.000000Z")
    some = wire.SanctionList(room="#lobby", bans=(row,), more=True, re="c1")
    assert feed(line, heard(some)) == []
    rest = feed(line, heard(wire.SanctionList(room="#lobby", bans=(row,), re="c1")))
    assert len(rest) == 2
    [none] = feed(line, heard(wire.SanctionList(bans=(), re="c2")))
    assert none.text == "nobody is banned or muted"


def test_what_an_account_is_told(line: Timeline) -> None:
    account = wire.AccountIs(account="bob", nick="bob", role="member", ended=2, re="c1")
    assert texts(feed(line, heard(account))) == [
        "your account is bob, member; 2 other sessions ended"
    ]
    account = account.model_copy(update={"ended": 0})
    assert texts(feed(line, heard(account))) == ["your account is bob, member"]
    goodbye = texts(feed(line, heard(wire.Bye(reason="logout", re="c1"))))
    assert goodbye == ["you are logged out; the next time takes your password"]
    assert feed(line, heard(wire.Bye(reason="shutdown"))) == []


def test_sessions_are_told_when_the_list_is_whole(line: Timeline) -> None:
    ts = "2026-11-23T11:59:58.500000Z"
    first = wire.SessionInfo(session="6b3f", client="phone/1", created=ts, used=ts, connections=2)
    own = wire.SessionInfo(session="0c1d", client="", created=ts, used=ts, connections=1, here=True)
    assert feed(line, heard(wire.SessionList(sessions=(first,), more=True, re="c1"))) == []
    told = texts(feed(line, heard(wire.SessionList(sessions=(own,), re="c1"))))
    assert told == [
        "6b3f, phone/1, last used 2026-11-23 11:59 UTC, 2 connections",
        "0c1d, unnamed, last used 2026-11-23 11:59 UTC, this one",
    ]
