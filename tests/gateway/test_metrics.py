"""Metrics: plain counters."""

from server.core.packets.claim import ClaimStatus
from server.gateway.metrics import Metrics


def test_every_status_has_a_counter_of_its_own() -> None:
    """A status that never occurred is shown as zero, and two processes' counters are not one."""
    first, second = Metrics(), Metrics()
    first.grabs[ClaimStatus.GRANTED] += 1
    assert set(first.grabs) == set(ClaimStatus)
    assert second.grabs[ClaimStatus.GRANTED] == 0
