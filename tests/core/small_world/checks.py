"""The invariants of every small world, checked after every step."""

from server.core.money.account import AccountKind, account, kind_of
from server.core.orders.asset import AssetState
from server.core.orders.order import OrderState
from server.core.packets.packet import PacketState
from tests.core.money.ledger_model import CLEARING, TransferKind, may_be_negative
from tests.core.small_world.steps import ending, taken
from tests.core.small_world.world import CREATOR, MERCHANT, PACKET, Do, Step, World

_OVER = (PacketState.SETTLED, PacketState.VOIDED)
_KIND_OF_STATE = {
    AssetState.AVAILABLE: AccountKind.ASSETS,
    AssetState.LOCKED: AccountKind.LOCKED,
    AssetState.REDEEMED: AccountKind.REDEEMED,
}
_FUNDS, _REVERSING = account(AccountKind.FUNDS, CREATOR), account(AccountKind.REVERSING, CREATOR)


def check(world: World) -> None:
    """Raise AssertionError unless all that must hold does."""
    world.ledger.check()
    balances = world.ledger.balances()
    assert sum(balances.values()) == 0
    assert all(fen >= 0 or may_be_negative(name) for name, fen in balances.items())
    _check_funds(world)
    _check_packet(world)
    _check_faces(world)
    _check_order(world)


def _check_funds(world: World) -> None:
    """Add up what came in, came back, went out and was spent, by the journal's kinds alone (DY-ACC-1)."""
    fen = dict.fromkeys(TransferKind, 0)
    returned_fen = 0
    for entry in world.ledger.journal:
        if isinstance(entry.kind, TransferKind):
            fen[entry.kind] += entry.amount_fen
            if entry.credit == _FUNDS and entry.kind in _RETURNS:
                returned_fen += entry.amount_fen
    withdrawn_fen = fen[TransferKind.WITHDRAW] - fen[TransferKind.WITHDRAW_FAILED]
    spent_fen = fen[TransferKind.FUND] + fen[TransferKind.EDIT]
    available_fen = fen[TransferKind.RECHARGE] + returned_fen - withdrawn_fen - spent_fen
    assert available_fen == world.ledger.balance(_FUNDS) >= 0
    assert world.ledger.balance(_REVERSING) == sum(each.amount_fen for each in world.reversals)
    pending_fen = withdrawn_fen - fen[TransferKind.WITHDRAW_PAID]
    assert world.ledger.balance(account(AccountKind.WITHDRAWING, CREATOR)) == pending_fen


_RETURNS = {
    TransferKind.SWEEP,
    TransferKind.VOID,
    TransferKind.END,
    TransferKind.TRIM,
    TransferKind.EXPIRE,
    TransferKind.REVERSE,
}


def _check_packet(world: World) -> None:
    """Find every fen that was ever put into the packet."""
    put_in = sum(
        entry.amount_fen
        for entry in world.ledger.journal
        if entry.kind in (TransferKind.FUND, TransferKind.EDIT) and entry.packet_id == PACKET
    )
    here = (AccountKind.ESCROW, AccountKind.ASSETS, AccountKind.LOCKED, AccountKind.REDEEMED)
    held_fen = sum(world.ledger.balance(account(kind, PACKET)) for kind in here)
    reversing_fen = sum(each.amount_fen for each in world.reversals if each.packet_id == PACKET)
    returned_fen = world.ledger.funds(CREATOR).returned_fen
    redeemed = account(AccountKind.REDEEMED, PACKET)
    settled_fen = sum(
        posting.amount_fen
        for entry in world.ledger.journal
        for posting in entry.postings
        if (posting.debit, kind_of(posting.credit)) == (redeemed, AccountKind.MERCHANT)
    )
    assert put_in == held_fen + reversing_fen + returned_fen + settled_fen


def _check_faces(world: World) -> None:
    """Find each share's face in the one place that its state says, and the shares not claimed in escrow."""
    issue, order = world.issue, world.order
    left_fen = 0
    if issue is not None and issue.state not in _OVER:
        left_fen = sum(issue.shares[len(world.assets) :])
    assert world.ledger.balance(account(AccountKind.ESCROW, PACKET)) == left_fen
    final = order is not None and order.state is OrderState.FINAL
    for state, kind in _KIND_OF_STATE.items():
        faces = [each.face_fen for each in world.assets if each.state is state]
        if state is AssetState.REDEEMED and final:
            faces = []  # what was used is the merchant's, the rest is on its way back
        assert world.ledger.balance(account(kind, PACKET)) == sum(faces), state


def _check_order(world: World) -> None:
    """Have an order hold what its buyer paid until it is over, and its packet in the state that goes with its own."""
    order = world.order
    if order is None:
        return
    clearing_fen = world.ledger.balance(account(AccountKind.CLEARING, order.order_id))
    assert clearing_fen == (order.kept_fen if order.state is OrderState.PAID else 0)
    buyer_fen = world.ledger.balance(account(AccountKind.BUYER, order.viewer_id))
    paid = order.state in (OrderState.PAID, OrderState.REFUNDED, OrderState.FINAL)
    assert -buyer_fen == (order.kept_fen if paid else 0)
    held = [asset for asset in world.assets if asset.order_id == order.order_id]
    states = {
        OrderState.SUBMITTED_UNPAID: [AssetState.LOCKED],
        OrderState.PAID: [AssetState.REDEEMED],
        OrderState.FINAL: [AssetState.REDEEMED],
    }
    assert [asset.state for asset in held] == states.get(order.state, [])
    if order.state is OrderState.FINAL:
        income = (AccountKind.COMMISSION, CREATOR), (AccountKind.SERVICE, "platform"), (AccountKind.MERCHANT, MERCHANT)
        income_fen = sum(world.ledger.balance(account(kind, owner)) for kind, owner in income)
        assert income_fen == order.kept_fen + sum(packet.used_fen for packet in order.packets)


def check_the_end(world: World) -> None:
    """Let all time pass and whatever comes by itself happen: nothing is left on its way."""
    _, world = taken(world, Step(Do.FAILED, "w1"))
    for _, _, after in ending(world):
        world = after
    check(world)
    under_way = CLEARING | {AccountKind.ESCROW, AccountKind.ASSETS}
    left = {name: fen for name, fen in world.ledger.balances().items() if fen and kind_of(name) in under_way}
    assert not left, left
