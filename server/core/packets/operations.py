"""Operations that a creator may do on a packet at an instant, as the list shows them (DY-UI-3, KS-UI-2)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import assert_never

from server.core.packets.issuance import check_editable, check_end
from server.core.packets.launch import check_draft, check_opens_in_time, launch_rulebook, least_lead_ms
from server.core.packets.packet import Packet, PacketState
from server.core.refusal import Refused
from server.core.rulebooks.page import Operation
from server.core.rulebooks.rulebook import Rulebook

CLOSED: Mapping[str, tuple[str, str]] = {
    "void too_late": ("it is too late to void this packet", "DY-VOI-2"),
    "void voided": ("this packet is voided already", "DY-VOI-1"),
    "void settled": ("this packet is settled already", "DY-VOI-1"),
    "edit too_late": ("the claim window is over; the packet can no longer be edited", "KS-EDT-1"),
    "edit voided": ("this packet is voided already", "KS-EDT-1"),
    "edit settled": ("this packet is settled already", "KS-EDT-1"),
    "end too_late": ("the claim window is over; the packet can no longer be ended", "KS-END-1"),
    "end voided": ("this packet is voided already", "KS-END-1"),
    "end settled": ("this packet is settled already", "KS-END-1"),
}
"""The refusals by a packet's state, of operation and code: detail and rule. The store's scripts refuse by the same."""


@dataclass(frozen=True, slots=True)
class OperationState:
    """An operation on a packet: why it is ``refused`` now, if it is, and the room instant from which it will be."""

    operation: Operation
    refused: Refused | None
    until_ms: int | None


def operations(packet: Packet, rulebook: Rulebook, now_ms: int) -> list[Operation]:
    """Return the operations allowed on *packet* at room time *now_ms*, in the order of ``Operation``."""
    return [each.operation for each in operation_states(packet, rulebook, now_ms) if each.refused is None]


def operation_states(packet: Packet, rulebook: Rulebook, now_ms: int) -> list[OperationState]:
    """
    Return every operation on *packet* as it stands at room time *now_ms* (DY-UI-3, KS-UI-2).

    Limits by the creator's other packets, funds and permissions are checked only when the operation is tried.
    """
    return [_state(operation, packet, rulebook, now_ms) for operation in Operation]


def _state(operation: Operation, packet: Packet, rulebook: Rulebook, now_ms: int) -> OperationState:
    until_ms = _until_ms(operation, packet, rulebook)
    closed = partial(_check_open, operation, packet, rulebook, None if until_ms is None else now_ms >= until_ms)
    checks: list[Callable[[], None]]
    match operation:
        case Operation.LAUNCH:
            opens_at_ms = now_ms + least_lead_ms(launch_rulebook(packet, rulebook))
            in_time = partial(check_opens_in_time, packet, opens_at_ms, rulebook)
            checks = [partial(check_draft, packet, rulebook), in_time]
        case Operation.COPY:  # DY-CPY-1: ended packets too
            checks = []
        case Operation.VOID:
            checks = [closed]
        case Operation.EDIT:
            checks = [partial(check_editable, packet, rulebook), closed]
        case Operation.END:
            checks = [partial(check_end, rulebook), closed]
        case _:
            assert_never(operation)
    try:
        for check in checks:
            check()
    except Refused as refused:
        return OperationState(operation, refused, until_ms)
    return OperationState(operation, None, until_ms)


def _until_ms(operation: Operation, packet: Packet, rulebook: Rulebook) -> int | None:
    """Return the room instant from which an operation that depends on time is refused, or None if it never is."""
    if operation is Operation.COPY:
        return None
    if operation is Operation.LAUNCH:
        if packet.schedule is not None or packet.use_end_at_ms is None:
            return None
        return packet.use_end_at_ms - least_lead_ms(launch_rulebook(packet, rulebook))
    if packet.schedule is None:
        return None
    return (
        rulebook.voidable_until_ms(packet.schedule) if operation is Operation.VOID else packet.schedule.claim_end_at_ms
    )


def _check_open(operation: Operation, packet: Packet, rulebook: Rulebook, over: bool | None) -> None:
    """Refuse an operation on a packet that is voided or settled, or whose time for it is *over*."""
    match packet.state:
        case PacketState.VOIDED | PacketState.SETTLED:
            code = packet.state.value
        case _ if over:
            code = "too_late"
        case _:
            return
    detail, rule = CLOSED[f"{operation} {code}"]
    raise Refused(code, detail, rule=rulebook.rule(rule))
