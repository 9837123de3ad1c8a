"""The guest book: how many guests each address may bring, at once and in all, counted in this process."""

from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from server.core.refusal import Refused

GUEST_LASTS_S: Final = 12 * 3_600  # real: an evening
ADDRESSES_MAX: Final = 10_000  # the address that was seen longest ago is forgotten first
_MINUTE_S: Final = 60.0
_SUBSCRIBER_BITS: Final = 64  # of an IPv6 address: who has one has all with the same 64 bits (RFC 6177)


@dataclass(slots=True)
class _Page:
    """The guests of one address: what it may bring at once, and what it has brought since a period began."""

    at_once: float
    filled_at_s: float
    brought: int
    since_s: float


class GuestBook:
    """
    Admits guests: *per_minute* of an address, with as many at once, and *at_most* while a guest's credential lasts.

    Instants are seconds of a monotonic clock.
    """

    def __init__(self, per_minute: int, at_most: int) -> None:
        self._per_minute = per_minute
        self._at_most = at_most
        self._pages: OrderedDict[str, _Page] = OrderedDict()

    def admit(self, address: str, now_s: float) -> None:
        """Count one more guest of an address. Raises Refused (``too_many_guests``) and counts nothing."""
        page = self._page(address, now_s)
        if page.brought >= self._at_most:
            raise Refused(
                "too_many_guests", f"an address may bring {self._at_most} guests; return as one of them, with its token"
            )
        if page.at_once < 1:
            raise Refused(
                "too_many_guests", f"an address may bring {self._per_minute} guests in a minute; try again soon"
            )
        page.at_once -= 1
        page.brought += 1

    def _page(self, address: str, now_s: float) -> _Page:
        key = _subscriber(address)
        page = self._pages.get(key)
        if page is None:
            page = self._pages[key] = _Page(self._per_minute, now_s, 0, now_s)
            if len(self._pages) > ADDRESSES_MAX:
                self._pages.popitem(last=False)
        self._pages.move_to_end(key)
        grown = (now_s - page.filled_at_s) * self._per_minute / _MINUTE_S
        page.at_once, page.filled_at_s = min(self._per_minute, page.at_once + grown), now_s
        if now_s - page.since_s >= GUEST_LASTS_S:
            page.brought, page.since_s = 0, now_s
        return page

    def __len__(self) -> int:
        return len(self._pages)


def _subscriber(address: str) -> str:
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(ip_network((parsed, _SUBSCRIBER_BITS), strict=False))
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)
