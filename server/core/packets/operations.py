"""Operations that a creator may do on a packet at an instant, as the list shows them (DY-UI-3, KS-UI-2)."""

from collections.abc import Iterator

from server.core.packets.packet import Packet, PacketState, Phase
from server.core.rulebooks.page import Operation
from server.core.rulebooks.rulebook import Rulebook

_PENDING_OR_ACTIVE = frozenset({Phase.DRAFT, Phase.SCHEDULED, Phase.WARMING, Phase.GRABBING})


def operations(packet: Packet, rulebook: Rulebook, now_ms: int) -> list[Operation]:
    """
    Return the operations allowed on *packet* at room time *now_ms*, in the order of ``Operation`` (DY-UI-3, KS-UI-2).

    Limits by the creator's other packets, funds and permissions are checked only when the operation is tried.
    """
    return list(_operations(packet, rulebook, now_ms))


def _operations(packet: Packet, rulebook: Rulebook, now_ms: int) -> Iterator[Operation]:
    goes_on = packet.phase_at(now_ms) in _PENDING_OR_ACTIVE
    if packet.state is PacketState.DRAFT:
        yield Operation.LAUNCH  # DY-LAU-1
    yield Operation.COPY  # DY-CPY-1: ended packets too
    if packet.state is PacketState.DRAFT or _voidable(packet, rulebook, now_ms):
        yield Operation.VOID
    if goes_on and rulebook.issuance_editable and packet.capabilities.edits:
        yield Operation.EDIT  # KS-EDT-1
    if goes_on and rulebook.endable:
        yield Operation.END  # KS-END-1


def _voidable(packet: Packet, rulebook: Rulebook, now_ms: int) -> bool:
    """Return whether a launched packet can still be voided (DY-VOI-2)."""
    if packet.state is not PacketState.LAUNCHED:
        return False
    assert packet.schedule is not None
    return now_ms < rulebook.voidable_until_ms(packet.schedule)
