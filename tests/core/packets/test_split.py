"""The shares of a packet: exact, within bounds, alike at every position, and repeatable by anybody."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from random import Random
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.core.packets.packet import Denomination, Terms
from server.core.packets.split import _drawn, _shuffle, check_terms, commitment, split
from server.core.refusal import Refused
from server.core.rulebooks.platforms import DOUYIN, KUAISHOU, LAB
from server.core.rulebooks.rulebook import Rulebook

T = TypeVar("T")

SEED = bytes(range(32))
TERMS = Terms(Denomination.RANDOM, share_count=10, total_fen=1_000, min_share_fen=1, max_share_fen=200)


def seed_of(number: int) -> bytes:
    return hashlib.sha256(b"%d" % number).digest()


def assert_kept(terms: Terms, shares: list[int]) -> None:
    assert len(shares) == terms.share_count
    assert sum(shares) == terms.total_fen
    assert terms.min_share_fen <= min(shares)
    assert max(shares) <= terms.max_share_fen


@st.composite
def feasible_terms(draw: st.DrawFn) -> Terms:
    """Draw terms with a share count log-uniform up to 2,000, and bounds from tight to very wide."""
    octave = 2 ** draw(st.integers(0, 10))
    share_count = draw(st.integers(octave, min(2 * octave - 1, 2_000)))
    min_share_fen = draw(st.integers(1, 20_000))
    max_share_fen = min_share_fen + draw(st.integers(0, 10)) * 10 ** draw(st.integers(0, 8))
    total_fen = draw(st.integers(share_count * min_share_fen, share_count * max_share_fen))
    denomination = Denomination.FIXED if min_share_fen == max_share_fen else Denomination.RANDOM
    return Terms(denomination, share_count, total_fen, min_share_fen, max_share_fen)


def random_terms(rng: Random) -> Terms:
    """Return feasible terms of the same spread, without a search: a tenth of what drawing and shrinking them costs."""
    share_count = min(2_000, int(2 ** rng.uniform(0, 11)))
    min_share_fen = rng.choice([1, rng.randint(1, 20_000)])
    max_share_fen = min_share_fen + rng.randint(0, 10) * 10 ** rng.randint(0, 8)
    lowest, highest = share_count * min_share_fen, share_count * max_share_fen
    total_fen = rng.choice([lowest, highest, *(rng.randint(lowest, highest) for _ in range(8))])
    denomination = Denomination.FIXED if min_share_fen == max_share_fen else Denomination.RANDOM
    return Terms(denomination, share_count, total_fen, min_share_fen, max_share_fen)


@settings(
    max_examples=2_000, deadline=None, database=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
@given(feasible_terms(), st.integers(0, 2**64))
def test_shares_sum_exactly_and_keep_their_bounds(terms: Terms, number: int) -> None:
    """Count, sum and bounds are exact for whatever terms are feasible."""
    assert_kept(terms, split(terms, seed_of(number)))


def test_shares_of_18_000_random_terms_keep_their_bounds() -> None:
    """Count, sum and bounds are exact at the edges of what is feasible and anywhere between."""
    rng = Random(18_000)
    for number in range(18_000):
        terms = random_terms(rng)
        assert_kept(terms, split(terms, seed_of(number)))


@pytest.mark.parametrize("number", range(20))
def test_a_hundred_thousand_shares_keep_their_terms(number: int) -> None:
    """Large packets keep their terms too, wherever between the bounds the mean lies."""
    rng = Random(number)
    least, most = rng.randint(1, 100), rng.randint(100, 20_000)
    total_fen = rng.randint(100_000 * least, 100_000 * most)
    terms = Terms(Denomination.RANDOM, 100_000, total_fen, least, most)
    assert_kept(terms, split(terms, seed_of(number)))


@pytest.mark.parametrize("total_fen", [56, 500, 5_000, 9_700])
def test_every_position_has_the_same_mean(total_fen: int) -> None:
    """Over 2,000 seeds the means of 50 positions scatter as chance has it, whether a bound binds or none."""
    terms = Terms(Denomination.RANDOM, 50, total_fen, 1, 200)
    runs = [split(terms, seed_of(number)) for number in range(2_000)]
    mean = total_fen / 50
    variance = sum((share - mean) ** 2 for run in runs for share in run) / (50 * len(runs))
    position_means = [sum(column) / len(runs) for column in zip(*runs, strict=True)]
    # The sum is fixed, which takes one degree of freedom: 49 are left, and stretches the variance by 50 / 49.
    chi_square = sum((m - mean) ** 2 for m in position_means) * len(runs) / (variance * 50 / 49)
    assert 23.98 < chi_square < 85.35  # 0.1 % of fair shuffles fall below, 0.1 % above


def outcomes(procedure: Callable[[Callable[[int], int]], T]) -> Iterator[tuple[T, Fraction]]:
    """Run *procedure* once for every sequence of numbers it may draw, and tell how likely that was."""
    open_ends: list[list[int]] = [[]]
    while open_ends:
        prefix = open_ends.pop()
        drawn: list[int] = []
        chances: list[int] = []

        def below(n: int, prefix: list[int] = prefix, drawn: list[int] = drawn, chances: list[int] = chances) -> int:
            number = prefix[len(drawn)] if len(drawn) < len(prefix) else 0
            if len(drawn) >= len(prefix):
                open_ends.extend([*drawn, other] for other in range(1, n))
            drawn.append(number)
            chances.append(n)
            return number

        outcome = procedure(below)
        chance = Fraction(1)
        for n in chances:
            chance /= n
        yield outcome, chance


SMALL_TERMS = [
    Terms(Denomination.RANDOM, share_count, total_fen, 2, 2 + width)
    for share_count in (1, 2, 3, 4)
    for width in (1, 2, 3, 5)
    for total_fen in range(2 * share_count, (2 + width) * share_count + 1)
]


@pytest.mark.parametrize("terms", SMALL_TERMS, ids=lambda terms: f"{terms.share_count}x{terms.total_fen}")
def test_a_draw_expects_the_mean_of_what_is_left(terms: Terms) -> None:
    """Over all numbers that could be drawn, every share's expectation is exactly the mean, before any shuffle."""
    expected = [Fraction(0)] * terms.share_count
    for shares, chance in outcomes(lambda below: _drawn(terms, below)):
        assert_kept(terms, shares)
        expected = [e + chance * share for e, share in zip(expected, shares, strict=True)]
    assert expected == [Fraction(terms.total_fen, terms.share_count)] * terms.share_count


def test_every_order_is_equally_likely() -> None:
    """The shuffle reaches each of the 24 orders of four shares with the same chance."""

    def shuffled(below: Callable[[int], int]) -> tuple[int, ...]:
        shares = [1, 2, 3, 4]
        _shuffle(shares, below)
        return tuple(shares)

    orders: Counter[tuple[int, ...]] = Counter()
    for order, chance in outcomes(shuffled):
        assert chance == Fraction(1, 24)
        orders[order] += 1
    assert len(orders) == 24
    assert set(orders.values()) == {1}


@pytest.mark.rule("DY-CRE-2")
def test_random_shares_differ() -> None:
    """A random denomination is not a fixed one in disguise: shares below and above the mean both come."""
    shares = split(replace(TERMS, share_count=1_000, total_fen=100_000), SEED)
    assert len(set(shares)) > 100
    assert min(shares) < 25
    assert max(shares) > 175


@pytest.mark.rule("DY-CRE-2")
def test_a_fixed_denomination_gives_its_face_value() -> None:
    """Every share of a fixed denomination is the same."""
    assert split(Terms(Denomination.FIXED, 4, 2_000, 500, 500), SEED) == [500] * 4


def test_a_seed_gives_the_shares_it_always_gave() -> None:
    """The shares of a published seed never change with a version of ours."""
    assert split(TERMS, SEED) == [178, 33, 49, 32, 100, 56, 175, 140, 96, 141]


def test_large_shares_are_drawn_as_the_stream_says() -> None:
    """A word that would favour some numbers is thrown away, and what does not fit one word takes two."""
    one_word = Terms(Denomination.RANDOM, 6, 6 * 3 * 2**29, 1, 2**33)
    assert split(one_word, SEED) == [1703149298, 2084263748, 8593924, 2015924903, 2654057621, 1197686922]
    two_words = Terms(Denomination.RANDOM, 4, 4 * 10**12, 1, 10**13)
    assert split(two_words, SEED) == [1189159965652, 1526973450714, 1045663936332, 238202647302]


def test_another_seed_gives_other_shares() -> None:
    """Shares follow from the seed, so that two packets of equal terms differ."""
    assert split(TERMS, SEED) == split(TERMS, SEED)
    assert len({tuple(split(TERMS, seed_of(number))) for number in range(100)}) == 100


def test_the_commitment_is_the_hash_of_a_line_anybody_can_write() -> None:
    """A third party computes the published commitment by hand."""
    line = f"redrain.split.v1:random:10:1000:1:200:{SEED.hex()}"
    assert commitment(TERMS, SEED) == hashlib.sha256(line.encode()).hexdigest()


def test_the_commitment_binds_every_term_and_the_seed() -> None:
    """No term and no bit of the seed can change behind a commitment."""
    others = [
        replace(TERMS, denomination=Denomination.FIXED),
        replace(TERMS, share_count=11),
        replace(TERMS, total_fen=1_001),
        replace(TERMS, min_share_fen=2),
        replace(TERMS, max_share_fen=201),
    ]
    commitments = {commitment(terms, SEED) for terms in [TERMS, *others]}
    assert len({*commitments, commitment(TERMS, SEED[:-1] + b"\0")}) == 7


@pytest.mark.rule("ALL-CRE-2")
@pytest.mark.parametrize("change", [{"total_fen": 9}, {"total_fen": 2_001}, {"share_count": 0}])
def test_what_cannot_be_cut_is_refused(change: dict[str, Any]) -> None:
    """Infeasible terms are refused by their rule, by the check and by the split itself."""
    with pytest.raises(Refused) as refused:
        split(replace(TERMS, **change), SEED)
    assert (refused.value.code, refused.value.rule) == ("infeasible_denomination", "ALL-CRE-2")


@pytest.mark.rule("ALL-CRE-2")
@pytest.mark.parametrize("total_fen", [10, 2_000])
def test_the_edges_of_what_can_be_cut_are_allowed(total_fen: int) -> None:
    """A sum that makes every share the smallest, or the largest, is feasible."""
    terms = replace(TERMS, total_fen=total_fen)
    check_terms(terms, LAB)
    assert split(terms, SEED) == [total_fen // 10] * 10


@pytest.mark.rule("ALL-CRE-1")
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"share_count": 0}, "share_count"),
        ({"share_count": 1_000_001}, "share_count"),
        ({"min_share_fen": 0}, "min_share_fen"),
        ({"max_share_fen": 0}, "max_share_fen"),
        ({"max_share_fen": 10**9 + 1}, "max_share_fen"),
        ({"total_fen": 0}, "total_fen"),
        ({"total_fen": 2**53}, "total_fen"),
        ({"denomination": Denomination.FIXED}, "max_share_fen"),
    ],
)
def test_terms_outside_the_rulebook_are_refused_by_field(change: dict[str, Any], field: str) -> None:
    """Each bound of the rulebook refuses with the name of the field that broke it."""
    with pytest.raises(Refused) as refused:
        check_terms(replace(TERMS, **change), LAB)
    assert (refused.value.code, refused.value.field, refused.value.rule) == ("out_of_range", field, "ALL-CRE-1")


@pytest.mark.rule("ALL-CRE-1")
@pytest.mark.parametrize("rulebook", [DOUYIN, KUAISHOU], ids=lambda rulebook: rulebook.platform)
@pytest.mark.parametrize(
    ("inside", "field"),
    [
        (Terms(Denomination.FIXED, 100_000, 100_000, 1, 1), "share_count"),
        (Terms(Denomination.RANDOM, 1, 20_000, 1, 20_000), "max_share_fen"),
        (Terms(Denomination.FIXED, 3, 60_000, 20_000, 20_000), "min_share_fen"),
    ],
)
def test_both_platforms_limits_are_inclusive(rulebook: Rulebook, inside: Terms, field: str) -> None:
    """100,000 shares of 20,000 fen are allowed, one share or one fen more is not."""
    check_terms(inside, rulebook)
    outside = replace(inside, **{field: getattr(inside, field) + 1})
    with pytest.raises(Refused) as refused:
        check_terms(outside, rulebook)
    assert (refused.value.field, refused.value.rule) == (field, "ALL-CRE-1")


def test_the_check_refuses_what_the_split_would() -> None:
    """Infeasible terms within the rulebook are found before anything is created."""
    with pytest.raises(Refused) as refused:
        check_terms(replace(TERMS, total_fen=2_001), LAB)
    assert (refused.value.field, refused.value.rule) == ("total_fen", "ALL-CRE-2")
