"""Money movements of the small world: by the pure ledger, and in any case once the rules have granted them."""

from dataclasses import fields, replace

from server.core.money.posting import Reversal
from server.core.refusal import Refused
from tests.core.money.ledger_model import Ledger, Transfer, TransferKind
from tests.core.small_world.world import (
    CREATOR,
    PACKET,
    World,
)

Answer = tuple[str, World]
K = TransferKind


def given_back(world: World, kind: TransferKind, transfer_id: str, amount_fen: int) -> World:
    """Return the world after money has gone back to the creator, or on its way."""
    delay_ms = world.setting.rulebook.reversal_delay_ms
    after = must_move(world, kind, transfer_id, amount_fen, delayed=delay_ms > 0)
    if delay_ms == 0 or amount_fen == 0:
        return after
    key = f"{kind}:{PACKET}"
    if kind is K.EXPIRE:
        key = transfer_id
    elif kind is K.TRIM:
        assert world.issue is not None
        key += f":{world.issue.edition + 1}"
    reversal = Reversal(key, PACKET, amount_fen, world.now_ms + delay_ms)
    return replace(after, reversals=(*world.reversals, reversal))


def changed(world: World, **changes: object) -> World:
    assert world.issue is not None
    return replace(world, issue=replace(world.issue, **changes))  # type: ignore[arg-type]


def moved(world: World, kind: TransferKind, transfer_id: str, amount_fen: int, **more: object) -> World:
    """Return the world after a transfer; the same world if it was made before. Raises Refused as the ledger does."""
    if kind not in _PACKETLESS:
        more["packet_id"] = PACKET
    ledger = copied(world.ledger)
    ledger.post(Transfer(kind, transfer_id, CREATOR, amount_fen, **more))  # type: ignore[arg-type]
    if len(ledger.journal) == len(world.ledger.journal):
        return world
    return replace(world, ledger=ledger, known=known_with(world, transfer_id))


def known_with(world: World, transfer_id: str) -> frozenset[str]:
    """Return which ids are known then; those that follow from what was done go without saying."""
    return world.known if ":" in transfer_id or "." in transfer_id else world.known | {transfer_id}


def must_move(world: World, kind: TransferKind, transfer_id: str, amount_fen: int, **more: object) -> World:
    """Return the world after a transfer that the rules have granted: its money must be there."""
    try:
        after = moved(world, kind, transfer_id, amount_fen, **more)
    except Refused as refusal:
        raise AssertionError(f"{kind} {transfer_id}: {refusal.code}") from refusal
    assert after is not world, transfer_id
    return after


def copied(ledger: Ledger) -> Ledger:
    """Return a ledger that has moved the same so far and goes its own way."""
    return Ledger(*(getattr(ledger, name).copy() for name in _OF_LEDGER))


_OF_LEDGER = tuple(each.name for each in fields(Ledger))
_PACKETLESS = {K.RECHARGE, K.WITHDRAW, K.WITHDRAW_PAID, K.WITHDRAW_FAILED, K.REVERSE}
