"""Channels: the ways by which a creator's money comes in, and what each of them takes for it (KS-ACC-2, KS-ACC-4)."""

from dataclasses import dataclass
from enum import StrEnum

from server.core.money.money import FEN_MAX, half_up
from server.core.refusal import Refused, RuleId

_WHOLE = 10_000  # basis points


class FeeMode(StrEnum):
    """Who bears a channel's fee (AMB-3): it is paid on top of the amount, or taken off it."""

    ON_TOP = "on_top"
    DEDUCTED = "deducted"


@dataclass(frozen=True, slots=True)
class Channel:
    """A way to pay. It keeps ``fee_bp`` basis points (hundredths of a percent) of an amount."""

    name: str
    fee_bp: int = 0


@dataclass(frozen=True, slots=True)
class Charge:
    """What a recharge comes to, in fen: the payer pays ``paid_fen``, which is what the wallet gets and the fee."""

    credited_fen: int
    fee_fen: int

    @property
    def paid_fen(self) -> int:
        """What leaves the payer's hands."""
        return self.credited_fen + self.fee_fen


def charge(amount_fen: int, channel: Channel, *, fee_mode: FeeMode, fee_min_fen: int, rule: RuleId) -> Charge:
    """
    Return what a recharge of *amount_fen* over *channel* comes to (KS-ACC-4).

    The fee is rounded half-up and at least *fee_min_fen*, if the channel takes any. Raises Refused: ``out_of_range``
    for an amount that is none, or of which a deducted fee would leave nothing (by *rule*).
    """
    if not 0 < amount_fen <= FEN_MAX:
        raise Refused("out_of_range", f"must be from 1 to {FEN_MAX}", field="amount_fen")
    fee_fen = max(fee_min_fen, half_up(amount_fen * channel.fee_bp, _WHOLE)) if channel.fee_bp else 0
    credited_fen = amount_fen if fee_mode is FeeMode.ON_TOP else amount_fen - fee_fen
    if credited_fen <= 0:
        raise Refused("out_of_range", f"must be more than the fee of {fee_fen}", field="amount_fen", rule=rule)
    return Charge(credited_fen, fee_fen)
