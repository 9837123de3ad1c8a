"""The guard of a user's allocator: whatever it does, every grab is answered, and what it did wrong is said."""

import asyncio
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from server.core.ids import PacketId, RoomId
from server.core.packets.claim import HOLDS_SHARE, Claim, ClaimStatus, Grab, Share
from server.core.packets.packet import Packet
from server.store.allocators.port import Allocator, refusals
from server.store.connection import StoreUnavailable, unavailable_as_ours

ANSWER_TIMEOUT_S = 20.0  # longer than a stampede keeps an honest allocator busy
CLOSE_TIMEOUT_S = 5.0
KINDS_MAX = 20  # of failures that are said: by task, exception and place
SAID = "redrain: allocator "
"""How a line begins that names a failure; a storm looks for such lines in its server's log."""


class AllocatorFailed(Exception):  # noqa: N818 - said to a person
    """A user's allocator could not be opened."""


class GuardedAllocator(Allocator):
    """
    Answers what *inner* answers, or unavailable where it raises, takes too long or answers something else.

    Each kind of failure is said by *say* when it comes first, with its place in the code; ``close`` says how often.
    """

    def __init__(self, name: str, inner: Allocator, say: Callable[[str], None] | None = None) -> None:
        self.capabilities = inner.capabilities
        self._name = name
        self._inner = inner
        self._say = say or _say
        self._failures: Counter[str] = Counter()

    async def open(self) -> None:
        """Open it. Raises AllocatorFailed."""
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                await self._inner.open()
        except Exception as error:
            raise AllocatorFailed(f"allocator {self._name} failed to open: {_named(error)}") from error

    async def close(self) -> None:
        """Close it, and say how often it has failed in the same ways as before."""
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._inner.close()
        except Exception as error:
            self._failed("to close", error)
        for kind, times in self._failures.items():
            if times > 1:
                self._say(f"{SAID}{self._name} failed {kind}, {times} times in all")

    async def claim(self, packet_id: PacketId, room_id: RoomId, grabs: Sequence[Grab]) -> list[Claim]:
        """Answer all grabs, in order."""
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                with unavailable_as_ours():
                    claims = await self._inner.claim(packet_id, room_id, grabs)
            if problem := _wrong_with(claims, packet_id, grabs):
                raise ValueError(problem)
        except StoreUnavailable:
            return refusals(packet_id, grabs, ClaimStatus.UNAVAILABLE)
        except Exception as error:
            self._failed("to claim", error)
            return refusals(packet_id, grabs, ClaimStatus.UNAVAILABLE)
        return claims

    def observe(self, packet: Packet) -> None:
        """Notify the allocator of a packet."""
        try:
            self._inner.observe(packet)
        except Exception as error:
            self._failed("to observe", error)

    def forget(self, packet_id: PacketId | None = None) -> None:
        """Notify the allocator that its remembered data are no longer valid."""
        try:
            self._inner.forget(packet_id)
        except Exception as error:
            self._failed("to forget", error)

    def _failed(self, task: str, error: Exception) -> None:
        frames = traceback.extract_tb(error.__traceback__)
        place = f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else "no place"
        kind = f"{task}: {type(error).__name__} in {place}"
        if kind not in self._failures and len(self._failures) == KINDS_MAX:
            return
        self._failures[kind] += 1
        if self._failures[kind] == 1:
            self._say(f"{SAID}{self._name} failed {task}: {_named(error)} ({place})")


def _named(error: Exception) -> str:
    text = f"no answer within {ANSWER_TIMEOUT_S:.0f} s" if isinstance(error, TimeoutError) else str(error)
    return f"{type(error).__name__}: {text}".replace("\n", " ")


def _wrong_with(claims: object, packet_id: PacketId, grabs: Sequence[Grab]) -> str:
    """Return why this is no answer to *grabs*, or nothing."""
    if not isinstance(claims, list) or len(claims) != len(grabs):
        return f"claim must return a list of {len(grabs)} claims, one for each grab"
    for claim, grab in zip(claims, grabs, strict=True):
        if not isinstance(claim, Claim) or not isinstance(claim.status, ClaimStatus):
            return "claim must return instances of Claim"
        if (claim.packet_id, claim.viewer_id, claim.request_id) != (packet_id, grab.viewer_id, grab.request_id):
            return "claim must answer the grabs in their order, each with its own packet, viewer and request"
        if isinstance(claim.share, Share) is not (claim.status in HOLDS_SHARE):
            return f"a claim that is {claim.status} must{'' if claim.status in HOLDS_SHARE else ' not'} hold a share"
    return ""


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
