"""Eligibility: permissions, funds and goods required to create and launch packets (section 2 of the rules)."""

from collections.abc import Iterable, Mapping

from server.core.orders.purchase import GoodsKind
from server.core.refusal import Refused, RuleId
from server.core.rulebooks.rulebook import Permission, Rulebook

EVERY_PERMISSION = frozenset(Permission)
"""The permissions of a creator for whom none were set: in a simulator everything is allowed by default."""


def check_eligible(permissions: Iterable[Permission], rulebook: Rulebook) -> None:
    """
    Raise Refused (``not_eligible``) if a creator with these permissions may not create or launch on the platform.

    All permissions in the rulebook are required; on Kuaishou one alone is not enough (DY-ELG-1, KS-ELG-1, AMB-1).
    """
    lacking = [need for need in rulebook.creator_needs if need not in set(permissions)]
    if lacking:
        raise Refused(
            "not_eligible",
            f"a creator on {rulebook.platform} needs {' and '.join(rulebook.creator_needs)}; "
            f"this one lacks {' and '.join(lacking)}",
            field="creator_id",
            rule=rulebook.rule(rulebook.creator_needs_rule),
        )


def recharge_required(rule: RuleId, *, field: str = "total_fen") -> Refused:
    """Return the refusal of a creation by a creator without any funds (DY-ELG-2, KS-ACC-1)."""
    return Refused("recharge_required", "there are no funds; recharge first", field=field, rule=rule)


def check_scope(kinds: Iterable[GoodsKind], rulebook: Rulebook) -> None:
    """
    Raise Refused (``not_configurable``) if goods of one of these kinds are not allowed in a packet's scope (KS-ELG-2).

    Douyin's exclusions (DY-USE-6) apply when a packet is used; only Kuaishou's text restricts its scope.
    """
    refused = sorted(set(kinds) & rulebook.goods_not_configurable)
    if refused:
        raise Refused(
            "not_configurable",
            f"{rulebook.platform} takes no {' or '.join(refused)} goods into a packet's scope",
            field="scope",
            rule=rulebook.rule("KS-ELG-2"),
        )


def check_registered(registered: Mapping[str, GoodsKind], rulebook: Rulebook) -> None:
    """
    Raise Refused (``not_configurable``) if a packet's scope has products that are *registered* as goods not allowed.

    The platform's word counts there, whatever the creator says of its goods (KS-ELG-2).
    """
    refused = [
        f"{each} ({goods})" for each, goods in sorted(registered.items()) if goods in rulebook.goods_not_configurable
    ]
    if refused:
        raise Refused(
            "not_configurable",
            f"{rulebook.platform} takes no such goods into a packet's scope; leave out {', '.join(refused)}",
            field="product_ids",
            rule=rulebook.rule("KS-ELG-2"),
        )
