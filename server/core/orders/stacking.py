"""
Stacking: choose the packets of a viewer to use together in one order.

Any number of one creator's packets and any number of the platform's go together, up to a limit for both (DY-STK-1 to
DY-STK-4); those of different creators never do (DY-STK-5). A packet deducts only on the lines it may be used on, is
indivisible (AMB-15), and a set of packets deducts as much as any spread of it over lines allows. Of all sets the one
that deducts most is chosen; of equals the one that wastes least, then that of fewer packets, then the one that
expires earliest, then the lowest ids (AMB-16).

The search goes packet by packet, the largest first, and keeps of all sets with the same counts and the same sum in
each line scope only the one that wins the last two ties; this order of two sets does not change when the same is added
to both. A set is dropped when no addition can make it as good as the best so far. A packet that adds nothing to a set
adds nothing to a larger one either, and would be waste.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from server.core.ids import CreatorId
from server.core.orders.asset import Asset, AssetState
from server.core.orders.discount import Discount, DiscountKind
from server.core.orders.pricing import Quote, price
from server.core.orders.purchase import Line, Purchase
from server.core.refusal import NO_RULE, RuleId
from server.core.rulebooks.rulebook import Rulebook


class ExclusionReason(StrEnum):
    """The reason why a packet is not used."""

    OTHER_PLATFORM = "other_platform"
    NOT_AVAILABLE = "not_available"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    WRONG_CLIENT = "wrong_client"
    CART_MERGED = "cart_merged"
    ORDER_EXCLUDED = "order_excluded"
    GOODS_EXCLUDED = "goods_excluded"
    OUT_OF_SCOPE = "out_of_scope"
    OTHER_CREATOR = "other_creator"
    TOO_MANY = "too_many"
    NOT_NEEDED = "not_needed"


@dataclass(frozen=True, slots=True)
class Exclusion:
    """An unused packet, the reason, and its rule (or "")."""

    asset_id: str
    reason: ExclusionReason
    rule: RuleId


@dataclass(frozen=True, slots=True)
class Choice:
    """The packets to use by id, the lines each may deduct on, their deduction, and the reasons against the others."""

    used: tuple[tuple[Asset, frozenset[str]], ...]
    deduction_fen: int
    exclusions: tuple[Exclusion, ...]

    def discounts(self) -> list[Discount]:
        """Return the chosen packets as discounts for the waterfall."""
        return [
            Discount(
                asset.asset_id,
                DiscountKind.PLATFORM_PACKET if asset.creator_id is None else DiscountKind.CREATOR_PACKET,
                amount_fen=asset.face_fen,
                line_ids=lines,
            )
            for asset, lines in self.used
        ]


def best_quote(
    purchase: Purchase, discounts: Sequence[Discount], assets: Sequence[Asset], now_ms: int, rulebook: Rulebook
) -> tuple[Quote, Choice]:
    """
    Return the quote of a purchase with the best of a viewer's packets, and the choice.

    Packets count right after the parallel discounts, so the choice is made on what those leave (AMB-17).
    Raises Refused as ``price`` does.
    """
    before = [each for each in discounts if each.kind in rulebook.parallel_order]
    choice = choose(purchase, price(purchase, before, rulebook).paid_by_line, assets, now_ms, rulebook)
    quote = price(purchase, [*discounts, *choice.discounts()], rulebook)
    assert quote.deducted_fen(DiscountKind.CREATOR_PACKET, DiscountKind.PLATFORM_PACKET) == choice.deduction_fen
    return quote, choice


def choose(
    purchase: Purchase, left_by_line: Sequence[int], assets: Sequence[Asset], now_ms: int, rulebook: Rulebook
) -> Choice:
    """Return the best packets for an order with these remaining prices in fen, in the order of its lines."""
    exclusions: list[Exclusion] = []
    usable: dict[str, frozenset[int]] = {}
    candidates: list[Asset] = []
    for asset in assets:
        found = usable_lines(asset, purchase, now_ms, rulebook)
        if isinstance(found, Exclusion):
            exclusions.append(found)
        else:
            usable[asset.asset_id] = found
            candidates.append(asset)
    best = min(
        (_search(group, usable, left_by_line, rulebook) for group in _groups(candidates)), key=lambda each: each.rank
    )
    exclusions += _left_out(candidates, best, rulebook)
    used = tuple(
        (asset, frozenset(purchase.lines[i].line_id for i in usable[asset.asset_id]))
        for asset in sorted(candidates, key=lambda asset: (asset.use_end_at_ms, asset.asset_id))
        if asset.asset_id in best.ids
    )
    return Choice(used, best.deduction_fen, tuple(exclusions))


def usable_lines(asset: Asset, purchase: Purchase, now_ms: int, rulebook: Rulebook) -> frozenset[int] | Exclusion:
    """Return the positions of lines on which a packet may be used, or its exclusion (section 11 of the rules)."""
    if asset.platform not in ("", rulebook.platform):
        return Exclusion(asset.asset_id, ExclusionReason.OTHER_PLATFORM, rulebook.rule("AMB-44"))
    if asset.state is not AssetState.AVAILABLE:
        return Exclusion(asset.asset_id, ExclusionReason.NOT_AVAILABLE, NO_RULE)
    if now_ms < asset.use_start_at_ms:
        return Exclusion(asset.asset_id, ExclusionReason.NOT_YET_VALID, rulebook.rule("DY-USE-2"))
    if asset.expired_at(now_ms):
        return Exclusion(asset.asset_id, ExclusionReason.EXPIRED, rulebook.rule("DY-USE-2"))
    if asset.creator_id is None:
        lines = [i for i, line in enumerate(purchase.lines) if _in_scope(asset, line)]
        return frozenset(lines) or Exclusion(
            asset.asset_id, ExclusionReason.OUT_OF_SCOPE, rulebook.rule(rulebook.use_rule)
        )
    return _usable_lines_of_creator(asset, purchase, rulebook)


def _usable_lines_of_creator(asset: Asset, purchase: Purchase, rulebook: Rulebook) -> frozenset[int] | Exclusion:
    """Apply the rules of creators' packets (DY-USE-1, DY-USE-3, DY-USE-4, DY-USE-6, KS-USE-1, AMB-36, AMB-50)."""
    if purchase.client not in rulebook.use_clients:
        return Exclusion(asset.asset_id, ExclusionReason.WRONG_CLIENT, rulebook.rule("DY-USE-1"))
    if purchase.is_merged and not rulebook.cart_merge_allowed:
        return Exclusion(asset.asset_id, ExclusionReason.CART_MERGED, rulebook.rule("DY-USE-4"))
    if purchase.traits & rulebook.orders_excluded:
        return Exclusion(asset.asset_id, ExclusionReason.ORDER_EXCLUDED, rulebook.rule(rulebook.goods_rule))
    lines = [
        i
        for i, line in enumerate(purchase.lines)
        if line.creator_id == asset.creator_id and line.entrance in rulebook.use_entrances and _in_scope(asset, line)
    ]
    if not lines:
        return Exclusion(asset.asset_id, ExclusionReason.OUT_OF_SCOPE, rulebook.rule(rulebook.use_rule))
    allowed = frozenset(i for i in lines if purchase.lines[i].goods not in rulebook.goods_excluded)
    return allowed or Exclusion(asset.asset_id, ExclusionReason.GOODS_EXCLUDED, rulebook.rule(rulebook.goods_rule))


def _in_scope(asset: Asset, line: Line) -> bool:
    return asset.product_ids is None or line.product_id in asset.product_ids


def _groups(candidates: Sequence[Asset]) -> Iterator[list[Asset]]:
    """
    Yield the packets that may be combined: the platform's with those of one creator or of none.

    Any number of each is allowed here (DY-STK-3, DY-STK-4), but never packets of two creators (DY-STK-5).
    """
    platform = [asset for asset in candidates if asset.creator_id is None]
    yield platform
    creators: set[CreatorId] = {asset.creator_id for asset in candidates if asset.creator_id is not None}
    for creator_id in sorted(creators):
        yield platform + [asset for asset in candidates if asset.creator_id == creator_id]


def _left_out(candidates: Sequence[Asset], best: "_Set", rulebook: Rulebook) -> Iterator[Exclusion]:
    """Yield the reason for every usable packet that was not chosen."""
    chosen = [asset for asset in candidates if asset.asset_id in best.ids]
    creators = {asset.creator_id for asset in chosen} - {None}
    own = sum(asset.creator_id is not None for asset in chosen)
    for asset in candidates:
        if asset in chosen:
            continue
        if creators and asset.creator_id not in creators | {None}:
            yield Exclusion(asset.asset_id, ExclusionReason.OTHER_CREATOR, rulebook.rule("DY-STK-5"))
        elif len(chosen) >= rulebook.packets_per_order_max:
            yield Exclusion(asset.asset_id, ExclusionReason.TOO_MANY, rulebook.rule("DY-STK-2"))
        elif asset.creator_id is not None and own == rulebook.creator_packets_per_order_max:
            yield Exclusion(asset.asset_id, ExclusionReason.TOO_MANY, rulebook.rule("KS-STK-3"))
        else:
            yield Exclusion(asset.asset_id, ExclusionReason.NOT_NEEDED, rulebook.rule("AMB-16"))


@dataclass(frozen=True, slots=True)
class _Set:
    """A set of packets in the search: counts, sums of faces by line scope, its deduction, and the last two ties."""

    sums: tuple[int, ...]
    own: int = 0
    deduction_fen: int = 0
    expiries: tuple[int, ...] = ()
    ids: tuple[str, ...] = ()

    def key(self, own_max: int | None) -> tuple[int, int, tuple[int, ...]]:
        """Return the key of equivalent sets; a creator's packets count only if their number is limited."""
        return len(self.ids), 0 if own_max is None else self.own, self.sums

    @property
    def rank(self) -> tuple[int, int, int, tuple[int, ...], tuple[str, ...]]:
        """Return the rank, lower is better (AMB-16): most deducted, least wasted, fewest, earliest, lowest ids."""
        return -self.deduction_fen, sum(self.sums) - self.deduction_fen, len(self.ids), self.expiries, self.ids

    def add(self, asset: Asset, scope: int, reach: "_Reach") -> "_Set | None":
        """Return the set with one more packet, or None if that deducts nothing more."""
        face_fen = asset.face_fen
        sums = (*self.sums[:scope], self.sums[scope] + face_fen, *self.sums[scope + 1 :])
        deduction_fen = reach.deduction_fen(sums)
        if deduction_fen == self.deduction_fen:
            return None
        return _Set(
            sums,
            self.own + (asset.creator_id is not None),
            deduction_fen,
            tuple(sorted((*self.expiries, asset.use_end_at_ms))),
            tuple(sorted((*self.ids, asset.asset_id))),
        )


class _Reach:
    """The largest deduction of sums of faces by line scope: the minimum cut between packets and lines."""

    def __init__(self, scopes: Sequence[frozenset[int]], left_by_line: Sequence[int]) -> None:
        cuts: dict[frozenset[int], int] = {}
        for count in range(len(scopes) + 1):
            for saturated in combinations(scopes, count):
                lines = frozenset[int]().union(*saturated)
                cuts.setdefault(lines, sum(left_by_line[i] for i in lines))
        self._cuts = [(fen, [i for i, scope in enumerate(scopes) if not scope <= lines]) for lines, fen in cuts.items()]

    def deduction_fen(self, sums: Sequence[int]) -> int:
        """Return the most that packets of these sums can deduct together."""
        return min(fen + sum(sums[i] for i in open_scopes) for fen, open_scopes in self._cuts)


def _search(
    group: Sequence[Asset], usable: Mapping[str, frozenset[int]], left_by_line: Sequence[int], rulebook: Rulebook
) -> _Set:
    """Return the best set of packets that may be combined; the empty one if none deducts anything."""
    scopes = sorted({usable[asset.asset_id] for asset in group}, key=sorted)
    reach = _Reach(scopes, left_by_line)
    candidates = _candidates(group, usable, rulebook)
    own_max = rulebook.creator_packets_per_order_max
    every = [sum(each.face_fen for each in candidates if usable[each.asset_id] == scope) for scope in scopes]
    limit_fen = reach.deduction_fen(every)
    best = _Set((0,) * len(scopes))
    sets = {best.key(own_max): best}
    for position, asset in enumerate(candidates):
        scope = scopes.index(usable[asset.asset_id])
        for smaller in list(sets.values()):
            if len(smaller.ids) == rulebook.packets_per_order_max:
                continue
            if asset.creator_id is not None and smaller.own == own_max:
                continue
            larger = smaller.add(asset, scope, reach)
            if larger is None:
                continue
            key = larger.key(own_max)
            known = sets.get(key)
            if known is None or larger.rank < known.rank:
                sets[key] = larger
                best = min(best, larger, key=lambda each: each.rank)
        rest = [each.face_fen for each in candidates[position + 1 : position + 1 + rulebook.packets_per_order_max]]
        sets = {
            key: each
            for key, each in sets.items()
            if _may_win(each, best, rest, limit_fen, rulebook.packets_per_order_max)
        }
    return best


def _may_win(each: _Set, best: _Set, rest: Sequence[int], limit_fen: int, count_max: int) -> bool:
    """Return whether a set, with more of the *rest* (largest first) added, can still match the best so far."""
    count, wasted_fen = len(each.ids), sum(each.sums) - each.deduction_fen
    best_wasted_fen = sum(best.sums) - best.deduction_fen
    if best.deduction_fen == limit_fen and wasted_fen >= best_wasted_fen:
        count_max = min(count_max, len(best.ids))  # it cannot deduct more or waste less, only have fewer packets
    reachable_fen = min(limit_fen, each.deduction_fen + sum(rest[: max(0, count_max - count)]))
    return (-reachable_fen, wasted_fen, count + 1) <= best.rank[:3]


def _candidates(group: Sequence[Asset], usable: Mapping[str, frozenset[int]], rulebook: Rulebook) -> list[Asset]:
    """
    Return the packets to search among, largest first: of each line scope, as many as the rulebook allows.

    That is at least the limit of one order, so the best deduction is always found; only a tie may be missed.
    """
    assert rulebook.packet_candidates_max >= rulebook.packets_per_order_max
    kept: list[Asset] = []
    taken: dict[tuple[frozenset[int], bool], int] = {}
    for asset in sorted(group, key=lambda each: (-each.face_fen, each.use_end_at_ms, each.asset_id)):
        kind = (usable[asset.asset_id], asset.creator_id is None)
        taken[kind] = taken.get(kind, 0) + 1
        if taken[kind] <= rulebook.packet_candidates_max:
            kept.append(asset)
    return kept
