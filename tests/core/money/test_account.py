"""Accounts: each name says its kind, and only the world outside owes."""

import pytest

from server.core.money.account import AccountKind, account, kind_of
from tests.core.money.ledger_model import CLEARING, OUTSIDE, may_be_negative


@pytest.mark.parametrize("kind", AccountKind)
def test_a_name_says_its_kind(kind: AccountKind) -> None:
    """``kind_of`` reads the kind from every name that ``account`` makes, for any owner."""
    assert kind_of(account(kind, "anna.7f3a")) is kind
    assert may_be_negative(account(kind, "x")) is (kind in OUTSIDE)


def test_what_is_no_account_is_refused() -> None:
    """A name of no kind is an error, not an account of the world outside."""
    with pytest.raises(ValueError, match="nowhere"):
        kind_of("nowhere:anna")


def test_money_on_its_way_is_ours() -> None:
    """No clearing account may be negative."""
    assert not CLEARING & OUTSIDE
