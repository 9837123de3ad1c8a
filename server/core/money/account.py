"""Accounts, which hold all money; each is named ``kind:owner``, such as ``escrow:anna.7f3a``."""

from enum import StrEnum


class AccountKind(StrEnum):
    """The kind of an account: its purpose, and the kind of its owner."""

    PSP = "psp"  # a payment channel: all money that came in
    FEES = "fees"  # a payment channel's
    FUNDS = "funds"  # a creator's
    WITHDRAWING = "withdrawing"  # a creator's, on its way out
    PAYOUT = "payout"  # a channel's: all money that went out
    ESCROW = "escrow"  # a packet's, not claimed
    COUPONS = "coupons"  # a coupon budget's
    ASSETS = "assets"  # a packet's, in viewers' hands
    LOCKED = "locked"  # a packet's, in orders not yet paid
    REDEEMED = "redeemed"  # a packet's, in orders paid and not yet final
    REVERSING = "reversing"  # a creator's, on its way back (DY-REV-8)
    BUYER = "buyer"  # a viewer's own: all its payments
    CLEARING = "clearing"  # an order's: paid by the buyer, not yet settled
    SUBSIDY = "subsidy"  # creators' and platform's discounts other than red packets (DY-SET-5)
    MERCHANT = "merchant"  # a merchant's
    COMMISSION = "commission"  # a creator's earnings (DY-SET-1)
    SERVICE = "service"  # the platform's fee (DY-SET-2)


class FundProduct(StrEnum):
    """The product for which money was moved: packets and creator coupons share one pool of funds (DY-ACC-3)."""

    RED_PACKET = "red_packet"
    CREATOR_COUPON = "creator_coupon"


def account(kind: AccountKind, owner: str) -> str:
    """Return the name of an account."""
    return f"{kind}:{owner}"


def kind_of(name: str) -> AccountKind:
    """Return the kind of the account of this name. Raises ValueError if the name has none."""
    return AccountKind(name.partition(":")[0])
