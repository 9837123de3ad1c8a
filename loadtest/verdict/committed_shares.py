"""
Committed shares: what a seed promises, worked out once more from the published description of the split.

It shares no code with the server's ``split``: a mistake there must not explain itself. The description: a stream of
32-bit words from HMAC-SHA256 blocks, numbers below n without bias, shares drawn one after another by the double mean
within their bounds, and a Fisher-Yates shuffle from the end.
"""

import hashlib
import hmac
from collections.abc import Iterator

from server.core.packets.packet import Terms

SEED_BYTES = 32
LABEL = b"redrain.split.v1"
WORD_BITS = 32


class NoSuchShares(Exception):  # noqa: N818 - terms that nothing meets
    """The terms have no solution; the text says why."""


def shares_of(terms: Terms, seed: bytes) -> list[int]:
    """Return the amounts in fen that these terms and this seed make, in the order of granting. Raises NoSuchShares."""
    count, total_fen = terms.share_count, terms.total_fen
    least, most = terms.min_share_fen, terms.max_share_fen
    if count < 1 or least < 0 or not count * least <= total_fen <= count * most:
        raise NoSuchShares(f"{count} shares of {least} to {most} fen cannot make {total_fen}")
    if least == most:
        return [least] * count
    stream = _Stream(seed)
    over = []  # what each share has above the least one
    rest, room = total_fen - count * least, most - least
    for drawn in range(count - 1):
        over.append(_draw(stream, rest, count - drawn, room))
        rest -= over[-1]
    over.append(rest)
    for place in reversed(range(1, count)):
        partner = stream.below(place + 1)
        over[place], over[partner] = over[partner], over[place]
    return [least + fen for fen in over]


def commitment_of(terms: Terms, seed: bytes) -> str:
    """Return the hash that the server must have published before the window opened."""
    bounds = f"{terms.min_share_fen}:{terms.max_share_fen}"
    line = f"{LABEL.decode()}:{terms.denomination}:{terms.share_count}:{terms.total_fen}:{bounds}:{seed.hex()}"
    return hashlib.sha256(line.encode("ascii")).hexdigest()


def _draw(stream: "_Stream", rest: int, parts: int, room: int) -> int:
    """Draw one of *parts* shares of *rest*: from nothing to twice the mean, both ends moved in alike to fit *room*."""
    twice = 2 * rest // parts
    odd = 2 * rest - twice * parts
    if odd and stream.below(parts) < odd:  # twice the mean is not whole: up in proportion to its fraction
        twice += 1
    low, high = max(0, twice - room), min(twice, room)
    return low + stream.below(high - low + 1)


class _Stream:
    """Numbers from a seed: each below n is equally likely, and costs one word, or two if n is over 2**32."""

    def __init__(self, seed: bytes) -> None:
        self._words = _words(seed)

    def below(self, n: int) -> int:
        bits = WORD_BITS if n <= 1 << WORD_BITS else 2 * WORD_BITS
        while True:
            number = next(self._words)
            if bits > WORD_BITS:
                number = number << WORD_BITS | next(self._words)
            if number < (1 << bits) // n * n:
                return number % n


def _words(seed: bytes) -> Iterator[int]:
    block = 0
    while True:
        digest = hmac.new(seed, LABEL + block.to_bytes(8, "big"), hashlib.sha256).digest()
        for at in range(0, len(digest), WORD_BITS // 8):
            yield int.from_bytes(digest[at : at + WORD_BITS // 8], "big")
        block += 1
