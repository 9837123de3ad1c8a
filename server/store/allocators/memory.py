"""
What a process remembers of packets, so that a crowd that came too early or too late costs no store call.

Nothing here is guessed: a refusal is repeated only where the store must give the same one, and a packet's claims are
copied first, so that a winner is never told that it lost.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from server.core.ids import PacketId, RoomId, ViewerId
from server.core.packets.claim import Claim, ClaimStatus, Grab, Share, answer_to
from server.core.packets.packet import Schedule

PACKETS_REMEMBERED_MAX = 1_000  # an evening's packets, many times
CLAIMS_REMEMBERED_MAX = 1_000_000  # one packet of the largest size, some 300 MB


@dataclass(frozen=True, slots=True)
class Recollection:
    """
    A launched packet as the store last told it.

    ``claims`` are complete, or None as long as more may come in; ``sold_out`` says that no share was left.
    """

    packet_id: PacketId
    room_id: RoomId
    edition: int
    schedule: Schedule
    claims: dict[ViewerId, Share] | None = None
    sold_out: bool = False

    def refusal_at(self, now_ms: int, error_ms: int) -> ClaimStatus | None:
        """Return what the store says at room time *now_ms*, known to *error_ms*, to whoever has no share; or None."""
        if now_ms + error_ms < self.schedule.grab_at_ms:
            return ClaimStatus.TOO_EARLY
        if self.claims is None:
            return None
        if now_ms - error_ms >= self.schedule.claim_end_at_ms:
            return ClaimStatus.TOO_LATE
        if self.sold_out and now_ms + error_ms < self.schedule.claim_end_at_ms:
            return ClaimStatus.EXHAUSTED
        return None

    def answer(self, grabs: Sequence[Grab], refusal: ClaimStatus) -> list[Claim]:
        """Answer all grabs: its share to each owner of one, *refusal* to all others."""
        packet_id, edition, held = self.packet_id, self.edition, self.claims or {}
        return [
            answer_to(grab, packet_id, held[grab.viewer_id])
            if grab.viewer_id in held
            else Claim(packet_id, grab.viewer_id, grab.request_id, refusal, edition)
            for grab in grabs
        ]


class Memory:
    """The packets most lately asked for; the others are forgotten, which costs a store call and nothing else."""

    def __init__(self) -> None:
        self._packets: OrderedDict[PacketId, Recollection] = OrderedDict()
        self._claims = 0

    def get(self, packet_id: PacketId) -> Recollection | None:
        """Return what is remembered of a packet."""
        recollection = self._packets.get(packet_id)
        if recollection is not None:
            self._packets.move_to_end(packet_id)
        return recollection

    def put(self, recollection: Recollection) -> None:
        """Remember a packet, and forget those that were not asked for longest if that makes too many."""
        self.forget(recollection.packet_id)
        self._packets[recollection.packet_id] = recollection
        self._claims += len(recollection.claims or ())
        while len(self._packets) > 1 and (
            len(self._packets) > PACKETS_REMEMBERED_MAX or self._claims > CLAIMS_REMEMBERED_MAX
        ):
            self.forget(next(iter(self._packets)))

    def forget(self, packet_id: PacketId) -> None:
        """Forget a packet, whether it was remembered or not."""
        recollection = self._packets.pop(packet_id, None)
        if recollection is not None:
            self._claims -= len(recollection.claims or ())

    def clear(self) -> None:
        """Forget every packet."""
        self._packets.clear()
        self._claims = 0
