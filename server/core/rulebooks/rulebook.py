"""
Rulebooks: every limit of a platform is a named field with its rules, unit and bounds.

Where the sources are silent the value is ours and marked (A): a customary default that may be overridden.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, TypeVar

from server.core.money.channel import Channel, FeeMode
from server.core.money.money import FEN_MAX
from server.core.orders.discount import DiscountKind
from server.core.orders.purchase import App, Entrance, GoodsKind, OrderTrait
from server.core.packets.blackout import NO_BLACKOUTS, BlackoutCalendar, BlackoutMode, Enforcement
from server.core.packets.packet import Schedule
from server.core.refusal import RuleId
from server.core.rulebooks.page import DOUYIN_PAGE, PlatformPage

MINUTE_MS = 60_000
DAY_MS = 86_400_000
_T = TypeVar("_T")


class LaunchMode(StrEnum):
    """How a launch is timed: after a delay, at an instant with a warm-up, by hand, or at an instant without one."""

    RELATIVE = "relative"  # DY-LAU-3
    EXACT = "exact"  # DY-LAU-4
    MANUAL = "manual"  # KS-LAU-1
    SCHEDULED = "scheduled"  # KS-LAU-1


class Permission(StrEnum):
    """A permission that a platform grants a creator, as eligibility requires (section 2 of the rules)."""

    ECOMMERCE_PERMISSION = "ecommerce_permission"  # DY-ELG-1
    DISTRIBUTION_ENABLED = "distribution_enabled"  # KS-ELG-1
    FEATURE_GRANTED = "feature_granted"  # KS-ELG-1


class ImmediateWarmup(StrEnum):
    """The instant that must be near for an exact launch to warm up at once (AMB-7): the warm-up or the opening."""

    WARMUP = "warmup"
    GRAB = "grab"


class PayAfterExpiry(StrEnum):
    """The treatment of a payment with a packet that expired while its order was unpaid (DY-USE-7, AMB-32)."""

    REFUSE = "refuse"
    HONOUR = "honour"


@dataclass(frozen=True, slots=True)
class LimitMeta:
    """
    The metadata of a limit: the rules it comes from, its unit, its bounds, and a sentence.

    An override keeps a number from ``least`` to ``most``, and lists at least ``least`` names; ``at_most`` is the field
    that it must not pass. A ``complete`` order names each kind of its ``default`` once.
    """

    default: Any
    rules: tuple[str, ...]
    unit: str
    least: int
    most: int
    at_most: str
    complete: bool
    doc: str


def limit(
    default: _T,
    *rules: str,
    doc: str,
    unit: str = "",
    least: int = 0,
    most: int = FEN_MAX,
    at_most: str = "",
    complete: bool = False,
) -> _T:
    """Return a field of a rulebook with this *default* and the metadata of ``LimitMeta``."""
    about = LimitMeta(default, rules, unit, least, most, at_most, complete, doc)
    made: _T = field(default=default, metadata={LimitMeta: about})
    return made


@dataclass(frozen=True, slots=True)
class Rulebook:
    """
    The limits of one platform, in fen and room milliseconds. ``None`` means no limit.

    The defaults are Douyin's. ``profile`` names the text of the platform's rules (AMB-31). ``own_rules`` has the rules
    of the fields for which this platform's differ from the default, and ``stands_for`` those by which it refuses in the
    place of Douyin's; "" is the one for all others.

    A platform defined from another has the built-in ``base`` from which it inherits, and its own ``prefix`` for rules;
    ``source`` is the prefix of the base's own rules.
    """

    platform: str
    profile: str = ""
    source: str = "DY"
    prefix: str = ""
    base: str = ""
    own_rules: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    stands_for: Mapping[str, str] = field(default_factory=dict, hash=False)

    # Eligibility
    creator_needs: tuple[Permission, ...] = limit(
        (Permission.ECOMMERCE_PERMISSION,), "DY-ELG-1", doc="what a creator must have been granted, all of it"
    )
    creator_needs_rule: str = limit("DY-ELG-1", "DY-ELG-1", doc="the rule that a creator who lacks one breaks")
    recharge_rule: str = limit("DY-ELG-2", "DY-ELG-2", doc="the rule that a creation from an empty wallet breaks")
    affects_price_baseline: bool = limit(
        False, "DY-VAL-1", "KS-VAL-1", doc="whether packets count in a lowest price and a merchant quote"
    )

    # Funds. None: any channel, and none takes a fee
    channels: tuple[Channel, ...] | None = limit(
        (Channel("unspecified"),), "KS-ACC-2", least=1, doc="ways to recharge; the first if none is chosen (AMB-27)"
    )
    channels_rule: str = limit("AMB-27", "KS-ACC-2", doc="the rule that a channel not offered breaks")
    fee_mode: FeeMode = limit(FeeMode.ON_TOP, "KS-ACC-4", doc="who bears a channel's fee (A) (AMB-3)")
    fee_min_fen: int = limit(1, "KS-ACC-4", unit="fen", doc="the least fee, where a channel takes one at all (A)")
    recharge_names_channel: bool = limit(False, "KS-ACC-2", doc="whether a recharge must choose its channel (AMB-57)")
    withdraw_channels: tuple[str, ...] | None = limit(
        ("alipay",), "DY-ACC-7", doc="ways to withdraw; no fee is stated: what is asked is paid out"
    )
    withdraw_names_payee: bool = limit(True, "DY-ACC-7", doc="whether a withdrawal must name its payee (AMB-57)")

    # Creation
    name_length_max: int = limit(
        20, "ALL-CRE-1", unit="characters", least=1, most=1_000, doc="of a packet's name, which a feed carries (A)"
    )
    share_count_max: int = limit(
        100_000, "ALL-CRE-1", unit="shares", least=1, most=1_000_000, doc="what is split and staged in seconds (A)"
    )
    min_share_fen: int = limit(
        1, "ALL-CRE-1", unit="fen", least=1, at_most="max_share_fen", doc="the smallest share (A)"
    )
    max_share_fen: int = limit(20_000, "ALL-CRE-1", unit="fen", least=1, doc="the largest share (A)")
    claim_window_ms: int = limit(
        10 * MINUTE_MS,
        "ALL-CRE-1",
        unit="ms",
        least=1,
        at_most="claim_window_max_ms",
        doc="unless the creator chooses another (A) (AMB-8)",
    )
    claim_window_max_ms: int = limit(
        7 * DAY_MS, "ALL-CRE-1", unit="ms", least=1, doc="escrow is locked for as long; no show lasts longer (A)"
    )
    use_validity_required: bool = limit(True, "DY-CRE-1", doc="whether a packet needs a use validity (AMB-47)")
    validity_rule: str = limit("DY-CRE-1", "DY-CRE-1", doc="the rule that a missing or past use validity breaks")
    use_for_max_ms: int = limit(
        366 * DAY_MS, "DY-CRE-3", unit="ms", doc="of a relative validity; the creator's money waits for as long (A)"
    )
    product_ids_max: int = limit(100, "KS-CRE-2", unit="goods", doc="in a product scope; every quote looks at them (A)")

    # Launch
    launch_modes: frozenset[LaunchMode] = limit(
        frozenset({LaunchMode.RELATIVE, LaunchMode.EXACT}),
        "DY-LAU-3",
        "DY-LAU-4",
        least=1,
        doc="how a creator may say when a packet opens",
    )
    launch_modes_rule: str = "DY-LAU-3"  # the rule that a mode not offered breaks
    relative_lead_min_ms: int = limit(
        2 * MINUTE_MS, "DY-LAU-3", unit="ms", at_most="relative_lead_max_ms", doc="the least delay, inclusive"
    )
    relative_lead_max_ms: int = limit(15 * MINUTE_MS, "DY-LAU-3", unit="ms", doc="the longest delay, inclusive")
    exact_lead_max_ms: int = limit(7 * DAY_MS, "DY-LAU-4", unit="ms", doc="how far ahead, inclusive")
    exact_grab_step_ms: int = limit(1_000, "DY-LAU-4", unit="ms", least=1, doc="openings are multiples of it")
    exact_lead_min_ms: int = limit(
        2 * MINUTE_MS, "DY-LAU-5", unit="ms", at_most="exact_lead_max_ms", doc="how near an opening may be"
    )
    exact_lead_strict: bool = limit(True, "DY-LAU-5", doc="later than the lead, not just as late (AMB-6)")
    immediate_warmup_ms: int | None = limit(
        5 * MINUTE_MS, "DY-LAU-6", unit="ms", doc="so near, a packet warms up at once, inclusive"
    )
    immediate_warmup_of: ImmediateWarmup = limit(
        ImmediateWarmup.WARMUP, "DY-LAU-6", doc="what is measured for that (AMB-7)"
    )
    scheduled_lead_max_ms: int = limit(
        366 * DAY_MS, "KS-LAU-2", unit="ms", doc="escrow waits for as long; the source has no limit (A)"
    )
    overlap_max: int | None = limit(
        2, "DY-LAU-9", unit="packets", least=1, doc="packets of one creator at the same time"
    )
    popup_min_gap_ms: int = limit(0, "KS-CLM-1", unit="ms", doc="between two popups of a room (A)")

    # Blackout
    blackouts: BlackoutCalendar = limit(
        NO_BLACKOUTS, "DY-BLK-1", "DY-BLK-2", doc="when the platform's own packets go out"
    )
    blackout_mode: BlackoutMode = limit(
        BlackoutMode.WARMUP_START, "DY-BLK-1", doc="what must not lie in a blackout (AMB-10)"
    )
    blackout_enforcement: Enforcement = limit(
        Enforcement.REJECT, "DY-BLK-1", doc="whether a launch into one is refused (AMB-10)"
    )

    # Void
    void_lead_ms: int | None = limit(
        2 * MINUTE_MS, "DY-VOI-2", unit="ms", doc="before the warm-up; without: until the claim window closes"
    )

    # Edit and end
    issuance_editable: bool = limit(False, "KS-EDT-1", doc="stated for Kuaishou alone")
    allow_decrease: bool = limit(True, "KS-EDT-1", doc="whether an edit may take shares away (AMB-12)")
    endable: bool = limit(False, "KS-END-1", doc="stated for Kuaishou alone")

    # Use of a creator's packets
    use_clients: frozenset[App] = limit(
        frozenset({App.DOUYIN, App.HUOSHAN, App.DOUYIN_LITE}), "DY-USE-1", doc="apps in which a packet is used"
    )
    use_entrances: frozenset[Entrance] = limit(
        frozenset({Entrance.LIVE_ROOM, Entrance.SHORT_VIDEO, Entrance.SHOWCASE}),
        "DY-USE-3",
        doc="from where goods must have come (AMB-14)",
    )
    use_rule: str = limit(
        "DY-USE-3", "DY-USE-3", doc="the rule that a line of another creator, entrance or scope breaks"
    )
    cart_merge_allowed: bool = limit(False, "DY-USE-4", doc="whether a merged cart may use packets (AMB-50)")
    goods_excluded: frozenset[GoodsKind] = limit(
        frozenset(
            {
                GoodsKind.VIRTUAL,
                GoodsKind.AUCTION,
                GoodsKind.INSURANCE,
                GoodsKind.CROSS_BORDER,
                GoodsKind.BLACKLISTED,
            }
        ),
        "DY-USE-6",
        doc="these lines only (AMB-36)",
    )
    goods_not_configurable: frozenset[GoodsKind] = limit(
        frozenset[GoodsKind](), "KS-ELG-2", doc="never in a packet's scope"
    )
    goods_rule: str = limit("DY-USE-6", "DY-USE-6", doc="the rule that an excluded line or order breaks")
    orders_excluded: frozenset[OrderTrait] = limit(
        frozenset(OrderTrait), "DY-USE-6", doc="orders that use no packet at all (AMB-36)"
    )
    pay_after_expiry: PayAfterExpiry = limit(
        PayAfterExpiry.REFUSE, "DY-USE-7", doc="with a packet that expired while its order was unpaid (AMB-32)"
    )

    # Stacking and the waterfall
    packets_per_order_max: int = limit(
        10,
        "DY-STK-2",
        unit="packets",
        least=1,
        most=12,
        at_most="packet_candidates_max",
        doc="the creator's and the platform's together; the best of them are chosen (AMB-16)",
    )
    creator_packets_per_order_max: int | None = limit(
        None, "KS-STK-3", unit="packets", least=1, doc="a creator's alone, in one order"
    )
    packet_candidates_max: int = limit(
        20,
        "DY-STK-2",
        unit="packets",
        least=1,
        most=40,
        doc="up to so many the choice is exact in every tie, however long it takes (A) (AMB-54)",
    )
    order_lines_max: int = limit(
        100, "DY-STK-2", unit="lines", least=1, most=1_000, doc="nobody orders more in a live room (A)"
    )
    best_of_shop: tuple[DiscountKind, ...] = limit(
        (DiscountKind.SHOP_COUPON, DiscountKind.STREAMER_COUPON_PACKET),
        "KS-STK-2",
        doc="together at most one; of equals, the kind named first",
    )
    parallel_order: tuple[DiscountKind, ...] = limit(
        (
            DiscountKind.SHOP_COUPON,
            DiscountKind.STREAMER_COUPON_PACKET,
            DiscountKind.FULL_REDUCTION,
            DiscountKind.FULL_PERCENT_OFF,
            DiscountKind.MULTI_ITEM_DISCOUNT,
            DiscountKind.CREATOR_COUPON,
            DiscountKind.PLATFORM_COUPON,
        ),
        "KS-PRC-2",
        complete=True,
        doc="who is served first where too little is left (AMB-30)",
    )
    fund_order: tuple[DiscountKind, ...] = limit(
        (
            DiscountKind.CREATOR_PACKET,
            DiscountKind.PLATFORM_PACKET,
            DiscountKind.GOLD_COIN,
            DiscountKind.CASH_SUBSIDY,
            DiscountKind.CONSUMPTION_CREDIT,
        ),
        "KS-PRC-3",
        complete=True,
        doc="which funds pay first (AMB-17)",
    )

    # Orders, refund and settlement
    order_unpaid_max_ms: int = limit(
        30 * MINUTE_MS, "DY-CAN-1", unit="ms", doc="submitted and not paid by then, an order is cancelled (A)"
    )
    item_level_reversal: bool = limit(
        False, "DY-REV-7", doc="give a packet back once the lines it paid for are refunded (AMB-21)"
    )
    refund_horizon_ms: int = limit(
        15 * DAY_MS, "DY-REV-5", unit="ms", doc="after payment, until the order is final (A) (AMB-15)"
    )
    reversal_delay_ms: int = limit(
        MINUTE_MS, "DY-REV-8", unit="ms", doc="until money that goes back to its funder arrives (A)"
    )
    service_fee_includes_shipping: bool = limit(False, "DY-SET-2", doc="whether the fee is also taken of it (AMB-37)")
    base_includes_platform_packets: bool = limit(
        True, "DY-SET-1", doc="whether commission is also on what they paid (AMB-18)"
    )

    # What stands where on the platform's pages, and what creators are advised
    page: PlatformPage = DOUYIN_PAGE  # DY-UI-1, DY-UI-2, DY-UI-3, DY-LAU-10

    def rule(self, source_id: str) -> RuleId:
        """
        Return the id under which users see a rule of docs/rules.md. Kuaishou has its own in the place of Douyin's.

        A user-defined platform's prefix replaces the base's (``DY-LAU-9`` is ``ACME-LAU-9``) and precedes all others
        (``KS-EDT-1`` is ``ACME-KS-EDT-1``).
        """
        if self.stands_for and source_id.startswith("DY-"):
            source_id = self.stands_for.get(source_id) or self.stands_for[""]
        if not self.prefix:
            return RuleId(source_id)
        return RuleId(f"{self.prefix}-{source_id.removeprefix(f'{self.source}-')}")

    def unpaid_until_ms(self, submitted_at_ms: int) -> int:
        """Return the room instant at which an order that is still not paid is cancelled (DY-CAN-1)."""
        return submitted_at_ms + self.order_unpaid_max_ms

    def voidable_until_ms(self, schedule: Schedule) -> int:
        """Return the room instant from which a packet of this schedule can no longer be voided (DY-VOI-2, AMB-11)."""
        if self.void_lead_ms is None:
            return schedule.claim_end_at_ms
        return schedule.warmup_at_ms - self.void_lead_ms


RULE_FIELDS = frozenset(each.name for each in fields(Rulebook) if each.name.endswith("_rule"))
"""The fields that name the rule of the sources by which a platform refuses."""
