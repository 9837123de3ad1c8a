"""Grabs wait for their receipts in the order in which they were sent; answered ones are remembered for a while."""

from client_sim.agenda import Due, PacketPlan
from client_sim.behaviour import Behaviour
from client_sim.history import SentGrab
from client_sim.pending_grabs import ANSWERED_MAX, PendingGrabs
from server.core.ids import PacketId, RequestId, ViewerId


def pending(*sent_ns: int) -> PendingGrabs:
    grabs, packet = PendingGrabs(), PacketId("anna.1")
    for number, at_ns in enumerate(sent_ns):
        request_id = RequestId(f"r{number}")
        grab = SentGrab(number, "0.0", ViewerId("v0"), packet, request_id, Behaviour.EAGER, at_ns, at_ns)
        grabs.add(request_id, grab, Due(PacketPlan(packet, 0, 1, 0), None, 0))
    return grabs


def test_only_what_was_sent_long_ago_is_overdue() -> None:
    """The oldest says when to look, and an instant exactly at the limit counts."""
    grabs = pending(5, 7, 9)
    assert grabs.oldest_sent_ns() == 5
    assert grabs.sent_before(7) == ["r0", "r1"]
    assert PendingGrabs().oldest_sent_ns() is None


def test_a_grab_is_taken_once_and_then_remembered() -> None:
    """A second receipt finds the grab that it is for."""
    grabs = pending(5)
    found = grabs.take(RequestId("r0"))
    assert found is not None
    assert grabs.take(RequestId("r0")) is None
    assert grabs.answered(RequestId("r0")) is found[0]
    assert not grabs


def test_memory_is_bounded() -> None:
    """The oldest of the answered ones is forgotten first."""
    grabs = pending(*range(ANSWERED_MAX + 1))
    for request_id in grabs.all():
        grabs.take(request_id)
    assert grabs.answered(RequestId("r0")) is None
    assert grabs.answered(RequestId("r1")) is not None
