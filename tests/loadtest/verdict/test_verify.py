"""Verification: the shares of the revealed seed beside those of the books."""

import pytest

from loadtest.record.books import PacketRecord
from loadtest.verdict.verify import Verification, verify_packet
from tests.loadtest.written_run import WrittenRun, a_run


def _verified(run: WrittenRun) -> Verification:
    books, _ = run.read()
    packet: PacketRecord = next(iter(books.packets.values()))
    return verify_packet(packet, books.claims[packet.packet_id], books.left[packet.packet_id])


@pytest.mark.parametrize("share_count", [1, 6, 40])
def test_untouched_books_are_verified(share_count: int) -> None:
    """The seed gives back exactly the shares that were handed out and went back."""
    run = a_run(share_count=share_count)

    verified = _verified(run)

    given = [claim["amount_fen"] for claim in run.of("claim", packet_id="c1.p0")]
    assert verified.ok
    assert verified.problems == ()
    assert verified.shares == (*given, *run.of("left")[0]["amounts"])


def test_a_changed_amount_is_named() -> None:
    """Who, which share, what it says and what it should say."""
    run = a_run()
    claim = run.of("claim")[3]
    claim["amount_fen"] += 1

    verified = _verified(run)

    assert not verified.ok
    assert [str(problem) for problem in verified.problems] == [
        f"share 3 of {claim['viewer_id']} is {claim['amount_fen']} fen, "
        f"but was committed to as {claim['amount_fen'] - 1}"
    ]
    assert verified.problems[0].evidence[0]["request_id"] == claim["request_id"]


def test_an_amount_outside_its_bounds_is_named() -> None:
    """The bounds hold also where no seed is known."""
    run = a_run()
    run.of("packet")[0]["seed"] = None
    run.of("packet")[0]["state"] = "launched"
    run.of("claim")[0]["amount_fen"] = 401

    assert [problem.check for problem in _verified(run).problems if problem.check != "count"] == ["bounds"]


@pytest.mark.parametrize(
    ("field", "value", "check"),
    [
        ("seed", "not hexadecimal", "seed"),
        ("seed", "00ff", "seed"),
        ("seed", None, "seed"),
        ("max_share_fen", 6, "terms"),
        ("commitment", "", "commitment"),
    ],
)
def test_a_commitment_that_cannot_be_checked_is_a_problem(field: str, value: object, check: str) -> None:
    """Seed, terms and commitment belong together."""
    run = a_run()
    run.of("packet")[0][field] = value

    verified = _verified(run)

    assert check in {problem.check for problem in verified.problems}


def test_a_rest_of_another_length_is_a_problem() -> None:
    """Given and gone back make up the share count."""
    run = a_run(share_count=40)
    run.of("left")[0]["amounts"].pop()

    assert [problem.check for problem in _verified(run).problems] == ["count"]


def test_a_share_that_does_not_exist_is_a_problem() -> None:
    """An index past the end has no committed amount."""
    run = a_run()
    run.of("claim")[-1]["index"] = run.of("packet")[0]["share_count"]
    run.of("claim", packet_id="c1.p0")[-1]["index"] = 6

    assert {problem.check for problem in _verified(run).problems} == {"no share", "gap"}
