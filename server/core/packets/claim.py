"""
A claim: the allocator's answer to a grab, and the record of a granted one.

Named tuples, because a stampede makes three of them a grab: they cost half of what a frozen dataclass does.
"""

from enum import StrEnum
from typing import NamedTuple

from server.core.ids import ClaimId, PacketId, RequestId, ViewerId, claim_id_of


class ClaimStatus(StrEnum):
    """Every possible answer to a grab (ALL-CLM-2)."""

    GRANTED = "granted"
    REPEATED = "repeated"
    EXHAUSTED = "exhausted"
    TOO_EARLY = "too_early"
    TOO_LATE = "too_late"
    VOIDED = "voided"
    NOT_FOUND = "not_found"
    NOT_ELIGIBLE = "not_eligible"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"


HOLDS_SHARE = frozenset({ClaimStatus.GRANTED, ClaimStatus.REPEATED})


class Grab(NamedTuple):
    """A viewer's tap for a packet. ``request_id`` is new for each tap, and reused only to retry an unknown outcome."""

    viewer_id: ViewerId
    request_id: RequestId


class Share(NamedTuple):
    """A claimed part of a packet: its index, amount and edition, and the tap that won it."""

    index: int  # type: ignore[assignment]  # every tuple has a method of that name; nobody needs it here
    amount_fen: int
    edition: int
    request_id: RequestId


class Claim(NamedTuple):
    """
    The answer to one grab.

    ``share`` is there exactly if the status holds one (granted or repeated), which its receipt asserts. ``edition`` is
    the packet's edition that the answer was given in (0 if the packet is unknown).
    """

    packet_id: PacketId
    viewer_id: ViewerId
    request_id: RequestId
    status: ClaimStatus
    edition: int
    share: Share | None = None

    @property
    def claim_id(self) -> ClaimId | None:
        """Return the id of the claim of a held share, else None."""
        return None if self.share is None else claim_id_of(self.packet_id, self.share.index)


def answer_to(grab: Grab, packet_id: PacketId, share: Share) -> Claim:
    """
    Answer a grab of a viewer who owns *share* already.

    The tap that won it gets exactly the first answer again; any other is answered as a repetition (ALL-CLM-2).
    """
    status = ClaimStatus.GRANTED if share.request_id == grab.request_id else ClaimStatus.REPEATED
    return Claim(packet_id, grab.viewer_id, grab.request_id, status, share.edition, share)
