"""What `/joke` tells. Data, so that a joke can be mended without touching logic."""

from __future__ import annotations

from typing import Final

JOKES: Final[tuple[str, ...]] = (
    "My sequence numbers went to a party. Nobody was missing, nobody came twice.",
    "A datagram walks into a bar. Or it does not. Nobody will ever tell you.",
    "I asked the server for its secret. It said: shake my hand first.",
    "Why did the packet cross the road twice? Nobody had acknowledged the first time.",
    "The queue told a joke. Everybody laughed, one after the other.",
    "Two threads walk into a bar. Bar two walk threads into a.",
    "My certificate and I have much in common: ninety days and we both need a break.",
    "A null byte ends every story too early.",
    "I would tell you a joke about back-pressure, but please finish the last one first.",
    "The database was at peace. It had found closure, commitment and a good backup.",
    "A client and a server are still friends: they talk things over, one frame at a time.",
    "There is no place like 127.0.0.1, and the neighbours at ::1 agree.",
)
