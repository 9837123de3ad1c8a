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


OUTSIDE = frozenset({AccountKind.PSP, AccountKind.BUYER, AccountKind.SUBSIDY, AccountKind.MERCHANT})
"""
The world outside, whose accounts may be negative.

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
"""What holds money only for a while: once everything is over these are zero."""


def account(kind: AccountKind, owner: str) -> str:
    """Return the name of an account."""
    return f"{kind}:{owner}"


def kind_of(name: str) -> AccountKind:
    """Return what kind of account a name stands for. Raises ValueError if it is none."""
    return AccountKind(name.partition(":")[0])


def may_be_negative(name: str) -> bool:
    """Say whether an account is one of the world outside."""
    return kind_of(name) in OUTSIDE
