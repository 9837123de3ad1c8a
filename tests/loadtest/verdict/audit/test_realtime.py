"""A7: claims lie in their window, and nothing happens before what caused it."""

import pytest

from tests.loadtest.written_run import Line, WrittenRun, a_run


def _batches(run: WrittenRun) -> list[Line]:
    return run.of("journal", movement="claim", packet_id="c1.p0")


def without_clock(run: WrittenRun) -> WrittenRun:
    """Take the audience's reading of the room clock away, so that only the books say when something was."""
    run.history = [line for line in run.history if line["kind"] != "reading"]
    return run


@pytest.mark.parametrize(
    ("edge", "offset_ms", "broken"),
    [
        ("grab_at_ms", -1, {"A7"}),
        ("grab_at_ms", 0, set()),
        ("claim_end_at_ms", -1, set()),
        ("claim_end_at_ms", 0, {"A7"}),
    ],
)
def test_the_window_is_half_open(edge: str, offset_ms: int, broken: set[str]) -> None:
    """The first millisecond belongs to the window, the last does not."""
    run = without_clock(a_run())
    _batches(run)[0]["at_ms"] = run.of("packet")[0][edge] + offset_ms

    assert run.broken() == broken


def test_a_claim_of_a_packet_that_was_never_launched_is_a7() -> None:
    """Without a window no share can be given."""
    run = a_run()
    run.of("packet")[0].update(warmup_at_ms=None, grab_at_ms=None, claim_end_at_ms=None)

    assert run.broken() == {"A7"}


def test_a_claim_after_the_sweep_is_a7() -> None:
    """No share is given after it was returned."""
    run = a_run(share_count=40)
    batch, (sweep,) = _batches(run)[-1], run.of("journal", movement="sweep", packet_id="c1.p0")
    run.books.remove(batch)
    run.books.insert(run.books.index(sweep) + 1, batch)

    assert run.broken() == {"A7"}


def test_a_sweep_before_the_end_is_a7() -> None:
    """The rest goes back once the window is over, not before."""
    run = a_run()
    run.of("journal", movement="sweep")[0]["at_ms"] = run.of("packet")[0]["claim_end_at_ms"] - 1

    assert run.broken() == {"A7"}


def test_exhausted_before_the_last_share_was_tapped_for_is_a7() -> None:
    """Nobody can know that nothing is left while the last winner has not tapped yet."""
    run = a_run(viewers=20)
    last = max(run.of("claim", packet_id="c1.p0"), key=lambda claim: int(claim["index"]))
    taps = run.of("grab", request_id=last["request_id"])
    refused = run.of("grab", packet="c1.p0", status="exhausted")[0]
    refused["t_sent"] = refused["t_intended"] = taps[0]["t_sent"] - 10
    refused["t_reply"] = taps[0]["t_sent"] - 1

    assert run.broken() == {"A7"}


def test_a_later_tap_that_gets_an_earlier_share_is_a7() -> None:
    """Whoever had its receipt before another tapped has the lower index; both are shown."""
    run = without_clock(a_run())
    claims = sorted(run.of("claim", packet_id="c1.p0"), key=lambda claim: int(claim["index"]))
    first, last = claims[0], claims[-1]
    told = run.of("grab", viewer=last["viewer_id"], packet="c1.p0", type="ok")
    before_all = min(grab["t_sent"] for grab in run.of("grab", request_id=first["request_id"]))
    for grab in run.of("grab", request_id=last["request_id"]):
        grab["t_sent"] = grab["t_intended"] = before_all - 100
    told[0]["t_reply"] = before_all - 1

    (found,) = run.audit()

    assert found.invariant == "A7"
    told_before, claim = found.evidence
    assert told_before["index"] == last["index"] > claim["index"]
    assert told_before["t_reply"] < claim["t_sent"]


@pytest.mark.parametrize(
    ("off_ms", "says"), [(-300, "before its owner tapped"), (300, "after its owner had the receipt")]
)
def test_a_share_with_a_false_date_is_a7(off_ms: int, says: str) -> None:
    """The window is judged by dates, so these are held against the audience's clock."""
    run = a_run(viewers=40, share_count=80)
    batch = _batches(run)[len(_batches(run)) // 2]
    batch["at_ms"] += off_ms // 10
    assert run.broken() == set()
    batch["at_ms"] += off_ms
    assert run.broken() == {"A7"}
    assert any(says in violation.detail for violation in run.audit())


@pytest.mark.parametrize(("allocator", "broken"), [("default", {"A7"}), ("mine:InOrder", set())])
def test_a_date_counts_from_the_first_tap_that_was_answered_with_the_share(allocator: str, broken: set[str]) -> None:
    """A user's allocator reads the time, and asks its keys later: a second tap may have won the share in between."""
    run = a_run(viewers=40, share_count=80)
    run.of("packet")[0]["allocator"] = allocator
    batch = _batches(run)[len(_batches(run)) // 2]
    for viewer, _, _, request in batch["claims"]:
        (won,) = run.of("grab", packet="c1.p0", viewer=viewer, request_id=request)
        early = {**won, "i": 9_999, "request_id": f"{request}-early", "status": "repeated", "again": False}
        for stamp in ("t_intended", "t_sent"):
            early[stamp] -= 100_000_000
        run.history.insert(run.history.index(won), early)
        run.history[-1]["grabs"] += 1
    batch["at_ms"] -= 100

    assert run.broken() == broken
