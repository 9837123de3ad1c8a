"""A claim: the answers granted and repeated name the same share."""

import pytest

from server.core.ids import PacketId, RequestId, ViewerId
from server.core.packets.claim import HOLDS_SHARE, Claim, ClaimStatus, Grab, Share, answer_to
from server.core.rooms.messages import receipt

PACKET = PacketId("lin.p1")
VIEWER = ViewerId("v1")
SHARE = Share(index=4, amount_fen=120, edition=1, request_id=RequestId("q1"))


@pytest.mark.rule("ALL-CLM-2")
def test_the_winning_tap_hears_granted_again() -> None:
    """The same tap gets the same answer, however often it asks."""
    claim = answer_to(Grab(VIEWER, RequestId("q1")), PACKET, SHARE)
    assert claim == Claim(PACKET, VIEWER, RequestId("q1"), ClaimStatus.GRANTED, 1, SHARE)


@pytest.mark.rule("ALL-CLM-2")
def test_another_tap_hears_repeated_with_the_same_share() -> None:
    """An owner is never answered that it lost, and never gets a second share."""
    claim = answer_to(Grab(VIEWER, RequestId("q2")), PACKET, SHARE)
    assert claim == Claim(PACKET, VIEWER, RequestId("q2"), ClaimStatus.REPEATED, 1, SHARE)
    assert claim.claim_id == "lin.p1:4"


@pytest.mark.parametrize("status", list(ClaimStatus))
def test_a_share_is_there_exactly_if_the_status_holds_one(status: ClaimStatus) -> None:
    """A grant without a share and a refusal with one get no receipt."""
    wrong, right = (None, SHARE) if status in HOLDS_SHARE else (SHARE, None)
    with pytest.raises(AssertionError):
        receipt(Claim(PACKET, VIEWER, RequestId("q1"), status, 1, wrong))
    claim = Claim(PACKET, VIEWER, RequestId("q1"), status, 1, right)
    assert (claim.claim_id is not None) == (status in HOLDS_SHARE)
