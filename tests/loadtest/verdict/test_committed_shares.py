"""The judge's own split gives what the server's gives, and a server whose split is wrong does not explain itself."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtest.verdict.committed_shares import NoSuchShares, commitment_of, shares_of
from server.core.packets import split as servers
from server.core.packets.packet import Denomination, Terms
from tests.loadtest import written_run


@st.composite
def terms(draw: st.DrawFn) -> Terms:
    """Return any terms that have a solution: small and large sums, and bounds that bind on either side."""
    count = draw(st.integers(1, 60))
    least = draw(st.integers(0, 500))
    most = least + draw(st.one_of(st.integers(0, 50), st.integers(0, 2**40)))
    total = draw(st.integers(count * least, count * most))
    return Terms(Denomination.RANDOM, count, total, least, most)


@settings(max_examples=300, deadline=None)
@given(terms=terms(), seed=st.binary(min_size=32, max_size=32))
def test_two_implementations_of_one_description_agree(terms: Terms, seed: bytes) -> None:
    """Shares and commitment, for whatever terms and seed."""
    assert shares_of(terms, seed) == servers.split(terms, seed)
    assert commitment_of(terms, seed) == servers.commitment(terms, seed)


def test_terms_without_a_solution_are_refused() -> None:
    """Nothing is made up for them."""
    with pytest.raises(NoSuchShares, match="3 shares of 10 to 20 fen cannot make 61"):
        shares_of(Terms(Denomination.RANDOM, 3, 61, 10, 20), bytes(32))


def test_a_split_that_is_not_shuffled_is_a8(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its sums and bounds are right, and the server's own split would agree with itself."""
    monkeypatch.setattr(servers, "_shuffle", lambda shares, below: None)
    assert written_run.a_run().broken() == {"A8"}
