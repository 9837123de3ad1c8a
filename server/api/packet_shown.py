"""The response for a packet: every column of the creators' list (DY-CRE-4)."""

from dataclasses import asdict

from pydantic import BaseModel

from server.api.app_state import AppState
from server.core.packets.operations import OperationState, operation_states
from server.core.packets.packet import ACTIVITIES, Activity, Denomination, GoodsScope, Packet, Phase, Schedule
from server.core.rooms.messages import editions_on_screen
from server.core.rulebooks.page import Operation
from server.store.packet_stats import PacketRow


class EditionShown(BaseModel):
    """
    One edition of a packet's issuance: the shares added from ``first_index`` on, and its commitment; sums in fen.

    A decrease adds nothing: the packet then ends before ``first_index`` (AMB-12).
    """

    edition: int
    first_index: int
    share_count: int
    total_fen: int
    commitment: str | None


class OperationShown(BaseModel):
    """
    An operation on a packet, whether it is ``allowed`` now, and the refusal if it is not: code, detail and rule.

    From ``until_ms`` on, if that is not null, it is refused.
    """

    operation: Operation
    allowed: bool
    code: str
    detail: str
    rule: str
    until_ms: int | None


class PacketShown(BaseModel):
    """
    A packet with its schedule (if launched) and counters; sums in fen, instants in room ms.

    ``goods`` are those that it may be used on: its creator's, the ``product_ids``, or all (the platform's packets). The
    launch settles ``launch_mode``, the ``creator_name`` that viewers see, and the ``entrances`` from which those goods'
    pages must be opened (null: any).

    From ``voidable_until_ms`` on it can no longer be voided (DY-VOI-2, AMB-11); a draft always can. Shares that an edit
    has added can be claimed from ``claimable_at_ms`` on. Of the granted shares, orders hold the locked and the redeemed
    ones; the final ones are paid out, and the expired ones returned. ``operations`` are those that may be tried now
    (DY-UI-3, KS-UI-2); ``operation_states`` has all of them, with the reason against the others. No packet
    ``affects_price_baseline`` of the goods it is used on (DY-VAL-1, KS-VAL-1). ``estimated_commission_fen`` is that of
    orders paid with the packet, settled or not yet (DY-SET-4).
    """

    packet_id: str
    creator_id: str
    creator_name: str
    created_at_ms: int | None
    launched_at_ms: int | None
    launch_mode: str | None
    room_id: str | None
    name: str
    platform: str
    state: str
    phase: Phase
    activity: Activity
    denomination: Denomination
    share_count: int
    total_fen: int
    min_share_fen: int
    max_share_fen: int
    warmup_at_ms: int | None
    grab_at_ms: int | None
    claim_end_at_ms: int | None
    use_start_at_ms: int | None
    use_end_at_ms: int | None
    use_for_ms: int | None
    goods: GoodsScope
    product_ids: list[str] | None
    entrances: list[str] | None
    voidable_until_ms: int | None
    surface: str
    edition: int
    commitment: str
    editions: list[EditionShown]
    claimable_at_ms: int | None
    ended_at_ms: int | None
    allocator: str
    given: int
    given_fen: int
    remaining: int
    remaining_fen: int
    returned: int
    returned_fen: int
    locked: int
    locked_fen: int
    redeemed: int
    redeemed_fen: int
    expired: int
    expired_fen: int
    final: int
    final_fen: int
    operations: list[Operation]
    operation_states: list[OperationShown]
    affects_price_baseline: bool
    estimated_commission_fen: int
    warnings: list[str] = []


def scope_shown(packet: Packet) -> list[str] | None:
    """Return the goods that a packet may be used on, or None for all (KS-CRE-2)."""
    return None if packet.product_ids is None else list(packet.product_ids)


async def shown(state: AppState, packet: Packet, warnings: list[str] | None = None) -> PacketShown:
    """Return the response for a packet now, with its launch's warnings."""
    return row_shown(state, packet, await state.effects.row(packet.packet_id), warnings)


def row_shown(state: AppState, packet: Packet, row: PacketRow, warnings: list[str] | None = None) -> PacketShown:
    """Return the response for a packet with the counters that were read with it."""
    schedule, rulebook, now_ms = packet.schedule, state.rulebook(packet.platform), state.clock.room_ms()
    states = operation_states(packet, rulebook, now_ms)
    schedule_shown = asdict(schedule) if schedule else dict.fromkeys(Schedule.__match_args__)
    computed = {
        "phase": packet.phase_at(now_ms),
        "activity": ACTIVITIES[packet.phase_at(now_ms)],
        "voidable_until_ms": rulebook.voidable_until_ms(schedule) if schedule else None,
        "goods": packet.goods,
        "editions": editions_on_screen(packet),
        "operations": [each.operation for each in states if each.refused is None],
        "operation_states": [_operation_shown(each) for each in states],
        "affects_price_baseline": rulebook.affects_price_baseline,
        "estimated_commission_fen": row.estimated_commission_fen,
        "warnings": warnings or [],
    }
    return PacketShown(**asdict(packet) | asdict(packet.terms) | schedule_shown | asdict(row.counts) | computed)


def _operation_shown(state: OperationState) -> OperationShown:
    refused = state.refused
    return OperationShown(
        operation=state.operation,
        allowed=refused is None,
        code=refused.code if refused else "",
        detail=str(refused) if refused else "",
        rule=refused.rule if refused else "",
        until_ms=state.until_ms,
    )
