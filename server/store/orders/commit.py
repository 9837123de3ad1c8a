"""Commit an order's step: the core's decision is one call of ``step_order``, which changes all or nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from server.core.ids import OrderId, PacketId, ViewerId, packet_of_claim
from server.core.money.posting import AssetChange, StepPart
from server.core.orders.asset import Asset, AssetState
from server.core.orders.order_stats import OrderStats
from server.store import keys
from server.store.connection import Store
from server.store.transfers import run_sound


@dataclass(frozen=True, slots=True)
class OrderStep:
    """
    A step as decided at room time ``from_ms``, to be committed before ``until_ms`` if the record is at ``version``.

    ``asked`` is the request of the part's transfer id. ``due_at_ms`` is when the sweeper checks the order next, or
    None; ``created_at_ms`` enters it among its home's orders.
    """

    part: StepPart
    viewer_id: ViewerId
    record: Mapping[str, str]
    version: int
    from_ms: int
    until_ms: int | None = None
    due_at_ms: int | None = None
    created_at_ms: int | None = None
    asked: str = ""
    gains: OrderStats = field(default_factory=OrderStats)


def decided_until(assets: Iterable[Asset], now_ms: int, *more_ms: int) -> int | None:
    """Return the next room instant at which the decision may change: a validity begins or ends, or *more_ms*."""
    instants = [*more_ms, *(ms for each in assets for ms in (each.use_start_at_ms, each.use_end_at_ms))]
    return min((ms for ms in instants if ms > now_ms), default=None)


async def commit(store: Store, step: OrderStep) -> bytes:
    """
    Commit a step and return the script's outcome: done, repeated, transfer_conflict or raced.

    Raises StoreBroken if the stored data are not as scripts write them, StoreUnavailable if the outcome is unknown.
    """
    part = step.part
    part.check()
    creator_id = part.creator_id
    changes: dict[PacketId, list[AssetChange]] = {packet_id: [] for packet_id in step.gains.by_packet}
    for change in part.changes:
        changes.setdefault(packet_of_claim(change.asset_id), []).append(change)
    names = [
        *(keys.clock_of(creator_id), keys.transfers(creator_id), keys.wallet(creator_id), keys.journal(creator_id)),
        *(keys.orders(creator_id), keys.orders_due(creator_id), keys.reversals(creator_id)),
        *(keys.order(creator_id, part.order_id), keys.effects(creator_id)),
    ]
    for packet_id in changes:
        names += [keys.packet(packet_id), keys.claims(packet_id), keys.assets(packet_id), keys.effects_of(packet_id)]
    texts = orjson.dumps(_texts(step, changes))
    outcome: bytes = await run_sound(store, part.order_id, "step_order", names, [texts])
    return outcome


def _texts(step: OrderStep, changes: Mapping[PacketId, Sequence[AssetChange]]) -> dict[str, Any]:
    """Return a step as the script takes it: every value is text, because JSON numbers are not exact in Lua."""
    part = step.part
    return {
        "kind": part.kind,
        "transfer_id": part.transfer_id,
        "asked": step.asked,
        "order_id": part.order_id,
        "viewer_id": step.viewer_id,
        "version": str(step.version),
        "from_ms": str(step.from_ms),
        "until_ms": _text(step.until_ms),
        "created_at_ms": _text(step.created_at_ms),
        "due_at_ms": _text(step.due_at_ms),
        "amount_fen": str(sum(posting.amount_fen for posting in part.postings)),
        "postings": ";".join(",".join(map(str, posting)) for posting in part.postings),
        "record": [text for pair in step.record.items() for text in pair],
        "reversals": [
            (f"{each.key}|{each.packet_id}|{each.amount_fen}", str(each.due_at_ms), str(each.amount_fen))
            for each in part.reversals
        ],
        "effects": _gained(step.gains.total),
        "packets": [
            {
                "changes": [_change(change, part.order_id) for change in changes[packet_id]],
                "effects": _gained(step.gains.by_packet.get(packet_id, {})),
            }
            for packet_id in changes
        ],
    }


def _change(change: AssetChange, order_id: OrderId) -> tuple[str, str, str, str]:
    _, _, index = change.asset_id.rpartition(":")
    after = stored_state(change.after, order_id, final=change.final)
    return index, str(change.face_fen), stored_state(change.before, order_id), after


def stored_state(state: AssetState, order_id: OrderId, *, final: bool = False) -> str:
    """
    Return the stored form of the state that an order gives an asset; available is not stored.

    A redeemed asset is *final* once its order is: its money belongs to the merchant by then.
    """
    if final:
        assert state is AssetState.REDEEMED
        return f"final:{order_id}"
    match state:
        case AssetState.AVAILABLE:
            return ""
        case AssetState.EXPIRED_RETURNED:
            return "expired"
    return f"{state}:{order_id}"


def _gained(gains: Mapping[str, int]) -> list[tuple[str, str]]:
    return [(name, str(number)) for name, number in gains.items() if number > 0]


def _text(number: int | None) -> str:
    return "" if number is None else str(number)
