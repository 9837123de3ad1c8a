"""Payees: what may be one, and what is shown of an account."""

import pytest

from server.core.money.payee import ACCOUNT_LENGTH_MAX, NAME_LENGTH_MAX, Payee
from server.core.refusal import Refused


@pytest.mark.rule("DY-ACC-7")
@pytest.mark.parametrize(
    ("account", "shown"),
    [
        ("13800138000", "138****000"),
        ("+8613800138000", "+86****8000"),
        ("mei.lin@example.com", "mei****@example.com"),
        ("m@example.com", "****@example.com"),
        ("ab", "****"),
    ],
)
def test_an_account_is_shown_masked(account: str, shown: str) -> None:
    """A reader recognises an account that they know, and learns none (AMB-57)."""
    assert Payee("Mei", account).masked() == Payee("Mei", shown)


@pytest.mark.parametrize(
    ("name", "account", "field"),
    [
        ("", "a", "payee.name"),
        (" ", "a", "payee.name"),
        ("Mei\n", "a", "payee.name"),
        ("m" * (NAME_LENGTH_MAX + 1), "a", "payee.name"),
        ("Mei", "", "payee.account"),
        ("Mei", "a b", "payee.account"),
        ("Mei", "a\x00", "payee.account"),
        ("Mei", "1" * (ACCOUNT_LENGTH_MAX + 1), "payee.account"),
    ],
)
def test_what_can_be_no_payee_is_refused(name: str, account: str, field: str) -> None:
    """The refusal names the field."""
    with pytest.raises(Refused) as refused:
        Payee(name, account)
    assert (refused.value.code, refused.value.field) == ("bad_field", field)
