"""
Postings: the money movements of an order's step, by owner, as the journal records them.

An order may use packets of a creator and of the platform. Each has its own journal and gets its own part of a step:
the movements of its packets, and, in the journal of the order's home, also the buyer's money. Money that goes back to
a funder is put into ``reversing`` and reaches the funds when it is due (DY-REV-8).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from server.core.ids import ClaimId, CreatorId, OrderId, PacketId, creator_of, packet_of_claim
from server.core.money.account import AccountKind, account, kind_of
from server.core.orders.asset import Asset, AssetState
from server.core.orders.discount import DiscountKind, Funder
from server.core.orders.order import Movement, Order, Place, StepOutcome
from server.core.orders.settlement import Settlement


class OrderKind(StrEnum):
    """Every step of an order that moves money; the last two are those of its part under another creator's tag."""

    SUBMIT = "submit"
    PAY = "pay"
    CANCEL = "cancel"
    REFUND = "refund"
    FINISH = "finish"
    HOLD = "hold"
    FOLLOW = "follow"


_A = AccountKind
_TO_FUNDER = {(_A.LOCKED, _A.REVERSING), (_A.REDEEMED, _A.REVERSING)}

POSTINGS: dict[OrderKind, frozenset[tuple[AccountKind, AccountKind]]] = {
    OrderKind.SUBMIT: frozenset({(_A.ASSETS, _A.LOCKED)}),
    OrderKind.PAY: frozenset({(_A.BUYER, _A.CLEARING), (_A.LOCKED, _A.REDEEMED)}),
    OrderKind.CANCEL: frozenset({(_A.LOCKED, _A.ASSETS), (_A.LOCKED, _A.REVERSING)}),
    OrderKind.REFUND: frozenset(
        {
            (_A.CLEARING, _A.BUYER),
            (_A.CLEARING, _A.MERCHANT),
            (_A.MERCHANT, _A.CLEARING),
            (_A.REDEEMED, _A.ASSETS),
            (_A.REDEEMED, _A.REVERSING),
        }
    ),
    OrderKind.FINISH: frozenset(
        {
            (_A.CLEARING, _A.MERCHANT),
            (_A.REDEEMED, _A.MERCHANT),
            (_A.REDEEMED, _A.REVERSING),
            (_A.SUBSIDY, _A.MERCHANT),
            (_A.MERCHANT, _A.COMMISSION),
            (_A.MERCHANT, _A.SERVICE),
        }
    ),
    OrderKind.HOLD: frozenset({(_A.ASSETS, _A.LOCKED)}),
    OrderKind.FOLLOW: frozenset(
        {
            (_A.LOCKED, _A.ASSETS),
            (_A.LOCKED, _A.REDEEMED),
            (_A.REDEEMED, _A.ASSETS),
            (_A.REDEEMED, _A.MERCHANT),
            *_TO_FUNDER,
        }
    ),
}
"""The transition table of orders: the kinds of accounts between which each step moves money."""


class Posting(NamedTuple):
    """An amount in fen, more than 0, that goes from one account to another."""

    debit: str
    credit: str
    amount_fen: int


class Reversal(NamedTuple):
    """Money on its way back to the creator of a packet; ``key`` is unique to its cause (DY-REV-8)."""

    key: str
    packet_id: PacketId
    amount_fen: int
    due_at_ms: int


class AssetChange(NamedTuple):
    """An asset's change of state by a step; ``final`` means that it is redeemed for good."""

    asset_id: ClaimId
    face_fen: int
    before: AssetState
    after: AssetState
    final: bool = False


@dataclass(frozen=True, slots=True)
class StepPart:
    """The part of an order's step for one creator's journal and packets."""

    kind: OrderKind
    transfer_id: str
    creator_id: CreatorId
    order_id: OrderId
    postings: tuple[Posting, ...] = ()
    changes: tuple[AssetChange, ...] = ()
    reversals: tuple[Reversal, ...] = ()

    def check(self) -> None:
        """Raise AssertionError unless this kind of step may make every posting."""
        for posting in self.postings:
            assert posting.amount_fen > 0, posting
            assert (kind_of(posting.debit), kind_of(posting.credit)) in POSTINGS[self.kind], (self.kind, posting)
        assert sum(each.amount_fen for each in self.reversals) == sum(
            each.amount_fen for each in self.postings if kind_of(each.credit) is AccountKind.REVERSING
        )


def parts_of(
    outcome: StepOutcome,
    before: Sequence[Asset],
    *,
    kind: OrderKind,
    transfer_id: str,
    home: CreatorId,
    merchant_id: str,
    settled: Settlement | None = None,
) -> dict[CreatorId, StepPart]:
    """
    Return the parts of a step by creator; the home's part is always present and has the cash.

    *before* are the assets before the step, in the order of the outcome's. *settled* is the settlement of a finished
    order, and makes its redeemed assets final. Packets not of the home follow later: their parts are of the
    kind HOLD or FOLLOW.
    """
    order, by_id = outcome.order, {asset.asset_id: asset for asset in before}
    spent = {each.asset_id for each in outcome.movements if kind is OrderKind.FINISH}
    tags = [home, *(tag_of(asset) for asset in before)]
    parts: dict[CreatorId, StepPart] = {}
    for tag in dict.fromkeys(tags):
        movements = [each for each in outcome.movements if _tag(each, home) == tag]
        postings = [_posting(each, order, merchant_id) for each in movements]
        if tag == home and settled is not None:
            postings += settlement_postings(order, settled, home, merchant_id)
        changes = [
            AssetChange(ClaimId(new.asset_id), new.face_fen, old.state, new.state, final=new.asset_id in spent)
            for new in outcome.assets
            if tag_of(new) == tag and ((old := by_id[new.asset_id]).state is not new.state or new.asset_id in spent)
        ]
        parts[tag] = StepPart(
            kind if tag == home else (OrderKind.HOLD if kind is OrderKind.SUBMIT else OrderKind.FOLLOW),
            transfer_id,
            tag,
            OrderId(order.order_id),
            merged(postings),
            tuple(changes),
            tuple(_reversals(movements)),
        )
    return parts


def settlement_postings(order: Order, settled: Settlement, home: CreatorId, merchant_id: str) -> list[Posting]:
    """
    Return the postings of a finished order: subsidies to the merchant, commission and service fee from it.

    The payments of buyer and packets are not included: they reach the merchant by the order's own movements (DY-SET-1
    to DY-SET-3, DY-SET-5).
    """
    merchant = account(AccountKind.MERCHANT, merchant_id)
    borne = order.quote.by_funder()
    subsidies = {
        Funder.CREATOR: borne[Funder.CREATOR] - order.quote.deducted_fen(DiscountKind.CREATOR_PACKET),
        Funder.PLATFORM: borne[Funder.PLATFORM] - order.quote.deducted_fen(DiscountKind.PLATFORM_PACKET),
        Funder.UNSTATED: borne[Funder.UNSTATED],
    }
    postings = [
        Posting(account(AccountKind.SUBSIDY, home if funder is Funder.CREATOR else funder), merchant, fen)
        for funder, fen in subsidies.items()
    ]
    postings.append(Posting(merchant, account(AccountKind.COMMISSION, home), settled.commission_fen))
    postings.append(Posting(merchant, account(AccountKind.SERVICE, Funder.PLATFORM), settled.service_fee_fen))
    return [posting for posting in postings if posting.amount_fen > 0]


def tag_of(asset: Asset) -> CreatorId:
    """Return the creator of an asset's packet: for a platform packet the platform's own id."""
    return creator_of(packet_of_claim(ClaimId(asset.asset_id)))


def merged(postings: Iterable[Posting]) -> tuple[Posting, ...]:
    """Return postings merged by pair of accounts, in the order of first appearance."""
    sums: dict[tuple[str, str], int] = {}
    for debit, credit, fen in postings:
        sums[debit, credit] = sums.get((debit, credit), 0) + fen
    return tuple(Posting(debit, credit, fen) for (debit, credit), fen in sums.items())


def _tag(movement: Movement, home: CreatorId) -> CreatorId:
    if movement.asset_id is None:
        return home
    return creator_of(packet_of_claim(ClaimId(movement.asset_id)))


def _posting(movement: Movement, order: Order, merchant_id: str) -> Posting:
    return Posting(
        _account(movement.debit, movement, order, merchant_id),
        _account(movement.credit, movement, order, merchant_id),
        movement.amount_fen,
    )


def _account(place: Place, movement: Movement, order: Order, merchant_id: str) -> str:
    match place:
        case Place.BUYER:
            return account(AccountKind.BUYER, order.viewer_id)
        case Place.CLEARING:
            return account(AccountKind.CLEARING, order.order_id)
        case Place.MERCHANT:
            return account(AccountKind.MERCHANT, merchant_id)
    assert movement.asset_id is not None
    packet_id = packet_of_claim(ClaimId(movement.asset_id))
    if place is Place.FUNDER:
        return account(AccountKind.REVERSING, creator_of(packet_id))
    return account(AccountKind(place), packet_id)


def _reversals(movements: Iterable[Movement]) -> Iterator[Reversal]:
    for each in movements:
        if each.credit is Place.FUNDER:
            assert each.asset_id is not None
            yield Reversal(each.key, packet_of_claim(ClaimId(each.asset_id)), each.amount_fen, each.due_at_ms)
