"""Funding: over which channels money comes in and goes out, and to whom (section 3 of the rules)."""

from server.core.money.channel import Channel, Charge, charge
from server.core.money.payee import Payee
from server.core.refusal import Refused
from server.core.rulebooks.rulebook import Rulebook


def charge_of(rulebook: Rulebook, amount_fen: int, channel: str) -> Charge:
    """
    Compute a recharge over a channel (KS-ACC-2, KS-ACC-4).

    Raises Refused: ``channel_not_offered``, or ``out_of_range`` for an invalid amount.
    """
    offered = {each.name: each for each in rulebook.channels or (Channel(channel),)}
    if channel not in offered:
        rule = rulebook.rule(rulebook.channels_rule)
        raise Refused("channel_not_offered", f"must be {' or '.join(offered)}", field="channel", rule=rule)
    return charge(
        amount_fen,
        offered[channel],
        fee_mode=rulebook.fee_mode,
        fee_min_fen=rulebook.fee_min_fen,
        rule=rulebook.rule("KS-ACC-4"),
    )


def recharge_channel(rulebook: Rulebook) -> str:
    """Return the default channel of a recharge. Raises Refused (``bad_field``) if it must be chosen (AMB-57)."""
    names = [channel.name for channel in rulebook.channels or (Channel("bank"),)]
    if rulebook.recharge_names_channel:
        raise Refused("bad_field", f"must be {' or '.join(names)}", field="channel", rule=rulebook.rule("KS-ACC-2"))
    return names[0]


def withdraw_channel(rulebook: Rulebook, asked: str | None) -> str:
    """
    Return the channel of a withdrawal: the one *asked* for, or the first offered (DY-ACC-7, AMB-27).

    Raises Refused: ``withdraw_unsupported`` if the platform has no withdrawal, ``channel_not_offered``.
    """
    if rulebook.withdraw_channels is None:
        return asked or "bank"
    if not rulebook.withdraw_channels:
        rule = rulebook.rule("AMB-27")
        raise Refused("withdraw_unsupported", f"{rulebook.platform} has no withdrawal", rule=rule)
    channel = asked or rulebook.withdraw_channels[0]
    if channel not in rulebook.withdraw_channels:
        wanted = f"must be {' or '.join(rulebook.withdraw_channels)}"
        raise Refused("channel_not_offered", wanted, field="channel", rule=rulebook.rule("DY-ACC-7"))
    return channel


def check_payee(rulebook: Rulebook, payee: Payee | None) -> None:
    """Raise Refused (``bad_field``) if a withdrawal must name its payee and does not (DY-ACC-7, AMB-57)."""
    if payee is None and rulebook.withdraw_names_payee:
        raise Refused("bad_field", "must name the payee", field="payee", rule=rulebook.rule("DY-ACC-7"))
