"""The stacking choice: each exclusion with its reason, each tie, and the choice of brute force on 5,000 small cases."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from random import Random

import pytest

from server.core.ids import CreatorId
from server.core.orders.asset import Asset, AssetState
from server.core.orders.discount import Discount, DiscountKind
from server.core.orders.purchase import App, Entrance, GoodsKind, OrderTrait, Purchase
from server.core.orders.stacking import Choice, Exclusion, ExclusionReason, best_quote, choose, quoting
from server.core.rulebooks.platforms import DOUYIN, KUAISHOU, LAB
from server.core.rulebooks.rulebook import Rulebook
from tests.core.shopping import LI, NOW, WANG, a_line, a_packet, a_purchase, in_state

LISTED = a_line("l0", 10_000)


def chosen(
    assets: Sequence[Asset], purchase: Purchase | None = None, rulebook: Rulebook = DOUYIN, now_ms: int = NOW
) -> Choice:
    purchase = purchase or a_purchase(LISTED)
    return choose(purchase, [line.list_fen for line in purchase.lines], assets, now_ms, rulebook)


def ids(choice: Choice) -> list[str]:
    return [asset.asset_id for asset, _ in choice.used]


def reasons(choice: Choice) -> list[tuple[str, ExclusionReason, str]]:
    return [(each.asset_id, each.reason, each.rule) for each in choice.exclusions]


@pytest.mark.rule("DY-STK-3")
@pytest.mark.rule("DY-STK-4")
def test_packets_of_one_creator_and_of_the_platform_go_together() -> None:
    """Two of each deduct all four faces."""
    faces = (("a", LI), ("b", LI), ("p", None), ("q", None))
    choice = chosen([a_packet(name, 100, creator_id=creator_id) for name, creator_id in faces])
    assert (ids(choice), choice.deduction_fen, choice.exclusions) == (["a", "b", "p", "q"], 400, ())


@pytest.mark.rule("DY-STK-5")
def test_creators_are_never_mixed() -> None:
    """Of two creators in one order, the packets of the one that deduct more are used, on its lines (AMB-53)."""
    purchase = a_purchase(LISTED, a_line("l1", 10_000, creator_id=WANG))
    assets = [a_packet("a", 300), a_packet("b", 400, creator_id=WANG), a_packet("c", 200), a_packet("p", 1)]
    choice = chosen([*assets[:3], replace(assets[3], creator_id=None)], purchase, LAB)
    assert (ids(choice), choice.deduction_fen) == (["a", "c", "p"], 501)
    assert [sorted(lines) for _, lines in choice.used] == [["l0"], ["l0"], ["l0", "l1"]]
    assert reasons(choice) == [("b", ExclusionReason.OTHER_CREATOR, "DY-STK-5")]


@pytest.mark.rule("DY-STK-2")
def test_ten_packets_are_the_most() -> None:
    """The eleventh stays out, the smallest of all, whosever it is (AMB-16)."""
    assets = [a_packet(f"a{i}", 100 + i) for i in range(6)] + [
        a_packet(f"p{i}", 200 + i, creator_id=None) for i in range(5)
    ]
    choice = chosen(assets)
    assert len(choice.used) == 10
    assert reasons(choice) == [("a0", ExclusionReason.TOO_MANY, "DY-STK-2")]
    assert len(chosen(assets[:10]).used) == 10
    assert len(chosen(assets, rulebook=replace(DOUYIN, packets_per_order_max=9)).used) == 9


@pytest.mark.rule("KS-STK-3")
def test_one_favor_packet_counts_in_an_order() -> None:
    """The larger of two is used; a rulebook that allows two uses both."""
    purchase = a_purchase(LISTED, client=App.KUAISHOU)
    assets = [a_packet("a", 100), a_packet("b", 200)]
    choice = chosen(assets, purchase, KUAISHOU)
    assert (ids(choice), reasons(choice)) == (["b"], [("a", ExclusionReason.TOO_MANY, "KS-STK-3")])
    assert len(chosen(assets, purchase, replace(KUAISHOU, creator_packets_per_order_max=2)).used) == 2


@pytest.mark.rule("DY-USE-1")
def test_only_the_platforms_own_apps_use_a_creators_packet() -> None:
    """All three of Douyin's apps do; a platform packet is not touched by the rule."""
    for client in (App.DOUYIN, App.HUOSHAN, App.DOUYIN_LITE):
        assert ids(chosen([a_packet("a", 1)], a_purchase(LISTED, client=client))) == ["a"]
    choice = chosen([a_packet("a", 1), a_packet("p", 1, creator_id=None)], a_purchase(LISTED, client=App.OTHER))
    assert (ids(choice), reasons(choice)) == (["p"], [("a", ExclusionReason.WRONG_CLIENT, "DY-USE-1")])


@pytest.mark.rule("DY-USE-2")
def test_a_packet_is_used_within_its_validity() -> None:
    """Half-open: from its start on, and no longer at its end."""
    asset = replace(a_packet("a", 1), use_start_at_ms=NOW, use_end_at_ms=NOW + 10)
    assert reasons(chosen([asset], now_ms=NOW - 1)) == [("a", ExclusionReason.NOT_YET_VALID, "DY-USE-2")]
    assert ids(chosen([asset], now_ms=NOW)) == ids(chosen([asset], now_ms=NOW + 9)) == ["a"]
    assert reasons(chosen([asset], now_ms=NOW + 10)) == [("a", ExclusionReason.EXPIRED, "DY-USE-2")]


def test_a_packet_held_elsewhere_is_not_used() -> None:
    """Locked, redeemed or gone: none of them can pay a second time."""
    for state in set(AssetState) - {AssetState.AVAILABLE}:
        assert reasons(chosen([in_state(a_packet("a", 1), state)])) == [("a", ExclusionReason.NOT_AVAILABLE, "")]


@pytest.mark.rule("DY-USE-3")
@pytest.mark.rule("KS-CLM-2")
@pytest.mark.parametrize(
    ("rulebook", "client", "entrances"),
    [
        (DOUYIN, App.DOUYIN, {Entrance.LIVE_ROOM, Entrance.SHORT_VIDEO, Entrance.SHOWCASE}),
        (KUAISHOU, App.KUAISHOU, {Entrance.LIVE_ROOM, Entrance.SHORT_VIDEO, Entrance.SHOP}),
    ],
)
def test_a_packet_needs_its_creators_entrance(rulebook: Rulebook, client: App, entrances: set[Entrance]) -> None:
    """From that creator's live room, short video and showcase (or shop), and from nowhere else (AMB-14)."""
    usable = {
        entrance
        for entrance in Entrance
        if chosen([a_packet("a", 1)], a_purchase(replace(LISTED, entrance=entrance), client=client), rulebook).used
    }
    assert usable == entrances
    choice = chosen([a_packet("a", 1, creator_id=WANG)], a_purchase(LISTED, client=client), rulebook)
    assert reasons(choice) == [("a", ExclusionReason.OUT_OF_SCOPE, rulebook.use_rule)]


@pytest.mark.rule("KS-USE-1")
@pytest.mark.rule("KS-CRE-2")
def test_a_packet_deducts_on_its_scoped_goods_only() -> None:
    """A face of 500 on goods of 300 deducts 300, however dear the rest of the order is."""
    purchase = a_purchase(a_line("l0", 300), a_line("l1", 9_000), client=App.KUAISHOU)
    asset = replace(a_packet("a", 500), product_ids=frozenset({"product-l0"}))
    choice = chosen([asset], purchase, KUAISHOU)
    assert (choice.used, choice.deduction_fen) == (((asset, frozenset({"l0"})),), 300)
    other = replace(asset, product_ids=frozenset({"product-x"}))
    assert reasons(chosen([other], purchase, KUAISHOU)) == [("a", ExclusionReason.OUT_OF_SCOPE, "KS-USE-1")]


@pytest.mark.rule("DY-USE-4")
def test_a_merged_cart_takes_no_creators_packet() -> None:
    """The platform's packets are not touched."""
    purchase = replace(a_purchase(LISTED), cart_merged=True)
    choice = chosen([a_packet("a", 1), a_packet("p", 1, creator_id=None)], purchase)
    assert (ids(choice), reasons(choice)) == (["p"], [("a", ExclusionReason.CART_MERGED, "DY-USE-4")])


@pytest.mark.rule("DY-USE-4")
@pytest.mark.rule("DY-STK-5")
def test_lines_of_several_creators_are_a_merged_cart() -> None:
    """On Douyin no creator's packet is used then, whatever the flag says; lines of nobody merge nothing (AMB-50)."""
    assets = [a_packet("a", 300), a_packet("b", 400, creator_id=WANG), a_packet("p", 1, creator_id=None)]
    two = a_purchase(LISTED, a_line("l1", 10_000, creator_id=WANG))
    choice = chosen(assets, two)
    assert ids(choice) == ["p"]
    assert reasons(choice) == [(each, ExclusionReason.CART_MERGED, "DY-USE-4") for each in ("a", "b")]
    assert ids(chosen(assets[:1], a_purchase(LISTED, a_line("l1", 10_000, creator_id=None)))) == ["a"]
    mine = replace(DOUYIN, platform="acme", prefix="ACME", base="douyin")
    assert reasons(chosen(assets[:1], two, mine)) == [("a", ExclusionReason.CART_MERGED, "ACME-USE-4")]


@pytest.mark.rule("KS-USE-1")
@pytest.mark.rule("DY-USE-3")
@pytest.mark.parametrize(("rulebook", "client"), [(KUAISHOU, App.KUAISHOU), (LAB, App.OTHER)])
def test_a_packet_never_touches_a_line_of_another_creator(rulebook: Rulebook, client: App) -> None:
    """A line's source creator is the line's, however dear the other creator's lines are (AMB-53)."""
    purchase = a_purchase(a_line("l0", 100), a_line("l1", 9_000, creator_id=WANG), client=client)
    quote, choice = best_quote(purchase, [], [a_packet("a", 500)], NOW, rulebook)
    assert (ids(choice), quote.paid_by_line) == (["a"], (0, 9_000))


@pytest.mark.rule("DY-USE-3")
@pytest.mark.rule("KS-USE-1")
@pytest.mark.rule("DY-STK-2")
@pytest.mark.parametrize("creator_id", [LI, None], ids=["a creator's", "the platform's"])
def test_an_order_uses_packets_of_its_platform_only(creator_id: CreatorId | None) -> None:
    """Another platform's packet stays out, whatever else there is against it (AMB-44)."""
    asset = replace(a_packet("a", 1, creator_id=creator_id), platform="kuaishou")
    assert ids(chosen([asset], a_purchase(LISTED, client=App.KUAISHOU), KUAISHOU)) == ["a"]
    locked = replace(in_state(asset, AssetState.LOCKED), platform="kuaishou")
    for other in (asset, locked, replace(asset, use_end_at_ms=NOW)):
        for rulebook in (DOUYIN, LAB, replace(KUAISHOU, platform="acme")):
            assert reasons(chosen([other], rulebook=rulebook)) == [("a", ExclusionReason.OTHER_PLATFORM, "AMB-44")]


@pytest.mark.rule("DY-USE-6")
@pytest.mark.parametrize("goods", sorted(DOUYIN.goods_excluded))
def test_excluded_goods_exclude_their_line_only(goods: GoodsKind) -> None:
    """Alone they exclude the packet; beside others it deducts on the others; the platform's deducts on all (AMB-36)."""
    excluded = replace(LISTED, goods=goods)
    assets = [a_packet("a", 500), a_packet("p", 70, creator_id=None)]
    choice = chosen(assets, a_purchase(excluded))
    assert (ids(choice), reasons(choice)) == (["p"], [("a", ExclusionReason.GOODS_EXCLUDED, "DY-USE-6")])
    choice = chosen(assets, a_purchase(excluded, a_line("l1", 200)))
    assert [lines for _, lines in choice.used] == [{"l1"}, {"l0", "l1"}]
    assert choice.deduction_fen == 270


@pytest.mark.rule("DY-USE-6")
@pytest.mark.parametrize("trait", list(OrderTrait))
def test_an_excluded_order_excludes_every_line(trait: OrderTrait) -> None:
    """Risk-controlled, deposit or Qianchuan: no creator's packet on any of it."""
    choice = chosen([a_packet("a", 1)], replace(a_purchase(LISTED), traits=frozenset({trait})))
    assert reasons(choice) == [("a", ExclusionReason.ORDER_EXCLUDED, "DY-USE-6")]


@pytest.mark.rule("KS-USE-2")
@pytest.mark.rule("KS-ELG-2")
@pytest.mark.parametrize("goods", sorted(KUAISHOU.goods_excluded))
def test_what_cannot_be_set_up_cannot_be_used(goods: GoodsKind) -> None:
    """Virtual, cross-border and local-life goods are looked at again at use."""
    choice = chosen([a_packet("a", 1)], a_purchase(replace(LISTED, goods=goods), client=App.KUAISHOU), KUAISHOU)
    assert reasons(choice) == [("a", ExclusionReason.GOODS_EXCLUDED, "KS-USE-2")]


def test_ties_fall_by_waste_count_expiry_and_id() -> None:
    """Each tie of AMB-16 in its turn, on goods of 100 fen."""
    goods = a_purchase(100)
    assert ids(chosen([a_packet("a", 150), a_packet("b", 60), a_packet("c", 60)], goods)) == ["b", "c"]
    assert ids(chosen([a_packet("a", 50), a_packet("b", 50), a_packet("c", 100)], goods)) == ["c"]
    early, late = a_packet("z", 100, use_end_at_ms=NOW + 5), a_packet("a", 100, use_end_at_ms=NOW + 6)
    assert ids(chosen([late, early], goods)) == ["z"]
    choice = chosen([a_packet("b", 100), a_packet("a", 100)], goods)
    assert (ids(choice), reasons(choice)) == (["a"], [("b", ExclusionReason.NOT_NEEDED, "AMB-16")])


def test_a_tie_is_looked_for_to_the_last_packet() -> None:
    """6 and 4, found later, beat 5 and 5 by expiry or ids; of two creators' equals the lower id counts."""
    faces = {"a": (6, 1), "b": (5, 5), "c": (5, 5), "d": (4, 1)}
    assets = [a_packet(name, fen, use_end_at_ms=NOW + ms) for name, (fen, ms) in faces.items()]
    assert ids(chosen(assets, a_purchase(10))) == ["a", "d"]
    assert ids(chosen([replace(asset, use_end_at_ms=NOW + 5) for asset in assets], a_purchase(10))) == ["a", "d"]
    purchase = a_purchase(a_line("l0", 10), a_line("l1", 10, creator_id=WANG))
    for own, other in (("a", "b"), ("b", "a")):
        assert ids(chosen([a_packet(own, 5), a_packet(other, 5, creator_id=WANG)], purchase, LAB)) == ["a"]


def test_the_choice_is_made_on_what_coupons_leave() -> None:
    """900 of 1,000 are gone to a coupon: the packet of 100 is used, not that of 1,000."""
    purchase = a_purchase(1_000, shipping_fen=5)
    coupon = Discount("c", DiscountKind.SHOP_COUPON, amount_fen=900)
    quote, choice = best_quote(purchase, [coupon], [a_packet("a", 1_000), a_packet("b", 100)], NOW, DOUYIN)
    assert (ids(choice), quote.payable_fen) == (["b"], 5)


def test_a_viewer_with_many_packets_is_answered() -> None:
    """Of 200 packets ten are used, as good as the ten largest, and every other one has its reason."""
    rng = Random(3)
    assets = [a_packet(f"a{i:03}", rng.randint(1, 2_000), creator_id=rng.choice([LI, None])) for i in range(200)]
    purchase = a_purchase(12_345)
    choice = chosen(assets, purchase)
    assert choice.deduction_fen == 12_345
    assert len(choice.used) + len(choice.exclusions) == 200
    choice = chosen(assets, a_purchase(10**6))
    assert choice.deduction_fen == sum(sorted((asset.face_fen for asset in assets), reverse=True)[:10])


@pytest.mark.rule("DY-STK-2")
def test_the_quote_of_many_packets_pauses_and_says_that_it_is_approximate() -> None:
    """Of ten packets of 100 and one of 10 the 10 is used on goods of 10; of 60 that may be tied, nobody is sure."""
    few = [a_packet(f"a{i}", 100) for i in range(10)] + [a_packet("z", 10)]
    choice = chosen(few, a_purchase(10))
    assert (ids(choice), choice.approximate) == (["z"], False)
    rng = Random(60)
    many = [
        replace(
            a_packet(f"a{i:02}", rng.randint(1, 20_000)), product_ids=frozenset({f"product-l{i % 3}", "product-l0"})
        )
        for i in range(60)
    ]
    purchase = a_purchase(*(a_line(f"l{i}", 30_000) for i in range(3)))
    search = quoting(purchase, [], many, NOW, DOUYIN)
    pauses = 0
    while True:
        try:
            next(search)
            pauses += 1
        except StopIteration as ended:
            quote, choice = ended.value
            break
    assert (quote.payable_fen, choice.deduction_fen, choice.approximate) == (0, 90_000, True)
    assert pauses > 5
    assert best_quote(purchase, [], many, NOW, DOUYIN) == (quote, choice)


def a_case(rng: Random) -> tuple[Purchase, list[Asset], Rulebook]:
    """Make a small case in which every rule of use and stacking has something to do."""
    rulebook = replace(rng.choice([DOUYIN, DOUYIN, KUAISHOU, LAB]), packets_per_order_max=rng.choice([1, 2, 3, 10]))
    lines = [
        replace(
            a_line(f"l{i}", rng.randint(0, 12), creator_id=rng.choice([LI, LI, WANG, None])),
            goods=rng.choice([GoodsKind.ORDINARY] * 4 + [GoodsKind.VIRTUAL, GoodsKind.LOCAL_LIFE]),
            entrance=rng.choice([Entrance.LIVE_ROOM] * 4 + [Entrance.SHOP, Entrance.OTHER]),
        )
        for i in range(rng.randint(1, 3))
    ]
    purchase = replace(
        a_purchase(*lines, client=rng.choice([App.DOUYIN] * 4 + [App.KUAISHOU] * 3 + [App.OTHER])),
        cart_merged=rng.random() < 0.1,
        traits=frozenset(rng.sample(list(OrderTrait), k=rng.random() < 0.1)),
    )
    assets = []
    for name in rng.sample("abcdefghij", k=rng.randint(0, 7)):
        face_fen, end_ms = rng.choice([1, 2, 3, 5, 6, 10, rng.randint(1, 15)]), NOW + rng.choice([0, 1, 1, 2, 3])
        asset = a_packet(name, face_fen, creator_id=rng.choice([LI, LI, WANG, None]), use_end_at_ms=end_ms)
        scope = frozenset({f"product-l{i}" for i in range(3) if rng.random() < 0.5}) if rng.random() < 0.3 else None
        assets.append(
            replace(in_state(asset, rng.choice([AssetState.AVAILABLE] * 7 + [AssetState.LOCKED])), product_ids=scope)
        )
    return purchase, assets, rulebook


def lines_by_the_text(asset: Asset, purchase: Purchase, rulebook: Rulebook) -> set[int]:
    """Say on which lines a packet may be used, read from sections 11 and 12 of the rules."""
    if asset.state is not AssetState.AVAILABLE or not asset.use_start_at_ms <= NOW < asset.use_end_at_ms:
        return set()
    lines = {i for i, line in enumerate(purchase.lines) if line.product_id in (asset.product_ids or {line.product_id})}
    if asset.product_ids == frozenset():
        return set()
    if asset.creator_id is None:
        return lines
    apps = {"douyin": ("douyin", "huoshan", "douyin_lite"), "kuaishou": ("kuaishou",), "lab": tuple(App)}
    doors = {
        "douyin": ("live_room", "short_video", "showcase"),
        "kuaishou": ("live_room", "short_video", "shop"),
        "lab": tuple(Entrance),
    }
    never = {
        "douyin": ("virtual", "auction", "insurance", "cross_border", "blacklisted"),
        "kuaishou": ("virtual", "cross_border", "local_life"),
        "lab": (),
    }
    name = rulebook.platform
    sources = {line.creator_id for line in purchase.lines} - {None}
    merged = purchase.cart_merged or len(sources) > 1
    if purchase.client not in apps[name] or (name == "douyin" and (merged or purchase.traits)):
        return set()
    return {
        i
        for i in lines
        if purchase.lines[i].creator_id == asset.creator_id
        and purchase.lines[i].entrance in doors[name]
        and purchase.lines[i].goods not in never[name]
    }


def flow(faces: Sequence[int], scopes: Sequence[set[int]], fens: Sequence[int]) -> int:
    """Return what these packets deduct at most: fen by fen, each finding a place or making one (Ford, Fulkerson)."""
    held: list[list[int]] = [[] for _ in fens]

    def placed(packet: int, seen: set[int]) -> bool:
        for line in scopes[packet] - seen:
            seen.add(line)
            if len(held[line]) < fens[line]:
                held[line].append(packet)
                return True
            for other in set(held[line]):
                if other != packet and placed(other, seen):
                    held[line].remove(other)
                    held[line].append(packet)
                    return True
        return False

    return sum(placed(packet, set()) for packet, face in enumerate(faces) for _ in range(face))


def best_by_force(purchase: Purchase, assets: Sequence[Asset], rulebook: Rulebook) -> tuple[int, list[str]]:
    """Try every set of packets, and keep the best by the words of section 12."""
    scopes = {asset.asset_id: lines_by_the_text(asset, purchase, rulebook) for asset in assets}
    usable = [asset for asset in assets if scopes[asset.asset_id]]
    fens = [line.list_price_fen for line in purchase.lines]
    ranked = []
    for count in range(min(len(usable), rulebook.packets_per_order_max) + 1):
        for some in combinations(usable, count):
            own = [asset.creator_id for asset in some if asset.creator_id is not None]
            if len(set(own)) > 1 or (rulebook.platform == "kuaishou" and len(own) > 1):
                continue
            faces = [asset.face_fen for asset in some]
            deduction = flow(faces, [scopes[asset.asset_id] for asset in some], fens)
            expiries = sorted(asset.use_end_at_ms for asset in some)
            names = sorted(asset.asset_id for asset in some)
            ranked.append((-deduction, sum(faces) - deduction, count, expiries, names))
    best = min(ranked)
    return -best[0], best[4]


@pytest.mark.rule("DY-STK-2")
@pytest.mark.rule("DY-STK-5")
@pytest.mark.rule("DY-USE-3")
def test_the_choice_is_that_of_brute_force() -> None:
    """On 5,000 random small cases both choose the very same packets, and all others have a reason."""
    rng = Random(5_000)
    sizes = set()
    for _ in range(5_000):
        purchase, assets, rulebook = a_case(rng)
        choice = chosen(assets, purchase, rulebook)
        deduction_fen, names = best_by_force(purchase, assets, rulebook)
        assert (choice.deduction_fen, sorted(ids(choice))) == (deduction_fen, names)
        left_out = [each.asset_id for each in choice.exclusions if isinstance(each, Exclusion)]
        assert sorted(ids(choice) + left_out) == sorted(asset.asset_id for asset in assets)
        best_quote(purchase, [], assets, NOW, rulebook)
        sizes.add(len(names))
    assert sizes >= {0, 1, 2, 3, 4}
