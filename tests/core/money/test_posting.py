"""Postings: an order's steps in the journals of creator and platform, to the fen."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest

from server.core.ids import ClaimId, CreatorId, OrderId, PacketId
from server.core.money.account import kind_of
from server.core.money.posting import AssetChange, OrderKind, Posting, StepPart, parts_of
from server.core.orders.asset import Asset, AssetState
from server.core.orders.discount import Discount, DiscountKind
from server.core.orders.order import Refund, StepOutcome, cancel, finish, pay, refund, submit
from server.core.orders.pricing import price
from server.core.orders.settlement import Rates, Settlement, settle
from server.core.orders.stacking import best_quote
from server.core.refusal import Refused
from server.core.rulebooks.platforms import DOUYIN
from tests.core.money.ledger_model import CLEARING, Ledger, Transfer, TransferKind, may_be_negative
from tests.core.shopping import ANNA, DAY, LI, NOW, a_packet, a_purchase

PLATFORM = CreatorId("platform")
OWN = a_packet("li.p1:0", 1_550, use_end_at_ms=NOW + 100)
OWN_TOO = a_packet("li.p2:3", 450)
PLATFORMS = a_packet("platform.p9:7", 1_000, creator_id=None)
REDUCTION = Discount("full", DiscountKind.FULL_REDUCTION, amount_fen=2_000)
COUPON = Discount("coupon", DiscountKind.SHOP_COUPON, amount_fen=1_000)
RATES = Rates(commission=2_000, service_fee=500)
HORIZON = DOUYIN.refund_horizon_ms
OWN_PACKET = PacketId("li.p1")
OTHER_ORDER = OrderId("li.o2")
SPENT = (AssetState.REDEEMED, AssetState.REDEEMED)


def submitted(*assets: Asset, discounts: tuple[Discount, ...] = (REDUCTION, COUPON)) -> StepOutcome:
    quote, choice = best_quote(a_purchase(20_000, shipping_fen=600), discounts, assets, NOW, rulebook=DOUYIN)
    assert len(choice.used) == len(assets)
    return submit("li.o1", ANNA, quote, assets, NOW, rulebook=DOUYIN)


def parts(
    outcome: StepOutcome, before: tuple[Asset, ...], kind: OrderKind, settled: Settlement | None = None
) -> dict[CreatorId, StepPart]:
    made = parts_of(outcome, before, kind=kind, transfer_id=f"{kind}:1", home=LI, merchant_id="shop", settled=settled)
    for part in made.values():
        part.check()
    return made


def balances_of(parts: Iterable[StepPart]) -> Mapping[str, int]:
    """Return what each account holds after these parts, if all were empty before."""
    balances: dict[str, int] = {}
    for part in parts:
        for posting in part.postings:
            balances[posting.debit] = balances.get(posting.debit, 0) - posting.amount_fen
            balances[posting.credit] = balances.get(posting.credit, 0) + posting.amount_fen
    return balances


def carried_out() -> tuple[list[StepPart], StepOutcome]:
    """Return what vector DY-1 has posted once it is paid, and the order then."""
    assets = (OWN, OWN_TOO, PLATFORMS)
    first = submitted(*assets)
    done = [*parts(first, assets, OrderKind.SUBMIT).values()]
    paid = pay(first.order, first.assets, NOW + 1, DOUYIN)
    done += parts(paid, first.assets, OrderKind.PAY).values()
    return done, paid


@pytest.mark.rule("DY-SET-1")
@pytest.mark.rule("DY-SET-2")
@pytest.mark.rule("DY-SET-3")
def test_vector_dy_1_in_the_journals() -> None:
    """Merchant 12,750 and the shipping, commission 3,400, service fee 850; nothing is left under way."""
    done, paid = carried_out()
    settled = settle(paid.order.quote, RATES, DOUYIN)
    final = finish(paid.order, paid.assets, NOW + 1 + HORIZON, DOUYIN)
    done += parts(final, paid.assets, OrderKind.FINISH, settled).values()
    spent = [change for part in done[-2:] for change in part.changes]
    assert spent == [AssetChange(ClaimId(each.asset_id), each.face_fen, *SPENT, final=True) for each in paid.assets]
    assert not any(change.final for part in done[:-2] for change in part.changes)
    again = finish(final.order, final.assets, NOW + 2 + HORIZON, DOUYIN)
    assert not any(part.changes for part in parts(again, final.assets, OrderKind.FINISH).values())
    balances = balances_of(done)
    assert balances["merchant:shop"] == 12_750 + 600
    assert balances["commission:li"] == 3_400
    assert balances["service:platform"] == 850
    assert balances["buyer:anna"] == -14_600
    assert [balances[f"assets:{packet}"] for packet in ("li.p1", "li.p2", "platform.p9")] == [-1_550, -450, -1_000]
    assert sum(balances.values()) == 0
    assert not any(fen for name, fen in balances.items() if kind_of(name) in CLEARING)


def test_each_journal_gets_its_own() -> None:
    """The platform's has its packets and nothing of the buyer's; the creator's has the buyer's money."""
    done, _ = carried_out()
    submit_li, hold, pay_li, follow = done
    assert [part.kind for part in done] == ["submit", "hold", "pay", "follow"]
    assert hold.postings == (Posting("assets:platform.p9", "locked:platform.p9", 1_000),)
    assert follow.postings == (Posting("locked:platform.p9", "redeemed:platform.p9", 1_000),)
    assert (submit_li.creator_id, hold.creator_id) == (LI, PLATFORM)
    assert Posting("buyer:anna", "clearing:li.o1", 14_600) in pay_li.postings
    assert [(each.asset_id, each.before, each.after) for each in follow.changes] == [
        ("platform.p9:7", "locked", "redeemed")
    ]


@pytest.mark.rule("DY-REV-8")
@pytest.mark.rule("DY-CAN-6")
def test_a_refund_sends_each_packet_its_own_way() -> None:
    """After a full refund the expired one is on its way to its creator, the others are the viewer's again."""
    done, paid = carried_out()
    back = refund(paid.order, paid.assets, Refund("r", {"l0": 14_000}, 600), NOW + 200, DOUYIN)
    own = parts(back, paid.assets, OrderKind.REFUND)[LI]
    assert own.reversals == (("refund:li.o1:li.p1:0", "li.p1", 1_550, NOW + 200 + DOUYIN.reversal_delay_ms),)
    done += parts(back, paid.assets, OrderKind.REFUND).values()
    balances = balances_of(done)
    assert {name: fen for name, fen in balances.items() if fen} == {"assets:li.p1": -1_550, "reversing:li": 1_550}


def test_subsidies_reach_the_merchant() -> None:
    """Discounts of creator and platform other than red packets are paid, and are in no base (DY-SET-5)."""
    discounts = [
        Discount("c", DiscountKind.CREATOR_COUPON, amount_fen=300),
        Discount("p", DiscountKind.PLATFORM_COUPON, amount_fen=200),
        Discount("u", DiscountKind.CONSUMPTION_CREDIT, amount_fen=100),
    ]
    first = submit("li.o1", ANNA, price(a_purchase(10_000), discounts, DOUYIN), (), NOW, rulebook=DOUYIN)
    paid = pay(first.order, (), NOW, rulebook=DOUYIN)
    final = finish(paid.order, (), NOW + HORIZON, DOUYIN)
    settled = settle(paid.order.quote, RATES, DOUYIN)
    made = [
        *parts(paid, (), OrderKind.PAY).values(),
        *parts(final, (), OrderKind.FINISH, settled).values(),
    ]
    balances = balances_of(made)
    assert balances["merchant:shop"] == settled.merchant_net_fen
    subsidies = {name: fen for name, fen in balances.items() if name.startswith("subsidy")}
    assert subsidies == {"subsidy:li": -300, "subsidy:platform": -200, "subsidy:unstated": -100}
    assert sum(balances.values()) == 0


def test_the_ledger_takes_a_part_once() -> None:
    """Posted again it moves nothing; another part under its id is refused; what is not held is not moved."""
    ledger = Ledger()
    ledger.post(Transfer(TransferKind.RECHARGE, "r", LI, 2_000, channel="bank"))
    lock = parts(submitted(OWN), (OWN,), OrderKind.SUBMIT)[LI]
    with pytest.raises(Refused) as refused:
        ledger.post_part(lock)
    assert refused.value.code == "insufficient_funds"
    for kind in (TransferKind.FUND, TransferKind.CLAIM):
        ledger.post(Transfer(kind, str(kind), LI, 1_550, packet_id=OWN_PACKET))
    entry = ledger.post_part(lock)
    assert ledger.post_part(lock) == entry
    assert ledger.balance("locked:li.p1") == entry.amount_fen == 1_550
    with pytest.raises(Refused) as refused:
        ledger.post_part(replace(lock, order_id=OTHER_ORDER))
    assert refused.value.code == "transfer_conflict"
    ledger.check()


def test_a_step_makes_its_own_postings_only() -> None:
    """A cancel that pays the merchant is a broken invariant."""
    wrong = StepPart(OrderKind.CANCEL, "t", LI, OTHER_ORDER, (Posting("clearing:li.o2", "merchant:shop", 1),))
    with pytest.raises(AssertionError):
        wrong.check()
    assert not may_be_negative("clearing:li.o2")


def test_a_cancel_gives_the_face_back() -> None:
    """The whole face of each packet is where it was before the order."""
    assets = (OWN, OWN_TOO, PLATFORMS)
    first = submitted(*assets)
    back = cancel(first.order, first.assets, NOW + 1, DOUYIN)
    made = [*parts(first, assets, OrderKind.SUBMIT).values(), *parts(back, first.assets, OrderKind.CANCEL).values()]
    assert not any(balances_of(made).values())
    assert NOW + 1 < OWN_TOO.use_end_at_ms <= NOW + DAY
