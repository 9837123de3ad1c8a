"""Accounts: every place in which money can be, each named ``kind:owner``, such as ``escrow:anna.7f3a``."""

from enum import StrEnum


class AccountKind(StrEnum):
    """What an account holds, and whose it is."""

    PSP = "psp"  # a payment channel: all that has come in
    FEES = "fees"  # a payment channel's
    FUNDS = "funds"  # a creator's
    WITHDRAWING = "withdrawing"  # a creator's, on its way out
    PAYOUT = "payout"  # a channel's: all that went out
    ESCROW = "escrow"  # a packet's, not claimed
    ASSETS = "assets"  # a packet's, in viewers' hands
    LOCKED = "locked"  # a packet's, in orders not yet paid
    REDEEMED = "redeemed"  # a packet's, in orders paid and not yet final
    REVERSING = "reversing"  # a creator's, on its way back (DY-REV-8)
    BUYER = "buyer"  # a viewer's own: all that it has paid
    CLEARING = "clearing"  # an order's: paid by the buyer, not yet settled
    SUBSIDY = "subsidy"  # what creators and platform give besides red packets (DY-SET-5)
    MERCHANT = "merchant"  # a merchant's
    COMMISSION = "commission"  # a creator's earnings (DY-SET-1)
    SERVICE = "service"  # the platform's fee (DY-SET-2)


class FundProduct(StrEnum):
    """On whose page money was moved: packets and creator coupons share one pool of funds (DY-ACC-3)."""

    RED_PACKET = "red_packet"
    CREATOR_COUPON = "creator_coupon"


def account(kind: AccountKind, owner: str) -> str:
    """Return the name of an account."""
    return f"{kind}:{owner}"


def kind_of(name: str) -> AccountKind:
    """Return what kind of account a name stands for. Raises ValueError if it is none."""
    return AccountKind(name.partition(":")[0])
