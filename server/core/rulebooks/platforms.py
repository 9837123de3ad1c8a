"""The built-in platforms as data. LAB has no limit that a load test could hit."""

from collections.abc import Mapping

from server.core.money.channel import Channel
from server.core.orders.purchase import App, Entrance, GoodsKind
from server.core.packets.blackout import PROMOTION_818
from server.core.refusal import Refused
from server.core.rulebooks.page import KUAISHOU_PAGE, Operation, PlatformPage
from server.core.rulebooks.rulebook import DAY_MS, MINUTE_MS, LaunchMode, Permission, Rulebook

SOURCES = ("DY", "KS", "ALL", "LT", "AMB")
"""The prefixes of the ids of docs/rules.md."""

DOUYIN = Rulebook(platform="douyin", profile="douyin-undated-818", blackouts=PROMOTION_818)

_KUAISHOU_EXCLUDES = frozenset({GoodsKind.VIRTUAL, GoodsKind.CROSS_BORDER, GoodsKind.LOCAL_LIFE})

KUAISHOU = Rulebook(
    platform="kuaishou",
    profile="kuaishou-2023-06",
    source="KS",
    creator_needs=(Permission.DISTRIBUTION_ENABLED, Permission.FEATURE_GRANTED),  # AMB-1
    creator_needs_rule="KS-ELG-1",
    recharge_rule="KS-ACC-1",
    # 1 % on both scans (100 basis points), nothing stated on the others. The default is online banking.
    channels=(Channel("bank"), Channel("transfer"), Channel("wechat", fee_bp=100), Channel("alipay", fee_bp=100)),
    channels_rule="KS-ACC-2",
    recharge_names_channel=True,
    withdraw_channels=(),  # AMB-27: none is mentioned
    launch_modes=frozenset({LaunchMode.MANUAL, LaunchMode.SCHEDULED}),
    launch_modes_rule="KS-LAU-1",
    overlap_max=None,  # no such limit is stated
    popup_min_gap_ms=MINUTE_MS,
    # The source knows no void, only the end of an activity. As the reversal of a void holds here by
    # analogy (ALL-REV-1), so does its limit; warm-up and opening are one instant (KS-LAU-2).
    void_lead_ms=2 * MINUTE_MS,
    use_clients=frozenset({App.KUAISHOU}),
    use_entrances=frozenset({Entrance.LIVE_ROOM, Entrance.SHORT_VIDEO, Entrance.SHOP}),
    use_rule="KS-USE-1",
    cart_merge_allowed=True,  # nothing else is stated
    goods_excluded=_KUAISHOU_EXCLUDES,
    goods_not_configurable=_KUAISHOU_EXCLUDES,
    goods_rule="KS-USE-2",
    orders_excluded=frozenset(),  # none is stated
    creator_packets_per_order_max=1,  # AMB-15
    issuance_editable=True,
    endable=True,
    page=KUAISHOU_PAGE,  # KS-UI-1, KS-UI-2
    own_rules={
        "creator_needs": ("KS-ELG-1",),
        "creator_needs_rule": ("KS-ELG-1",),
        "recharge_rule": ("KS-ACC-1",),
        "launch_modes": ("KS-LAU-1",),
        "overlap_max": ("KS-LAU-2",),
        "void_lead_ms": ("ALL-REV-1", "KS-LAU-2"),
        "use_entrances": ("KS-CLM-2",),
        "use_rule": ("KS-USE-1",),
        "goods_excluded": ("KS-ELG-2",),
        "goods_rule": ("KS-USE-2",),
        "orders_excluded": ("KS-USE-2",),
    },
)

LAB = Rulebook(
    platform="lab",
    profile="lab",
    creator_needs=(),
    channels=None,
    withdraw_channels=None,
    withdraw_names_payee=False,
    share_count_max=1_000_000,
    max_share_fen=10**9,
    launch_modes=frozenset(LaunchMode),
    relative_lead_min_ms=0,
    relative_lead_max_ms=7 * DAY_MS,
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


def rulebook_of(rulebooks: Mapping[str, Rulebook], platform: str) -> Rulebook:
    """Return the rulebook of a platform. Raises Refused ``bad_field`` if there is none."""
    if platform not in rulebooks:
        raise Refused("bad_field", f"must be one of {', '.join(rulebooks)}", field="platform")
    return rulebooks[platform]
