"""How many shares are left follows from the journal, edition by edition."""

from loadtest.verdict.audit.case import cases_of
from loadtest.verdict.audit.circumstances import room_times
from loadtest.verdict.audit.shares_left import SharesLeft, shares_left
from tests.loadtest.written_run import NS_PER_MS, T0_NS, WrittenRun, a_run


def _left(run: WrittenRun) -> SharesLeft | None:
    books, history = run.read()
    times = room_times(history, books.clock)
    assert times is not None
    return shares_left(next(cases_of(books, history)), times)


def test_shares_go_one_batch_after_another_and_end_with_the_sweep() -> None:
    """Before the first all are there, afterwards none."""
    run = a_run(share_count=40)
    left = _left(run)
    assert left is not None
    batches = [len(entry["claims"]) for entry in run.of("journal", movement="claim", packet_id="c1.p0")]
    assert left.left == [*(40 - sum(batches[:count]) for count in range(len(batches) + 1)), 0]
    first = left.at_ns[1]
    assert left.between(T0_NS, first - 1) == [40]
    assert left.between(first - 1, first) == [40, 40 - batches[0]]
    assert left.between(left.at_ns[-1] + 5, left.at_ns[-1] + 9) == [0]


def test_an_edit_changes_how_many_there_are() -> None:
    """From its instant on, added shares that still wait included."""
    run = a_run(share_count=40)
    packet, fund = run.of("packet")[0], run.of("journal", movement="fund")[0]
    edition = {"first_index": 0, "share_count": 40, "total_fen": 1, "commitment": None, "seed": None}
    packet["editions"] = [
        {"edition": 1, **edition},
        {"edition": 2, **edition, "first_index": 40, "share_count": 10},
        {"edition": 3, **edition, "first_index": 45, "share_count": 0},
    ]
    at = run.books.index(fund) + 1
    edits = [
        fund | {"movement": "edit", "edition": 2, "at_ms": 10},
        fund | {"movement": "trim", "edition": 3, "at_ms": 20},
    ]
    run.books[at:at] = edits
    left = _left(run)
    assert left is not None
    assert left.left[:3] == [40, 50, 45]
    assert left.between(T0_NS + 9 * NS_PER_MS, T0_NS + 20 * NS_PER_MS) == [40, 50, 45]


def test_a_journal_whose_start_was_retired_says_nothing() -> None:
    """Its claims are fewer than the packet has given."""
    run = a_run()
    run.drop(run.of("journal", movement="claim")[0])
    assert _left(run) is None


def test_only_the_default_allocator_is_exact() -> None:
    """Another one writes its shares down later, so any number in between may have been read."""
    run = a_run(share_count=40, viewers=60)
    exact = _left(run)
    run.of("packet")[0]["allocator"] = "naive"
    loose = _left(run)
    assert exact is not None
    assert loose is not None
    span = (T0_NS, exact.at_ns[-1] - 1)
    between = next(count for count in range(exact.left[-2], 40) if count not in exact.left)
    for count, right in ((40, (True, True)), (between, (False, True)), (41, (False, False)), (None, (False, False))):
        assert (exact.allows(count, *span), loose.allows(count, *span)) == right
