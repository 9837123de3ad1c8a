"""Packets named by a buyer: exactly these are used, or the order is refused with the reason and rule against one."""

from collections.abc import Sequence

from server.core.orders.asset import Asset, not_yours
from server.core.orders.discount import RED_PACKETS, Discount
from server.core.orders.pricing import Quote, price
from server.core.orders.purchase import Purchase
from server.core.orders.stacking import Choice, Exclusion, ExclusionReason, UsableLines
from server.core.refusal import Refused, RuleId
from server.core.rulebooks.rulebook import Rulebook

ASSET_IDS_MAX = 100  # that one request names; no order takes as many


def check_named(asset_ids: Sequence[str]) -> None:
    """Check that each packet is named once, and not too many. Raises Refused: ``out_of_range``, ``repeated``."""
    if len(asset_ids) > ASSET_IDS_MAX:
        raise Refused("out_of_range", f"must be at most {ASSET_IDS_MAX}", field="asset_ids")
    if len(set(asset_ids)) < len(asset_ids):
        raise Refused("repeated", "a packet is named twice", field="asset_ids")


def owned(asset_ids: Sequence[str], assets: Sequence[Asset]) -> list[Asset]:
    """
    Return the viewer's assets with these ids, in the order of the ids.

    Raises Refused ``not_yours`` if the viewer does not own one (ALL-ELG-1).
    """
    by_id = {asset.asset_id: asset for asset in assets}
    if not by_id.keys() >= set(asset_ids):
        raise not_yours()
    return [by_id[asset_id] for asset_id in asset_ids]


def exact_quote(
    purchase: Purchase, discounts: Sequence[Discount], assets: Sequence[Asset], now_ms: int, rulebook: Rulebook
) -> tuple[Quote, Choice]:
    """
    Return the quote of a purchase with all of these packets, each of which deducts something (sections 11 and 12).

    Raises Refused with a ``ExclusionReason`` for code, naming the packet and the rule, or as ``price`` does.
    """
    lines = UsableLines(purchase, now_ms, rulebook)
    used: list[tuple[Asset, frozenset[str]]] = []
    for asset in sorted(assets, key=lambda each: (each.use_end_at_ms, each.asset_id)):
        found = lines.of(asset)
        if isinstance(found, Exclusion):
            raise _refused(asset.asset_id, found.reason, found.rule)
        used.append((asset, frozenset(purchase.lines[i].line_id for i in found)))
    _check_together([asset for asset, _ in used], rulebook)
    quote = price(purchase, [*discounts, *Choice(tuple(used), 0, ()).discounts()], rulebook)
    spare = {discount_id for discount_id, _ in quote.unused}
    for asset, _ in used:
        if asset.asset_id in spare:
            raise _refused(asset.asset_id, ExclusionReason.NOT_NEEDED, rulebook.rule("AMB-16"))
    return quote, Choice(tuple(used), quote.deducted_fen(*RED_PACKETS), ())


def _check_together(assets: Sequence[Asset], rulebook: Rulebook) -> None:
    """Refuse packets of different creators, or too many of one creator and the platform (DY-STK-2 to DY-STK-5)."""
    own = [asset for asset in assets if asset.creator_id is not None]
    for asset in own:
        if asset.creator_id != own[0].creator_id:
            raise _refused(asset.asset_id, ExclusionReason.OTHER_CREATOR, rulebook.rule("DY-STK-5"))
    if len(assets) > rulebook.packets_per_order_max:
        raise _refused(assets[-1].asset_id, ExclusionReason.TOO_MANY, rulebook.rule("DY-STK-2"))
    if rulebook.creator_packets_per_order_max is not None and len(own) > rulebook.creator_packets_per_order_max:
        raise _refused(own[-1].asset_id, ExclusionReason.TOO_MANY, rulebook.rule("KS-STK-3"))


def _refused(asset_id: str, reason: ExclusionReason, rule: RuleId) -> Refused:
    return Refused(reason, f"{asset_id} cannot be used: {reason.replace('_', ' ')}", field="asset_ids", rule=rule)
