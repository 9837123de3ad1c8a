"""
Split a packet into random shares that sum exactly and keep their bounds, from a seed that is revealed afterwards.

**Drawing.** Shares are drawn one after another, each uniformly from an interval around the mean of what is left: the
customary "double mean", from nothing to twice the mean. Where that would leave the bounds, both ends of the interval
move in by the same amount, so that the expectation of a draw is always the mean of what is left, also when the maximum
binds, and what remains can always be cut within the bounds. Twice the mean is seldom whole: it is rounded up or down at
random, in proportion to its fraction, which keeps the expectation exact in integers. The shuffle then makes every
position alike.

**Randomness.** A stream of 32-bit words: block number n (from 0) is HMAC-SHA256 with the seed as key over the ASCII
text ``redrain.split.v1`` and n in 8 bytes; it yields 8 words; all integers are big-endian. A number below n takes one
word, or two (the first is the upper half) if n is over 2**32; words from the largest multiple of n upwards are thrown
away; the number is the remainder by n. Anybody with the seed can repeat the split in any language.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterator
from itertools import count
from struct import Struct

from server.core.money.money import FEN_MAX
from server.core.packets.packet import Denomination, Terms
from server.core.refusal import Refused, RuleId
from server.core.rulebooks.rulebook import Rulebook

SEED_BYTES = 32
VERSION = "redrain.split.v1"
_WORD = 2**32
_WORDS_OF_BLOCK = Struct(">8I")


def split(terms: Terms, seed: bytes) -> list[int]:
    """
    Split a packet's sum into its shares: a list of ``share_count`` amounts in fen, in the order of granting.

    *seed* is 32 bytes; equal terms and seed give equal shares. Raises Refused if no such shares exist (ALL-CRE-2).
    """
    assert len(seed) == SEED_BYTES
    _check_feasible(terms, RuleId("ALL-CRE-2"))  # no platform's: check_terms came before

    if terms.min_share_fen == terms.max_share_fen:
        shares = [terms.min_share_fen] * terms.share_count
    else:
        below = _numbers_below(seed)
        shares = _drawn(terms, below)
        _shuffle(shares, below)

    assert len(shares) == terms.share_count
    assert sum(shares) == terms.total_fen
    assert min(shares) >= terms.min_share_fen
    assert max(shares) <= terms.max_share_fen
    return shares


def commitment(terms: Terms, seed: bytes) -> str:
    """
    Return the commitment published before the window opens, so that nobody can change the shares afterwards.

    It is the hexadecimal SHA-256 of one line of ASCII without a line end: version, denomination, share count, total,
    smallest and largest share in fen, and the seed in lower-case hexadecimal, joined by colons, as in
    ``redrain.split.v1:random:10:1000:1:200:00ff...``. Any ``sha256sum`` can check it.
    """
    assert len(seed) == SEED_BYTES
    promised = (
        VERSION,
        terms.denomination,
        terms.share_count,
        terms.total_fen,
        terms.min_share_fen,
        terms.max_share_fen,
        seed.hex(),
    )
    return hashlib.sha256(":".join(map(str, promised)).encode("ascii")).hexdigest()


def check_terms(terms: Terms, rulebook: Rulebook) -> None:
    """Raise Refused, with field and rule, if a platform does not allow these terms (ALL-CRE-1, ALL-CRE-2)."""
    _check_range(rulebook, "share_count", terms.share_count, 1, rulebook.share_count_max)
    _check_range(rulebook, "min_share_fen", terms.min_share_fen, rulebook.min_share_fen, rulebook.max_share_fen)
    _check_range(rulebook, "max_share_fen", terms.max_share_fen, terms.min_share_fen, rulebook.max_share_fen)
    _check_range(rulebook, "total_fen", terms.total_fen, 1, FEN_MAX)
    if terms.denomination is Denomination.FIXED and terms.min_share_fen != terms.max_share_fen:
        raise Refused(
            "out_of_range",
            f"must equal min_share_fen, {terms.min_share_fen}, in a fixed denomination",
            field="max_share_fen",
            rule=rulebook.rule("ALL-CRE-1"),
        )
    _check_feasible(terms, rulebook.rule("ALL-CRE-2"))


def _check_range(rulebook: Rulebook, field: str, value: int, lowest: int, highest: int) -> None:
    if not lowest <= value <= highest:
        raise Refused(
            "out_of_range", f"must be from {lowest} to {highest}", field=field, rule=rulebook.rule("ALL-CRE-1")
        )


def _check_feasible(terms: Terms, rule: RuleId) -> None:
    lowest, highest = terms.share_count * terms.min_share_fen, terms.share_count * terms.max_share_fen
    if terms.share_count < 1 or terms.min_share_fen < 0 or not lowest <= terms.total_fen <= highest:
        raise Refused(
            "infeasible_denomination",
            f"{terms.share_count} shares of {terms.min_share_fen} to {terms.max_share_fen} fen "
            f"make {lowest} to {highest} fen, not {terms.total_fen}",
            field="total_fen",
            rule=rule,
        )


def _drawn(terms: Terms, below: Callable[[int], int]) -> list[int]:
    """
    Draw the shares in order, each with the mean of what is left as its expectation.

    Amounts count from the smallest share, so that the bounds are 0 and *width*. Whatever is drawn, the others can
    take what is left: twice the mean is at most all that is left, and (seen from the upper bound, where the interval
    looks the same) at least as much is taken as the others could not hold.
    """
    lowest = terms.min_share_fen
    width = terms.max_share_fen - lowest
    left = terms.total_fen - lowest * terms.share_count
    shares: list[int] = []
    append = shares.append
    for parts in range(terms.share_count, 1, -1):
        double_mean, fraction = divmod(2 * left, parts)
        if fraction and below(parts) < fraction:
            double_mean += 1
        if double_mean <= width:
            amount = below(double_mean + 1)
        else:
            amount = double_mean - width + below(2 * width - double_mean + 1)
        append(lowest + amount)
        left -= amount
    append(lowest + left)
    return shares


def _shuffle(shares: list[int], below: Callable[[int], int]) -> None:
    """Put the shares into a random order, each order equally likely (Fisher and Yates, from the end)."""
    for last in range(len(shares) - 1, 0, -1):
        other = below(last + 1)
        shares[last], shares[other] = shares[other], shares[last]


def _numbers_below(seed: bytes) -> Callable[[int], int]:
    """Return a function that draws a number from 0 to n - 1, each equally likely, from the seed's stream."""
    next_word = _words(seed).__next__

    def below(n: int) -> int:
        if n <= _WORD:
            word = next_word()
            fair = _WORD - _WORD % n
            while word >= fair:
                word = next_word()
            return word % n
        word = next_word() * _WORD + next_word()
        fair = _WORD * _WORD - _WORD * _WORD % n
        while word >= fair:
            word = next_word() * _WORD + next_word()
        return word % n

    return below


def _words(seed: bytes) -> Iterator[int]:
    tag = VERSION.encode("ascii")
    digest, unpack = hmac.digest, _WORDS_OF_BLOCK.unpack
    for block in count():
        yield from unpack(digest(seed, tag + block.to_bytes(8, "big"), "sha256"))
