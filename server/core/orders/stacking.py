"""
Stacking: choose the packets of a viewer to use together in one order.

Any number of one creator's packets and any number of the platform's go together, up to a limit for both (DY-STK-1 to
DY-STK-4); those of different creators never do (DY-STK-5). A packet deducts only on the lines it may be used on, is
indivisible (AMB-15), and a set of packets deducts as much as any spread of it over lines allows. Of all sets the one
that deducts most is chosen; of equals the one that wastes least, then that of fewer packets, then the one that
expires earliest, then the lowest ids (AMB-16). ``packet_choice`` searches for it, and pauses so that nobody waits for
a viewer with many packets (AMB-54).
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import TypeAlias

from server.core.ids import CreatorId
from server.core.orders.asset import Asset, AssetState
from server.core.orders.discount import Discount, DiscountKind
from server.core.orders.packet_bounds import CountLimits, Work
from server.core.orders.packet_choice import BestSet, Candidate, best_set, without_pauses
from server.core.orders.pricing import Quote, price
from server.core.orders.purchase import Purchase
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


_Reason: TypeAlias = tuple[ExclusionReason, RuleId]


@dataclass(frozen=True, slots=True)
class Choice:
    """
    The packets to use by id, the lines each may deduct on, their deduction, and the reasons against the others.

    It is ``approximate`` if the viewer has so many that a better choice may have been missed (AMB-54).
    """

    used: tuple[tuple[Asset, frozenset[str]], ...]
    deduction_fen: int
    exclusions: tuple[Exclusion, ...]
    approximate: bool = False

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
    """Return what ``quoting`` does, at once."""
    return without_pauses(quoting(purchase, discounts, assets, now_ms, rulebook))


def quoting(
    purchase: Purchase, discounts: Sequence[Discount], assets: Sequence[Asset], now_ms: int, rulebook: Rulebook
) -> Generator[None, None, tuple[Quote, Choice]]:
    """
    Return the quote of a purchase with the best of a viewer's packets, and the choice, with pauses for others to run.

    Packets count right after the parallel discounts, so the choice is made on what those leave (AMB-17).
    Raises Refused as ``price`` does.
    """
    before = [each for each in discounts if each.kind in rulebook.parallel_order]
    left_by_line = price(purchase, before, rulebook).paid_by_line
    choice = yield from _choosing(purchase, left_by_line, assets, now_ms, rulebook)
    quote = price(purchase, [*discounts, *choice.discounts()], rulebook)
    assert quote.deducted_fen(DiscountKind.CREATOR_PACKET, DiscountKind.PLATFORM_PACKET) == choice.deduction_fen
    return quote, choice


def choose(
    purchase: Purchase, left_by_line: Sequence[int], assets: Sequence[Asset], now_ms: int, rulebook: Rulebook
) -> Choice:
    """Return the best packets for an order with these remaining prices in fen, in the order of its lines."""
    return without_pauses(_choosing(purchase, left_by_line, assets, now_ms, rulebook))


def _choosing(
    purchase: Purchase, left_by_line: Sequence[int], assets: Sequence[Asset], now_ms: int, rulebook: Rulebook
) -> Generator[None, None, Choice]:
    """Return what ``choose`` does, with pauses."""
    work = Work()
    exclusions: list[Exclusion] = []
    lines = UsableLines(purchase, now_ms, rulebook)
    usable: dict[str, frozenset[int]] = {}
    candidates: list[Asset] = []
    for asset in assets:
        found = lines.of(asset)
        if isinstance(found, Exclusion):
            exclusions.append(found)
        else:
            usable[asset.asset_id] = found
            candidates.append(asset)
        if work.due(1 + len(purchase.lines) // 8):
            yield
    groups = [
        [
            Candidate(
                each.asset_id, each.face_fen, each.use_end_at_ms, usable[each.asset_id], each.creator_id is not None
            )
            for each in group
        ]
        for group in _groups(candidates)
    ]
    limits = CountLimits(rulebook.packets_per_order_max, rulebook.creator_packets_per_order_max)
    best = yield from best_set(groups, left_by_line, limits, rulebook.packet_candidates_max, work)
    exclusions += _left_out(candidates, best, rulebook)
    chosen_ids = best.ids
    used = tuple(
        (asset, frozenset(purchase.lines[i].line_id for i in usable[asset.asset_id]))
        for asset in sorted(candidates, key=lambda asset: (asset.use_end_at_ms, asset.asset_id))
        if asset.asset_id in chosen_ids
    )
    return Choice(used, best.deduction_fen, tuple(exclusions), best.approximate)


class UsableLines:
    """The lines of a purchase on which packets may be used; those of one creator and scope are looked up once."""

    def __init__(self, purchase: Purchase, now_ms: int, rulebook: Rulebook) -> None:
        self._purchase = purchase
        self._now_ms = now_ms
        self._rulebook = rulebook
        self._goods_excluded = {i for i, line in enumerate(purchase.lines) if line.goods in rulebook.goods_excluded}
        self._creators_refused = _creators_refused(purchase, rulebook)
        self._by_product: dict[CreatorId | None, dict[str, list[int]]] = {}
        self._known: dict[tuple[CreatorId | None, frozenset[str] | None], frozenset[int] | _Reason] = {}

    def of(self, asset: Asset) -> frozenset[int] | Exclusion:
        """Return the positions of lines on which a packet may be used, or its exclusion (section 11 of the rules)."""
        rule = self._rulebook.rule
        if asset.platform not in ("", self._rulebook.platform):
            return Exclusion(asset.asset_id, ExclusionReason.OTHER_PLATFORM, rule("AMB-44"))
        if asset.state is not AssetState.AVAILABLE:
            return Exclusion(asset.asset_id, ExclusionReason.NOT_AVAILABLE, NO_RULE)
        if self._now_ms < asset.use_start_at_ms:
            return Exclusion(asset.asset_id, ExclusionReason.NOT_YET_VALID, rule("DY-USE-2"))
        if asset.expired_at(self._now_ms):
            return Exclusion(asset.asset_id, ExclusionReason.EXPIRED, rule("DY-USE-2"))
        scope = asset.creator_id, asset.product_ids
        if scope not in self._known:
            self._known[scope] = self._of_scope(*scope)
        found = self._known[scope]
        return found if isinstance(found, frozenset) else Exclusion(asset.asset_id, *found)

    def _of_scope(self, creator_id: CreatorId | None, product_ids: frozenset[str] | None) -> frozenset[int] | _Reason:
        """Apply the rules of scopes and of creators' packets (DY-USE-3, DY-USE-6, KS-USE-1)."""
        rulebook = self._rulebook
        if creator_id is not None and self._creators_refused:
            return self._creators_refused
        if creator_id not in self._by_product:
            self._by_product[creator_id] = self._entered(creator_id)
        by_product = self._by_product[creator_id]
        in_scope = by_product if product_ids is None else by_product.keys() & product_ids
        lines = frozenset(chain.from_iterable(map(by_product.__getitem__, in_scope)))
        if not lines:
            return ExclusionReason.OUT_OF_SCOPE, rulebook.rule(rulebook.use_rule)
        allowed = lines if creator_id is None else lines - self._goods_excluded
        return allowed or (ExclusionReason.GOODS_EXCLUDED, rulebook.rule(rulebook.goods_rule))

    def _entered(self, creator_id: CreatorId | None) -> dict[str, list[int]]:
        """Return, by product, the positions of lines whose entrance lets a creator's packets, or the platform's, in."""
        entered: dict[str, list[int]] = {}
        for i, line in enumerate(self._purchase.lines):
            if creator_id is None or (line.creator_id == creator_id and line.entrance in self._rulebook.use_entrances):
                entered.setdefault(line.product_id, []).append(i)
        return entered


def _creators_refused(purchase: Purchase, rulebook: Rulebook) -> _Reason | None:
    """Return the reason and rule if no creator's packet may be used (DY-USE-1, DY-USE-4, DY-USE-6, AMB-36, AMB-50)."""
    if purchase.client not in rulebook.use_clients:
        return ExclusionReason.WRONG_CLIENT, rulebook.rule("DY-USE-1")
    if purchase.is_merged and not rulebook.cart_merge_allowed:
        return ExclusionReason.CART_MERGED, rulebook.rule("DY-USE-4")
    if purchase.traits & rulebook.orders_excluded:
        return ExclusionReason.ORDER_EXCLUDED, rulebook.rule(rulebook.goods_rule)
    return None


def _groups(candidates: Sequence[Asset]) -> Iterator[list[Asset]]:
    """
    Yield the packets that may be combined: the platform's with those of one creator or of none.

    Any number of each is allowed here (DY-STK-3, DY-STK-4), but never packets of two creators (DY-STK-5).
    """
    creators = sorted({asset.creator_id for asset in candidates if asset.creator_id is not None})
    either: list[CreatorId | None] = [*creators] or [None]
    for creator_id in either:
        yield [asset for asset in candidates if asset.creator_id in {None, creator_id}]


def _left_out(candidates: Sequence[Asset], best: BestSet, rulebook: Rulebook) -> Iterator[Exclusion]:
    """Yield the reason for every usable packet that was not chosen."""
    ids = best.ids
    chosen = [asset for asset in candidates if asset.asset_id in ids]
    creators = {asset.creator_id for asset in chosen} - {None}
    own = sum(asset.creator_id is not None for asset in chosen)
    for asset in candidates:
        if asset.asset_id in ids:
            continue
        if creators and asset.creator_id not in creators | {None}:
            yield Exclusion(asset.asset_id, ExclusionReason.OTHER_CREATOR, rulebook.rule("DY-STK-5"))
        elif len(chosen) >= rulebook.packets_per_order_max:
            yield Exclusion(asset.asset_id, ExclusionReason.TOO_MANY, rulebook.rule("DY-STK-2"))
        elif asset.creator_id is not None and own == rulebook.creator_packets_per_order_max:
            yield Exclusion(asset.asset_id, ExclusionReason.TOO_MANY, rulebook.rule("KS-STK-3"))
        else:
            yield Exclusion(asset.asset_id, ExclusionReason.NOT_NEEDED, rulebook.rule("AMB-16"))
