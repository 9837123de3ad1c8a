"""Recorded books of orders that the server's core made, from random baskets, discounts, packets and fates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from loadtest.record.books import Books, books_from
from loadtest.verdict.audit.orders import check_orders
from loadtest.verdict.audit.violation import Findings
from server.core.ids import PLATFORM, CreatorId, OrderId, ViewerId
from server.core.money.posting import OrderKind, parts_of
from server.core.orders.asset import Asset
from server.core.orders.discount import Discount, DiscountKind
from server.core.orders.order import Refund, StepOutcome, cancel, finish, pay, refund, submit
from server.core.orders.purchase import App, Entrance, GoodsKind, Line, Purchase
from server.core.orders.settlement import Rates, settle_order
from server.core.orders.stacking import best_quote
from server.core.rulebooks.platforms import DOUYIN, KUAISHOU, LAB
from server.core.rulebooks.rulebook import Rulebook
from server.store.orders.book_line import order_line, rulebook_line
from server.store.orders.order_record import Deal, OrderRecord
from tests.loadtest.written_run import Line as BookLine
from tests.loadtest.written_run import a_run

NOW_MS = 1_000_000
USE_FOR_MS = 500_000
SELLERS = (CreatorId("li"), CreatorId("wang"))
ODD = replace(
    LAB,
    platform="odd",
    service_fee_includes_shipping=True,
    base_includes_platform_packets=False,
    item_level_reversal=True,
    creator_packets_per_order_max=3,
)
PLATFORMS = {each.platform: each for each in (DOUYIN, KUAISHOU, LAB, ODD)}
FATES = ("unpaid", "paid", "cancelled", "part", "full", "shipping after", "final", "final after part")
_PARALLEL = [
    DiscountKind.SHOP_COUPON,
    DiscountKind.STREAMER_COUPON_PACKET,
    DiscountKind.FULL_REDUCTION,
    DiscountKind.MULTI_ITEM_DISCOUNT,
    DiscountKind.CREATOR_COUPON,
    DiscountKind.PLATFORM_COUPON,
]
_FUNDS = [DiscountKind.GOLD_COIN, DiscountKind.CASH_SUBSIDY, DiscountKind.CONSUMPTION_CREDIT]


@dataclass
class SoldOrders:
    """The lines of some orders, with the packets they used and the journals of all their steps."""

    packets: list[BookLine] = field(default_factory=list)
    journal: list[BookLine] = field(default_factory=list)
    orders: list[BookLine] = field(default_factory=list)

    @property
    def lines(self) -> list[BookLine]:
        """Return the books."""
        head: BookLine = {"kind": "clock", "origin_ms": 0, "started_ms": 0, "speed": 1}
        rulebooks = [rulebook_line(each) for each in PLATFORMS.values()]
        return [head, *self.packets, *self.journal, *self.orders, *rulebooks, {"kind": "end", "final": True}]

    def read(self) -> Books:
        """Return the books as the judge reads them."""
        return books_from(self.lines)

    def faults(self) -> list[str]:
        """Return all that the audit of orders says of them."""
        findings = Findings()
        check_orders(findings, self.read())
        return [violation.detail for violation in findings.violations()]

    def postings(self, movement: str) -> list[list[Any]]:
        """Return the postings of all steps of a kind, to be changed."""
        return [posting for entry in self.journal if entry["movement"] == movement for posting in entry["postings"]]


def sold(rng: Random, *, count: int = 1, platform: str = "", fate: str = "") -> SoldOrders:
    """Return the books of random orders; of one *platform* or *fate*, if it is named."""
    books = SoldOrders()
    for number in range(count):
        rulebook = PLATFORMS[platform or rng.choice([*PLATFORMS])]
        _order(books, rng, number, rulebook, fate or rng.choice(FATES))
    return books


def a_basket(rng: Random, rulebook: Rulebook) -> Purchase:
    """Return a purchase of one to four lines, now and then of two creators."""
    sellers = SELLERS if rng.random() < 0.2 else SELLERS[:1]
    lines = tuple(
        Line(
            f"l{number}",
            f"goods-{rng.randrange(3)}",
            rng.choice([0, 1, 500, 500, rng.randrange(40), rng.randrange(3_000)]),
            quantity=rng.randrange(1, 4),
            flash_price_fen=rng.choice([None, None, rng.randrange(2_000)]),
            goods=rng.choice([GoodsKind.ORDINARY] * 6 + [GoodsKind.VIRTUAL]),
            creator_id=rng.choice(sellers),
            entrance=rng.choice([Entrance.LIVE_ROOM] * 4 + [Entrance.OTHER]),
        )
        for number in range(rng.randrange(1, 5))
    )
    client = next(app for app in App if app in rulebook.use_clients)
    return Purchase(lines, client, shipping_fen=rng.choice([0, 600]), service_fee_fen=rng.choice([0, 33]))


def discounts_for(rng: Random, purchase: Purchase) -> list[Discount]:
    """Return some discounts, with thresholds and scopes."""
    found = []
    ids = [line.line_id for line in purchase.lines]
    for number, kind in enumerate(rng.sample(_PARALLEL, rng.randrange(4)) + rng.sample(_FUNDS, rng.randrange(2))):
        scope = frozenset(rng.sample(ids, rng.randrange(1, len(ids) + 1))) if rng.random() < 0.3 else None
        threshold_fen = rng.choice([0, 500]) if kind in _PARALLEL else 0
        found.append(
            Discount(f"d{number}", kind, amount_fen=rng.randrange(800), threshold_fen=threshold_fen, line_ids=scope)
        )
    if rng.random() < 0.4:
        found.append(Discount("percent", DiscountKind.FULL_PERCENT_OFF, pay_permille=rng.randrange(1001)))
    return found


def packets_for(rng: Random, rulebook: Rulebook, number: int) -> list[Asset]:
    """Return some packets of a creator and of the platform, with faces small and large, some with a scope."""
    return [
        Asset(
            f"{(creator_id := rng.choice([*SELLERS, PLATFORM]))}.p{number}x{nth}:0",
            ViewerId("anna"),
            None if creator_id == PLATFORM else creator_id,
            rng.choice([1, rng.randrange(1, 50), rng.randrange(1, 900)]),
            NOW_MS - nth,
            NOW_MS - nth + USE_FOR_MS,
            rng.choice([None, None, frozenset({"goods-0"}), frozenset({"goods-1", "goods-2"})]),
            platform=rulebook.platform,
        )
        for nth in range(rng.randrange(5))
    ]


def _order(books: SoldOrders, rng: Random, number: int, rulebook: Rulebook, fate: str) -> None:
    purchase, held = a_basket(rng, rulebook), packets_for(rng, rulebook, number)
    discounts = discounts_for(rng, purchase)
    quote, choice = best_quote(purchase, discounts, held, NOW_MS, rulebook)
    used = tuple(asset for asset, _ in choice.used)
    home = next((asset.creator_id for asset in used if asset.creator_id is not None), SELLERS[0])
    order_id = OrderId(f"{home}.o{number}")
    rates = Rates(rng.randrange(5_000), rng.randrange(3_000))
    outcome = submit(order_id, ViewerId("anna"), quote, used, NOW_MS, rulebook=rulebook)
    deal = Deal(quote, outcome.order.packets, used, tuple(discounts), rulebook.platform, rates, "shop", "")
    record = OrderRecord(outcome.order, outcome.assets, deal, 1, NOW_MS)
    for asset in used:
        books.packets.append(_packet(asset, rulebook.platform))
        books.journal.append(_claim(asset))
    _write(books, record, used, outcome, (OrderKind.SUBMIT, "submit", NOW_MS))
    for kind, name, at_ms, step in _steps(rng, record, fate, rulebook):
        before = record.assets
        outcome = step(record.order, before, at_ms, rulebook)
        record = record.stepped(outcome, None)
        _write(books, record, before, outcome, (kind, name, at_ms))
    books.orders.append(order_line(record))


def _steps(rng: Random, record: OrderRecord, fate: str, rulebook: Rulebook) -> list[tuple[OrderKind, str, int, Any]]:
    """Return what happens to an order: the kind of each step, its name, its instant, and the step itself."""
    late_ms = NOW_MS + rng.choice([100, USE_FOR_MS - 2, USE_FOR_MS - 1, USE_FOR_MS])
    if fate == "cancelled":
        return [(OrderKind.CANCEL, "cancel", late_ms, cancel)]
    if fate == "unpaid":
        return []
    steps: list[tuple[OrderKind, str, int, Any]] = [(OrderKind.PAY, "pay", NOW_MS + 50, pay)]

    def refunded(name: str, by_line: Mapping[str, int], extras_fen: int) -> None:
        asked = Refund(name, by_line, extras_fen)
        steps.append(
            (OrderKind.REFUND, name, late_ms, lambda order, assets, ms, rules: refund(order, assets, asked, ms, rules))
        )

    paid = record.order.paid_by_line
    part = {line_id: fen // 3 for line_id, fen in paid.items() if fen >= 3}
    if fate in ("part", "final after part", "full") and part:
        refunded("part", part, 0)
    if fate in ("full", "shipping after"):
        rest = {line_id: fen - part.get(line_id, 0) if fate == "full" else fen for line_id, fen in paid.items()}
        refunded("rest", rest, 0)
        extras_fen = record.order.quote.purchase.shipping_fen
        if fate == "shipping after" and extras_fen:
            refunded("shipping", {}, extras_fen)
    if fate.startswith("final"):
        steps.append((OrderKind.FINISH, "finish", NOW_MS + 50 + rulebook.refund_horizon_ms, finish))
    return steps


def _write(
    books: SoldOrders,
    record: OrderRecord,
    before: Sequence[Asset],
    outcome: StepOutcome,
    step: tuple[OrderKind, str, int],
) -> None:
    kind, name, at_ms = step
    rulebook = PLATFORMS[record.deal.platform]
    settled = settle_order(outcome.order, record.deal.rates, rulebook) if kind is OrderKind.FINISH else None
    transfer_id = f"{kind}:{record.order_id}" + (f":{name}" if kind is OrderKind.REFUND else "")
    parts = parts_of(
        outcome, before, kind=kind, transfer_id=transfer_id, home=record.home, merchant_id="shop", settled=settled
    )
    for tag, part in parts.items():
        if part.postings:
            postings = [[*posting] for posting in part.postings]
            sum_fen = sum(posting.amount_fen for posting in part.postings)
            entry = _entry(tag, str(part.kind), "", sum_fen, at_ms)
            books.journal.append(
                {**entry, "transfer_id": transfer_id, "order_id": record.order_id, "postings": postings}
            )


def _entry(creator_id: str, movement: str, packet_id: str, amount_fen: int, at_ms: int) -> BookLine:
    return {
        "kind": "journal", "creator_id": creator_id, "entry_id": "1-0", "movement": movement, "transfer_id": "",
        "packet_id": packet_id, "debit": "", "credit": "", "amount_fen": amount_fen, "at_ms": at_ms, "claims": None,
        "edition": None,
    }  # fmt: skip


def _claim(asset: Asset) -> BookLine:
    packet_id = asset.asset_id.rpartition(":")[0]
    entry = _entry(packet_id.partition(".")[0], "claim", packet_id, asset.face_fen, asset.use_start_at_ms)
    return {**entry, "claims": [[asset.viewer_id, 0, asset.face_fen, "r1"]], "edition": 1}


_TEMPLATE = a_run(packets=1).of("packet")[0]


def _packet(asset: Asset, platform: str) -> BookLine:
    packet_id = asset.asset_id.rpartition(":")[0]
    own = {"packet_id": packet_id, "creator_id": packet_id.partition(".")[0], "platform": platform}
    scope = None if asset.product_ids is None else sorted(asset.product_ids)
    return {**_TEMPLATE, **own, "use_for_ms": USE_FOR_MS, "product_ids": scope}
