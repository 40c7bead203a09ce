"""Who gets what: the subscriptions of one io thread, each of them a cursor.

A chunk goes to everyone at the head with one TLS write of shared bytes each. Whose connection has
too much waiting stays where it is, and is fed as it drains: from the feed's ring, or by pages that
the readers fetch, one at a time for each connection, its conversations in turn. So a slow reader
costs a page of memory, slows nobody else and loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from ssl import SSLWantReadError, SSLWantWriteError
from typing import Final

from .channel import Channel, Cursor, Phase
from .feed import Feed
from .ops import Chunk, Notice, NoticeTo, PageRead, PageWanted, Scrub, Subscribe, Unsubscribe

#: With more than this waiting, a connection's subscriptions fall behind, bytes.
HIGH_WATER: Final = 128 * 1024
#: With less than this waiting, they are fed again, bytes.
LOW_WATER: Final = 32 * 1024
#: What all rings of one thread may hold together, bytes.
RING_BUDGET: Final = 16 * 1024 * 1024


class Fanout:
    """The subscriber tables of one io thread.

    `ask_page` wishes for a page; `levelled(channel, conversation)` tells that a subscription which
    fell behind is live; `stuck(channel)` that bytes began to wait; `broken(channel, error)` that a
    write failed (the channel is dropped by the callee).
    """

    def __init__(
        self,
        *,
        ask_page: Callable[[PageWanted], None],
        levelled: Callable[[Channel, str], None],
        stuck: Callable[[Channel], None],
        broken: Callable[[Channel, OSError], None],
    ) -> None:
        self._feeds: dict[str, Feed] = {}
        self._ring_bytes = 0
        self._generation = 0
        #: What clients call their direct conversations, where it is not the key itself.
        self._addresses: dict[tuple[int, str], str] = {}
        self._ask_page = ask_page
        self._levelled = levelled
        self._stuck = stuck
        self._broken = broken

    # -------------------------------------------------------------- what everyone gets

    def send_chunk(self, chunk: Chunk) -> None:
        """Messages, to everyone at the head."""
        feed = self._feeds.get(chunk.conversation)
        if feed is None:
            return
        self._send(feed, chunk.conversation, chunk.pieces, chunk.size, 0)
        feed.head = chunk.last
        if feed.behind:
            self._ring_bytes += feed.remember(chunk)
            if self._ring_bytes > RING_BUDGET:
                self._shrink_rings(feed)
            for channel in list(feed.behind):
                if channel.out_bytes < LOW_WATER:
                    self._advance(channel, chunk.conversation)

    def send_notice(self, notice: Notice) -> None:
        """Something that is said once, to everyone at the head."""
        feed = self._feeds.get(notice.conversation)
        if feed is not None:
            size = len(notice.data)
            self._send(feed, notice.conversation, (notice.data,), size, notice.skip)
            for channel in feed.behind:  # `level` will tell what passes them by
                assert channel.behind is not None
                channel.behind[notice.conversation].fell = True

    def send_to(self, channel: Channel, notice: NoticeTo) -> None:
        """The same to one connection; if too much waits there, `level` will tell it later."""
        if channel.out_bytes > HIGH_WATER:
            for conversation in channel.feeds:
                feed = self._feeds[conversation]
                if channel in feed.live:
                    self._fall_behind(feed, channel, conversation)
            for cursor in (channel.behind or {}).values():
                cursor.fell = True
            return
        self.write(channel, notice.data)

    def _send(
        self, feed: Feed, conversation: str, pieces: tuple[bytes, ...], size: int, skip: int
    ) -> None:
        """The hot path: one TLS write for each receiver, and as little else as can be."""
        slow: list[Channel] = []
        stuck: list[Channel] = []
        failed: list[tuple[Channel, OSError]] = []
        only = pieces[0] if len(pieces) == 1 else None
        for channel in feed.live:
            if channel.out is not None:
                if channel.out_bytes > HIGH_WATER:
                    slow.append(channel)
                elif channel.number != skip:
                    channel.write(pieces, size)
                continue
            if skip and channel.number == skip:
                continue
            try:
                if only is not None:
                    channel.tls.write(only)
                    continue
                channel.write(pieces, size)
            except (SSLWantWriteError, SSLWantReadError):
                channel.keep(pieces, size)
            except OSError as error:
                failed.append((channel, error))
                continue
            if channel.out is not None:
                stuck.append(channel)
        for channel in slow:
            self._fall_behind(feed, channel, conversation)
        for channel in stuck:
            self._stuck(channel)
        for channel, reason in failed:
            self._broken(channel, reason)

    # -------------------------------------------------------------- subscriptions

    def subscribe(self, channel: Channel, op: Subscribe) -> None:
        """Begin behind `op.after`; a subscription that is there already begins anew."""
        feed = self._feeds.get(op.conversation)
        if feed is None:
            feed = self._feeds[op.conversation] = Feed(op.conversation, op.head)
        self._detach(feed, channel, op.conversation)
        if op.conversation not in channel.feeds:
            channel.feeds = (*channel.feeds, *feed.alone) if channel.feeds else feed.alone
        if op.address != op.conversation:
            self._addresses[channel.number, op.conversation] = op.address
        if op.after >= feed.head:
            feed.live[channel] = None
            self._release_fences(channel)  # it may have been the one that was behind
            return
        self._put_behind(feed, channel, op.conversation, op.after, fell=False)
        self._advance(channel, op.conversation)

    def unsubscribe(self, channel: Channel, op: Unsubscribe) -> None:
        """No more of it."""
        self._remove(channel, op.conversation)
        self._release_fences(channel)

    def drop(self, channel: Channel) -> None:
        """Forget a connection."""
        for conversation in channel.feeds:
            self._remove(channel, conversation)

    def _remove(self, channel: Channel, conversation: str) -> None:
        if conversation not in channel.feeds:
            return
        channel.feeds = tuple(name for name in channel.feeds if name != conversation)
        self._addresses.pop((channel.number, conversation), None)
        feed = self._feeds[conversation]
        self._detach(feed, channel, conversation)
        if not feed.live and not feed.behind:
            del self._feeds[conversation]

    def _detach(self, feed: Feed, channel: Channel, conversation: str) -> None:
        feed.live.pop(channel, None)
        if channel in feed.behind:
            self._no_longer_behind(feed, channel, conversation)

    def _no_longer_behind(self, feed: Feed, channel: Channel, conversation: str) -> None:
        feed.behind.discard(channel)
        if channel.behind is not None:
            channel.behind.pop(conversation, None)
            if not channel.behind:
                channel.behind = None
        if not feed.behind:
            self._ring_bytes -= feed.forget()

    # -------------------------------------------------------------- who is behind

    def _fall_behind(self, feed: Feed, channel: Channel, conversation: str) -> None:
        feed.live.pop(channel, None)
        self._put_behind(feed, channel, conversation, feed.head, fell=True)

    def _put_behind(
        self, feed: Feed, channel: Channel, conversation: str, seq: int, *, fell: bool
    ) -> None:
        self._generation += 1
        if channel.behind is None:
            channel.behind = {}
        channel.behind[conversation] = Cursor(self._generation, seq, fell=fell)
        feed.behind.add(channel)

    def drained(self, channel: Channel) -> None:
        """Little waits in `channel`: feed what is behind."""
        for conversation in list(channel.behind or ()):
            if channel.out_bytes >= LOW_WATER or channel.phase is not Phase.TALKING:
                return
            self._advance(channel, conversation)

    def take_page(self, channel: Channel, page: PageRead) -> None:
        """What a reader found; dropped when the subscription is another one by now."""
        behind = channel.behind or {}
        cursor = behind.get(page.conversation)
        if cursor is not None and cursor.generation == page.generation and cursor.asked:
            cursor.asked = False
            cursor.seq = page.last
            # The last to be fed next time: each of its conversations has its turn.
            behind[page.conversation] = behind.pop(page.conversation)
            for piece in page.pieces:
                self.write(channel, piece)
        self.drained(channel)

    def _advance(self, channel: Channel, conversation: str) -> None:
        """Feed one subscription that is behind, as far as the connection takes it."""
        cursor = (channel.behind or {}).get(conversation)
        if cursor is None or cursor.asked:
            return
        feed = self._feeds[conversation]
        while cursor.seq < feed.head:
            if channel.out_bytes >= LOW_WATER:
                return
            chunk = feed.next_chunk(cursor.seq)
            if chunk is None:
                if any(other.asked for other in (channel.behind or {}).values()):
                    return  # one page at a time: 200 conversations cost no more than one
                cursor.asked = True
                self._ask_page(self._wish(channel, conversation, cursor, feed.head))
                return
            cursor.seq = chunk.last
            for piece in chunk.pieces:
                self.write(channel, piece)
            if channel.phase is not Phase.TALKING:
                return
        self._no_longer_behind(feed, channel, conversation)
        feed.live[channel] = None
        if cursor.fell:
            self._levelled(channel, conversation)
        self._release_fences(channel)

    def _wish(self, channel: Channel, conversation: str, cursor: Cursor, head: int) -> PageWanted:
        number = channel.number
        address = self._addresses.get((number, conversation), conversation)
        return PageWanted(number, conversation, cursor.generation, address, cursor.seq, head)

    def _release_fences(self, channel: Channel) -> None:
        if channel.behind is None and channel.fences is not None:
            fences, channel.fences = channel.fences, None
            for data in fences:
                self.write(channel, data)

    def scrub(self, op: Scrub) -> None:
        """Drop what is kept of a conversation; who is behind there is fed from the store."""
        feed = self._feeds.get(op.conversation)
        if feed is not None:
            self._ring_bytes -= feed.forget()

    def _shrink_rings(self, keep: Feed) -> None:
        """Too much is kept for those behind: they will be fed by pages."""
        for feed in self._feeds.values():
            if feed.ring is not None and feed is not keep:
                self._ring_bytes -= feed.forget()
                if self._ring_bytes <= RING_BUDGET // 2:
                    return

    # -------------------------------------------------------------- one connection

    def write(self, channel: Channel, data: bytes) -> None:
        """Write frames to one connection; what goes wrong there is told to the callbacks."""
        if channel.phase is not Phase.TALKING:
            return
        waited = channel.out is not None
        try:
            channel.write_data(data)
        except OSError as error:
            self._broken(channel, error)
            return
        if channel.out is not None and not waited:
            self._stuck(channel)
