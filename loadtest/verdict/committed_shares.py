"""
Committed shares: what a seed promises, worked out once more from the published description of the split.

It shares no code with the server's ``split``: a mistake there must not explain itself. The description: a stream of
32-bit words from HMAC-SHA256 blocks, numbers below n without bias, shares drawn one after another by the double mean
within their bounds, and a Fisher-Yates shuffle from the end.
"""

import hashlib
import hmac
from collections.abc import Callable
from itertools import chain, count
from struct import unpack

from server.core.packets.packet import Terms

SEED_BYTES = 32
LABEL = b"redrain.split.v1"
WORD_BITS = 32
ONE_WORD, TWO_WORDS = 1 << WORD_BITS, 1 << 2 * WORD_BITS


class NoSuchShares(Exception):  # noqa: N818 - terms that nothing meets
    """The terms have no solution; the text says why."""


def shares_of(terms: Terms, seed: bytes) -> list[int]:
    """Return the amounts in fen that these terms and this seed make, in the order of granting. Raises NoSuchShares."""
    shares, total_fen = terms.share_count, terms.total_fen
    least, most = terms.min_share_fen, terms.max_share_fen
    if shares < 1 or least < 0 or not shares * least <= total_fen <= shares * most:
        raise NoSuchShares(f"{shares} shares of {least} to {most} fen cannot make {total_fen}")
    if least == most:
        return [least] * shares
    below = _numbers(seed)
    over = []  # what each share has above the least one
    rest, room = total_fen - shares * least, most - least
    for parts in range(shares, 1, -1):  # from nothing to twice the mean, both ends moved in alike to fit the room
        twice, odd = divmod(2 * rest, parts)
        if odd and below(parts) < odd:  # twice the mean is not whole: up in proportion to its fraction
            twice += 1
        drawn = below(twice + 1) if twice <= room else twice - room + below(2 * room - twice + 1)
        over.append(drawn)
        rest -= drawn
    over.append(rest)
    for place in range(shares - 1, 0, -1):
        partner = below(place + 1)
        over[place], over[partner] = over[partner], over[place]
    return [least + fen for fen in over]


def commitment_of(terms: Terms, seed: bytes) -> str:
    """Return the hash that the server must have published before the window opened."""
    bounds = f"{terms.min_share_fen}:{terms.max_share_fen}"
    line = f"{LABEL.decode()}:{terms.denomination}:{terms.share_count}:{terms.total_fen}:{bounds}:{seed.hex()}"
    return hashlib.sha256(line.encode("ascii")).hexdigest()


def _numbers(seed: bytes) -> Callable[[int], int]:
    """Return a function of n: numbers below it, each equally likely, at one word each, or two if n is over 2**32."""
    word = chain.from_iterable(map(_words_of(seed), count())).__next__

    def below(n: int) -> int:
        if n <= ONE_WORD:
            while (number := word()) >= ONE_WORD - ONE_WORD % n:
                pass
            return number % n
        while (number := word() << WORD_BITS | word()) >= TWO_WORDS - TWO_WORDS % n:
            pass
        return number % n

    return below


def _words_of(seed: bytes) -> Callable[[int], tuple[int, ...]]:
    """Return a function of a block's number: its eight words."""

    def words(block: int) -> tuple[int, ...]:
        return unpack(">8I", hmac.digest(seed, LABEL + block.to_bytes(8, "big"), "sha256"))

    return words
