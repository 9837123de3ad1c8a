"""
Rulebooks: every limit of a platform as a named field. LAB has none that a load test could trip over.

Beside each field stands the rule it comes from. Where the sources are silent the value is ours and marked (A): a
customary one that anybody may override with ``dataclasses.replace``.
"""

from dataclasses import dataclass
from enum import StrEnum

from server.core.money.channel import Channel, Charge, FeeMode, charge
from server.core.orders.discount import DiscountKind
from server.core.orders.purchase import App, Entrance, GoodsKind, OrderTrait
from server.core.packets.blackout import NO_BLACKOUTS, PROMOTION_818, BlackoutCalendar, BlackoutMode, Enforcement
from server.core.packets.packet import Schedule
from server.core.refusal import Refused
from server.core.rulebooks.page import DOUYIN_PAGE, KUAISHOU_PAGE, Operation, PlatformPage

_MINUTE_MS = 60_000
_DAY_MS = 86_400_000


class LaunchMode(StrEnum):
    """How a creator says when: so long from now, at an instant with a warm-up, by hand, or at an instant without."""

    RELATIVE = "relative"  # DY-LAU-3
    EXACT = "exact"  # DY-LAU-4
    MANUAL = "manual"  # KS-LAU-1
    SCHEDULED = "scheduled"  # KS-LAU-1


class Permission(StrEnum):
    """What a platform grants a creator, and on which eligibility rests (section 2 of the rules)."""

    ECOMMERCE_PERMISSION = "ecommerce_permission"  # DY-ELG-1
    DISTRIBUTION_ENABLED = "distribution_enabled"  # KS-ELG-1
    FEATURE_GRANTED = "feature_granted"  # KS-ELG-1


class ImmediateWarmup(StrEnum):
    """What is measured where an exact launch so near warms up at once (AMB-7): the warm-up or the opening."""

    WARMUP = "warmup"
    GRAB = "grab"


class PayAfterExpiry(StrEnum):
    """What becomes of a payment with a packet that expired while its order was unpaid (DY-USE-7, AMB-32)."""

    REFUSE = "refuse"
    HONOUR = "honour"


@dataclass(frozen=True, slots=True)
class Rulebook:
    """
    The limits of one platform, in fen and room milliseconds. ``None`` means that there is no such limit.

    The defaults are Douyin's. ``profile`` says which text of the platform's rules they are from (AMB-31).
    """

    platform: str
    profile: str = ""

    # Eligibility
    creator_needs: tuple[Permission, ...] = (Permission.ECOMMERCE_PERMISSION,)  # DY-ELG-1: all of these
    creator_needs_rule: str = "DY-ELG-1"  # DY-ELG-1: the rule that a creator who lacks one breaks
    recharge_rule: str = "DY-ELG-2"  # DY-ELG-2: the rule that a creation from an empty wallet breaks
    affects_price_baseline: bool = False  # DY-VAL-1, KS-VAL-1: packets count in no lowest price and no merchant quote

    # Funds. None: any channel, and none takes a fee
    channels: tuple[Channel, ...] | None = (Channel("unspecified"),)  # KS-ACC-2, AMB-27; the first if none is chosen
    channels_rule: str = "AMB-27"  # KS-ACC-2: the rule that a channel not offered breaks
    fee_mode: FeeMode = FeeMode.ON_TOP  # KS-ACC-4, AMB-3 (A)
    fee_min_fen: int = 1  # KS-ACC-4 (A): where a channel takes a fee at all
    withdraw_channels: tuple[str, ...] | None = ("alipay",)  # DY-ACC-7; no fee is stated: what is asked is paid out

    # Creation
    name_length_max: int = 20  # ALL-CRE-1 (A)
    share_count_max: int = 100_000  # ALL-CRE-1 (A)
    min_share_fen: int = 1  # ALL-CRE-1 (A)
    max_share_fen: int = 20_000  # ALL-CRE-1 (A)
    claim_window_ms: int = 10 * _MINUTE_MS  # ALL-CRE-1, AMB-8 (A): unless the creator chooses another
    claim_window_max_ms: int = 7 * _DAY_MS  # ALL-CRE-1 (A): escrow is locked for as long; no show lasts longer
    use_for_max_ms: int = 366 * _DAY_MS  # DY-CRE-3 (A): of a relative validity; the creator's money waits for as long
    product_ids_max: int = 100  # KS-CRE-2 (A): in a product scope; every quote looks at them

    # Launch
    launch_modes: frozenset[LaunchMode] = frozenset({LaunchMode.RELATIVE, LaunchMode.EXACT})  # DY-LAU-3, DY-LAU-4
    launch_modes_rule: str = "DY-LAU-3"  # the rule that a mode not offered breaks
    relative_lead_min_ms: int = 2 * _MINUTE_MS  # DY-LAU-3, inclusive
    relative_lead_max_ms: int = 15 * _MINUTE_MS  # DY-LAU-3, inclusive
    exact_lead_max_ms: int = 7 * _DAY_MS  # DY-LAU-4, inclusive
    exact_grab_step_ms: int = 1_000  # DY-LAU-4: whole seconds
    exact_lead_min_ms: int = 2 * _MINUTE_MS  # DY-LAU-5
    exact_lead_strict: bool = True  # DY-LAU-5, AMB-6: later than the lead, not just as late
    immediate_warmup_ms: int | None = 5 * _MINUTE_MS  # DY-LAU-6, inclusive
    immediate_warmup_of: ImmediateWarmup = ImmediateWarmup.WARMUP  # DY-LAU-6, AMB-7
    scheduled_lead_max_ms: int = 366 * _DAY_MS  # KS-LAU-2 (A): escrow waits for as long; the source has no limit
    overlap_max: int | None = 2  # DY-LAU-9: packets of one creator at the same time
    popup_min_gap_ms: int = 0  # KS-CLM-1

    # Blackout
    blackouts: BlackoutCalendar = NO_BLACKOUTS  # DY-BLK-1, DY-BLK-2
    blackout_mode: BlackoutMode = BlackoutMode.WARMUP_START  # DY-BLK-1, AMB-10
    blackout_enforcement: Enforcement = Enforcement.REJECT  # DY-BLK-1, AMB-10

    # Void
    void_lead_ms: int | None = 2 * _MINUTE_MS  # DY-VOI-2; None: until the claim window closes

    # Edit and end
    issuance_editable: bool = False  # KS-EDT-1: stated for Kuaishou alone
    allow_decrease: bool = True  # KS-EDT-1, AMB-12
    endable: bool = False  # KS-END-1: stated for Kuaishou alone

    # Use of a creator's packets
    use_clients: frozenset[App] = frozenset({App.DOUYIN, App.HUOSHAN, App.DOUYIN_LITE})  # DY-USE-1
    use_entrances: frozenset[Entrance] = frozenset(  # DY-USE-3, AMB-14
        {Entrance.LIVE_ROOM, Entrance.SHORT_VIDEO, Entrance.SHOWCASE}
    )
    use_rule: str = "DY-USE-3"  # DY-USE-3: the rule that a line of another creator, entrance or scope breaks
    cart_merge_allowed: bool = False  # DY-USE-4
    goods_excluded: frozenset[GoodsKind] = frozenset(  # DY-USE-6, AMB-36: these lines only
        {
            GoodsKind.VIRTUAL,
            GoodsKind.AUCTION,
            GoodsKind.INSURANCE,
            GoodsKind.CROSS_BORDER,
            GoodsKind.BLACKLISTED,
        }
    )
    goods_not_configurable: frozenset[GoodsKind] = frozenset()  # KS-ELG-2: never in a packet's scope
    goods_rule: str = "DY-USE-6"  # DY-USE-6: the rule that an excluded line or order breaks
    orders_excluded: frozenset[OrderTrait] = frozenset(OrderTrait)  # DY-USE-6, AMB-36: the whole order
    pay_after_expiry: PayAfterExpiry = PayAfterExpiry.REFUSE  # DY-USE-7, AMB-32

    # Stacking and the waterfall
    packets_per_order_max: int = 10  # DY-STK-2, AMB-16: the creator's and the platform's together
    creator_packets_per_order_max: int | None = None  # KS-STK-3
    packet_candidates_max: int = 10  # DY-STK-2 (A): of one line scope; no order takes more, so no deduction is missed
    order_lines_max: int = 100  # DY-STK-2 (A): nobody orders more in a live room
    best_of_shop: tuple[DiscountKind, ...] = (  # KS-STK-2: together at most one; of equals, the kind named first
        DiscountKind.SHOP_COUPON,
        DiscountKind.STREAMER_COUPON_PACKET,
    )
    parallel_order: tuple[DiscountKind, ...] = (  # KS-PRC-2, AMB-30: who is served first where too little is left
        DiscountKind.SHOP_COUPON,
        DiscountKind.STREAMER_COUPON_PACKET,
        DiscountKind.FULL_REDUCTION,
        DiscountKind.FULL_PERCENT_OFF,
        DiscountKind.MULTI_ITEM_DISCOUNT,
        DiscountKind.CREATOR_COUPON,
        DiscountKind.PLATFORM_COUPON,
    )
    fund_order: tuple[DiscountKind, ...] = (  # KS-PRC-3, AMB-17
        DiscountKind.CREATOR_PACKET,
        DiscountKind.PLATFORM_PACKET,
        DiscountKind.GOLD_COIN,
        DiscountKind.CASH_SUBSIDY,
        DiscountKind.CONSUMPTION_CREDIT,
    )

    # Orders, refund and settlement
    order_unpaid_max_ms: int = 30 * _MINUTE_MS  # DY-CAN-1 (A): submitted and not paid by then, an order is cancelled
    item_level_reversal: bool = False  # DY-REV-7, AMB-21: give a packet back once the lines it paid for are refunded
    refund_horizon_ms: int = 15 * _DAY_MS  # DY-REV-5, AMB-15 (A): after payment, until the order is final
    reversal_delay_ms: int = _MINUTE_MS  # DY-REV-8 (A): until money that goes back to its funder arrives
    service_fee_includes_shipping: bool = False  # DY-SET-2, AMB-37
    base_includes_platform_packets: bool = True  # DY-SET-1, AMB-18

    # What stands where on the platform's pages, and what creators are advised
    page: PlatformPage = DOUYIN_PAGE  # DY-UI-1, DY-UI-2, DY-UI-3, DY-LAU-10

    def charge(self, amount_fen: int, channel: str) -> Charge:
        """
        Return what a recharge comes to over a channel (KS-ACC-2, KS-ACC-4).

        Raises Refused: ``channel_not_offered``, or ``out_of_range`` for an amount that is none.
        """
        if self.channels is None:
            chosen = Channel(channel)
        else:
            by_name = {each.name: each for each in self.channels}
            if channel not in by_name:
                raise Refused(
                    "channel_not_offered", f"must be {' or '.join(by_name)}", field="channel", rule=self.channels_rule
                )
            chosen = by_name[channel]
        return charge(amount_fen, chosen, fee_mode=self.fee_mode, fee_min_fen=self.fee_min_fen)

    def recharge_channel(self) -> str:
        """Return the channel of a recharge for which none was chosen."""
        return self.channels[0].name if self.channels else "bank"

    def withdraw_channel(self, asked: str | None) -> str:
        """
        Return the channel by which money may go out: the one *asked* for, or the first offered (DY-ACC-7, AMB-27).

        Raises Refused: ``withdraw_unsupported`` if the platform has no withdrawal, ``channel_not_offered``.
        """
        if self.withdraw_channels is None:
            return asked or "bank"
        if not self.withdraw_channels:
            raise Refused("withdraw_unsupported", f"{self.platform} has no withdrawal", rule="AMB-27")
        channel = asked or self.withdraw_channels[0]
        if channel not in self.withdraw_channels:
            wanted = f"must be {' or '.join(self.withdraw_channels)}"
            raise Refused("channel_not_offered", wanted, field="channel", rule="DY-ACC-7")
        return channel

    def unpaid_until_ms(self, submitted_at_ms: int) -> int:
        """Return the room instant at which an order that is still not paid is cancelled (DY-CAN-1)."""
        return submitted_at_ms + self.order_unpaid_max_ms

    def voidable_until_ms(self, schedule: Schedule) -> int:
        """Return the room instant from which a packet of this schedule can no longer be voided (DY-VOI-2, AMB-11)."""
        if self.void_lead_ms is None:
            return schedule.claim_end_at_ms
        return schedule.warmup_at_ms - self.void_lead_ms


DOUYIN = Rulebook(platform="douyin", profile="douyin-undated-818", blackouts=PROMOTION_818)

_KUAISHOU_EXCLUDES = frozenset({GoodsKind.VIRTUAL, GoodsKind.CROSS_BORDER, GoodsKind.LOCAL_LIFE})

KUAISHOU = Rulebook(
    platform="kuaishou",
    profile="kuaishou-2023-06",
    creator_needs=(Permission.DISTRIBUTION_ENABLED, Permission.FEATURE_GRANTED),  # KS-ELG-1, AMB-1
    creator_needs_rule="KS-ELG-1",
    recharge_rule="KS-ACC-1",  # KS-ACC-1
    # KS-ACC-2: 1 % on both scans (100 basis points), nothing stated on the others. A choice not made is online banking.
    channels=(Channel("bank"), Channel("transfer"), Channel("wechat", fee_bp=100), Channel("alipay", fee_bp=100)),
    channels_rule="KS-ACC-2",
    withdraw_channels=(),  # AMB-27: none is mentioned
    launch_modes=frozenset({LaunchMode.MANUAL, LaunchMode.SCHEDULED}),  # KS-LAU-1
    launch_modes_rule="KS-LAU-1",
    overlap_max=None,  # KS-LAU-2: no such limit is stated
    popup_min_gap_ms=_MINUTE_MS,  # KS-CLM-1
    # The source knows no void, only the end of an activity. As the reversal of a void holds here by
    # analogy (ALL-REV-1), so does its limit; warm-up and opening are one instant (KS-LAU-2).
    void_lead_ms=2 * _MINUTE_MS,
    use_clients=frozenset({App.KUAISHOU}),
    use_entrances=frozenset({Entrance.LIVE_ROOM, Entrance.SHORT_VIDEO, Entrance.SHOP}),  # KS-CLM-2
    use_rule="KS-USE-1",
    cart_merge_allowed=True,  # nothing else is stated
    goods_excluded=_KUAISHOU_EXCLUDES,  # KS-ELG-2
    goods_not_configurable=_KUAISHOU_EXCLUDES,  # KS-ELG-2
    goods_rule="KS-USE-2",
    orders_excluded=frozenset(),  # KS-USE-2: none is stated
    creator_packets_per_order_max=1,  # KS-STK-3, AMB-15
    issuance_editable=True,
    endable=True,
    page=KUAISHOU_PAGE,  # KS-UI-1, KS-UI-2
)

LAB = Rulebook(
    platform="lab",
    profile="lab",
    creator_needs=(),
    channels=None,
    withdraw_channels=None,
    share_count_max=1_000_000,
    max_share_fen=10**9,
    launch_modes=frozenset(LaunchMode),
    relative_lead_min_ms=0,
    relative_lead_max_ms=7 * _DAY_MS,
    exact_grab_step_ms=1,
    exact_lead_min_ms=0,
    immediate_warmup_ms=None,
    overlap_max=None,
    void_lead_ms=None,
    use_clients=frozenset(App),
    use_entrances=frozenset(Entrance),
    cart_merge_allowed=True,
    goods_excluded=frozenset(),
    orders_excluded=frozenset(),
    reversal_delay_ms=0,
    issuance_editable=True,
    endable=True,
    page=PlatformPage(list_operations=tuple(Operation)),
)

RULEBOOKS = {rulebook.platform: rulebook for rulebook in (DOUYIN, KUAISHOU, LAB)}
