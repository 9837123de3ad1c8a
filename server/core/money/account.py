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


OUTSIDE = frozenset({AccountKind.PSP, AccountKind.BUYER, AccountKind.SUBSIDY, AccountKind.MERCHANT})
"""
Accounts outside the system, which may be negative.

A merchant's is among them because of a journal alone: what platform packets pay it stands in the platform's, while
commission and fee are taken from it in the creator's.
"""

CLEARING = frozenset(
    {
        AccountKind.WITHDRAWING,
        AccountKind.LOCKED,
        AccountKind.REDEEMED,
        AccountKind.REVERSING,
        AccountKind.CLEARING,
    }
)
"""Accounts that hold money temporarily: they are zero once everything has ended."""


def account(kind: AccountKind, owner: str) -> str:
    """Return the name of an account."""
    return f"{kind}:{owner}"


def kind_of(name: str) -> AccountKind:
    """Return the kind of the account of this name. Raises ValueError if the name has none."""
    return AccountKind(name.partition(":")[0])


def may_be_negative(name: str) -> bool:
    """Return whether an account is outside the system."""
    return kind_of(name) in OUTSIDE
