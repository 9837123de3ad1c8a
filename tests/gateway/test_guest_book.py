"""The guest book: few guests of an address in a minute, not many in all, and a bounded memory."""

import pytest

from server.core.refusal import Refused
from server.gateway.guest_book import ADDRESSES_MAX, GUEST_LASTS_S, GuestBook

ALICE, BOB = "203.0.113.7", "203.0.113.8"


def refused(book: GuestBook, address: str, now_s: float) -> bool:
    try:
        book.admit(address, now_s)
    except Refused as full:
        return full.code == "too_many_guests"
    return False


def test_an_address_brings_so_many_at_once_and_then_one_by_one() -> None:
    """An address saves up nothing of a minute that it did not use; another address has its own."""
    book = GuestBook(3, 100)
    assert [refused(book, ALICE, 50) for _ in range(4)] == [False, False, False, True]
    assert not refused(book, BOB, 50)
    assert refused(book, ALICE, 69.9)
    assert [refused(book, ALICE, 70) for _ in range(2)] == [False, True]
    assert [refused(book, ALICE, 900) for _ in range(4)] == [False, False, False, True]


def test_an_address_brings_so_many_in_all() -> None:
    """A refusal does not count, and the count starts again when the first credentials have expired."""
    book, end = GuestBook(60, 3), GUEST_LASTS_S
    assert [refused(book, ALICE, now_s) for now_s in (0, 100, 200, 300, end - 1)] == [False, False, False, True, True]
    assert not refused(book, BOB, end - 1)
    assert [refused(book, ALICE, now_s) for now_s in (end, end + 1, end + 2, end + 3)] == [False, False, False, True]


def test_a_subscriber_is_one_address() -> None:
    """An IPv6 subscriber has many addresses, and an IPv4 address may be written as an IPv6 one."""
    book = GuestBook(1, 10)
    assert not refused(book, "2001:db8::1", 0)
    assert refused(book, "2001:db8::ffff:2", 0)
    assert not refused(book, "2001:db8:0:1::1", 0)
    assert not refused(book, ALICE, 0)
    assert refused(book, f"::ffff:{ALICE}", 0)
    with pytest.raises(ValueError, match="nobody"):
        book.admit("nobody", 0)


def test_the_book_is_bounded() -> None:
    """The address that came longest ago is forgotten."""
    book = GuestBook(1, 10)
    assert not refused(book, ALICE, 0)
    for number in range(ADDRESSES_MAX - 1):
        book.admit(f"10.1.{number // 256}.{number % 256}", 0)
    assert refused(book, ALICE, 0)
    book.admit(BOB, 0)
    assert len(book) == ADDRESSES_MAX
    assert refused(book, ALICE, 0)
    assert not refused(book, "10.1.0.0", 0)
