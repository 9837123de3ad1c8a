"""From a folder of a run against somebody else's service to a result, with its books and without them."""

from pathlib import Path
from random import Random

import orjson
import pytest

from loadtest.record.shape import BadRecord
from loadtest.run.judge_run import judge_run
from loadtest.verdict.audit import INVARIANTS
from loadtest.verdict.metrics import METRICS
from tests.loadtest.foreign_run import ForeignRun, a_claim, a_foreign_run, a_grab, a_run_of
from tests.loadtest.judged_foreign_run import judged_foreign, kept_foreign
from tests.loadtest.run.test_judge_run import PROMISED, _demanding

GIVEN = [a_grab(f"v{at}", "granted", 1_100 + at, claim_id=f"c{at}", amount_fen=100) for at in range(3)]


@pytest.mark.parametrize("books", [False, True])
def test_a_correct_service_passes(books: bool, tmp_path: Path) -> None:
    """Exit 0, with every field a result has, and each invariant told; only books make A4 and A5 checkable."""
    _, result = judged_foreign(a_foreign_run(Random(3), books=books, lost=0.1), tmp_path)
    assert (result["verdict"], result["exit_code"], result["violations"]) == ("pass", 0, [])
    assert set(PROMISED.split()) | METRICS.keys() <= set(result)
    assert result["target"] == "http"
    outcomes = {one["invariant"]: one["outcome"] for one in result["invariants"]}
    assert list(outcomes) == list(INVARIANTS)
    assert outcomes["A1"] == "pass"
    assert (outcomes["A4"], outcomes["A5"]) == (("pass", "pass") if books else ("not_checkable", "not_checkable"))
    assert all(one["why"] for one in result["invariants"] if one["outcome"] == "not_checkable")
    assert (result["issued_fen"] is None, result["lost_acks"] is None) == (not books, not books)


@pytest.mark.parametrize("books", [False, True])
@pytest.mark.parametrize(("flaw", "named", "shares"), [("one too many", "A1", 6), ("no repeat check", "A3", 20)])
def test_a_flawed_service_fails(flaw: str, named: str, shares: int, books: bool, tmp_path: Path) -> None:
    """Exit 10 that names the invariant with two receipts, and the result can be written down."""
    run = a_foreign_run(Random(2), flaw=flaw, viewers=30, share_count=shares, books=books, lost=0.05)
    result = orjson.loads(orjson.dumps(judged_foreign(run, tmp_path)[1]))
    assert (result["verdict"], result["exit_code"], result["reasons"]) == ("fail", 10, ["invariant"])
    found = next(one for one in result["violations"] if one["invariant"] == named)
    assert [record["kind"] for record in found["evidence"][:2]] == ["grab", "grab"]
    assert "violated" in {one["outcome"] for one in result["invariants"] if one["invariant"] == named}


def test_only_books_show_a_lost_acknowledgement(tmp_path: Path) -> None:
    """The same history passes without books, and fails with books that forgot a share."""
    run = a_run_of(*GIVEN)
    (tmp_path / "without").mkdir()
    assert judged_foreign(run, tmp_path / "without")[1]["exit_code"] == 0
    run.claims = [a_claim("v0", claim_id="c0"), a_claim("v1", claim_id="c1")]
    result = judged_foreign(run, tmp_path)[1]
    assert (result["exit_code"], result["lost_acks"]) == (10, 1)
    assert {one["invariant"] for one in result["violations"]} == {"A5"}


@pytest.mark.parametrize(
    "run",
    [
        a_run_of(),
        a_run_of(a_grab("v1", None)),
        a_run_of(a_grab("v1", "too_early", 900), a_grab("v2", "not_found")),
        ForeignRun(),
    ],
)
def test_a_run_in_which_nothing_was_given_is_vacuous(run: ForeignRun, tmp_path: Path) -> None:
    """Nobody tapped, nobody was answered, or nobody won: that proves nothing."""
    _, result = judged_foreign(run, tmp_path)
    assert (result["verdict"], result["exit_code"], result["reasons"]) == ("unknown", 20, ["vacuous"])


def test_a_threshold_on_what_is_not_known_is_not_met(tmp_path: Path) -> None:
    """Without books nobody knows how many acknowledgements were lost: the run is unknown, not green."""
    limits = 'lost_acks = ["value == 0"]\nfanout_skew_ms = ["p(99) < 20"]\nduplicate_claims = ["value == 0"]'
    result = judge_run(_demanding(kept_foreign(a_run_of(*GIVEN), tmp_path), thresholds=limits))
    assert [one["met"] for one in result["thresholds"]] == [None, None, True]
    assert [one["value"] for one in result["thresholds"]] == [None, None, 0]
    assert (result["verdict"], result["exit_code"], result["reasons"]) == ("unknown", 20, ["not_verified"])


def test_what_must_have_happened_is_counted_without_books(tmp_path: Path) -> None:
    """Events in receipts are counted; events that only our own books show count 0."""
    told = [a_grab("v8", "exhausted", 1_102), a_grab("v0", "repeated", 1_200, request_id="r2", claim_id="c0")]
    folder = kept_foreign(a_run_of(*GIVEN, *told), tmp_path)
    wanted = '"sold_out_seen", "repeat_seen", "race_for_last_share"'
    assert judge_run(_demanding(folder, sometimes=wanted))["sometimes"] == dict.fromkeys(
        ["sold_out_seen", "repeat_seen", "race_for_last_share"], 1
    )
    result = judge_run(_demanding(folder, sometimes='"repeat_seen", "swept_with_escrow"'))
    assert (result["sometimes"]["swept_with_escrow"], result["reasons"]) == (0, ["vacuous"])


def test_a_broken_declaration_or_claim_is_refused(tmp_path: Path) -> None:
    """Half a record proves nothing."""
    folder = kept_foreign(a_run_of(*GIVEN, claims=[]), tmp_path)
    folder.claims.write_bytes(b"")
    with pytest.raises(BadRecord, match="cut off"):
        judge_run(folder)
    with pytest.raises(BadRecord, match="share_count"):
        judge_run(kept_foreign(ForeignRun([{"packet_id": "p1"}]), tmp_path))


def test_a_part_of_a_foreign_run_is_judged_by_its_own_receipts(tmp_path: Path) -> None:
    """Packets have their ids for names, and one room; what nobody measures stays unknown in a part as well."""
    grabs = [*GIVEN, a_grab("v9", "granted", 1_400, 1_490, index=2, request_id="r9", behaviour="bot")]
    limits = (
        '"granted{behaviour:bot}" = ["value == 1"]\n"grab_latency_ms{behaviour:bot}" = ["med == 90"]\n'
        '"grabs{packet:p1, phase:open}" = ["value == grabs"]\n"lost_acks{packet:p1}" = ["value == 0"]'
    )
    result = judge_run(_demanding(kept_foreign(a_run_of(*grabs), tmp_path), thresholds=limits))
    assert [one["met"] for one in result["thresholds"]] == [True, True, True, None]
