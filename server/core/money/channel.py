"""Payment channels for a creator's recharges, and their fees (KS-ACC-2, KS-ACC-4)."""

from dataclasses import dataclass
from enum import StrEnum

from server.core.money.money import FEN_MAX, half_up
from server.core.refusal import Refused, RuleId

_WHOLE = 10_000  # basis points


class FeeMode(StrEnum):
    """The way a channel's fee is charged (AMB-3): on top of the amount, or deducted from it."""

    ON_TOP = "on_top"
    DEDUCTED = "deducted"


@dataclass(frozen=True, slots=True)
class Channel:
    """A payment channel. It charges ``fee_bp`` basis points (hundredths of a percent) of an amount."""

    name: str
    fee_bp: int = 0


@dataclass(frozen=True, slots=True)
class Charge:
    """A recharge in fen: the payer pays ``paid_fen``, the sum of the wallet's amount and the fee."""

    credited_fen: int
    fee_fen: int

    @property
    def paid_fen(self) -> int:
        """Return the amount that the payer pays."""
        return self.credited_fen + self.fee_fen


def charge(amount_fen: int, channel: Channel, *, fee_mode: FeeMode, fee_min_fen: int, rule: RuleId) -> Charge:
    """
    Compute a recharge of *amount_fen* over *channel* (KS-ACC-4).

    The fee is rounded half-up and at least *fee_min_fen*, if the channel charges any. Raises Refused: ``out_of_range``
    for an invalid amount, or one of which a deducted fee would leave nothing (by *rule*).
    """
    if not 0 < amount_fen <= FEN_MAX:
        raise Refused("out_of_range", f"must be from 1 to {FEN_MAX}", field="amount_fen")
    fee_fen = max(fee_min_fen, half_up(amount_fen * channel.fee_bp, _WHOLE)) if channel.fee_bp else 0
    credited_fen = amount_fen if fee_mode is FeeMode.ON_TOP else amount_fen - fee_fen
    if credited_fen <= 0:
        raise Refused("out_of_range", f"must be more than the fee of {fee_fen}", field="amount_fen", rule=rule)
    return Charge(credited_fen, fee_fen)
