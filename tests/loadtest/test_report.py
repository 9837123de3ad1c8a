"""The page of a run: what stands in it, what cannot get into it, and that it needs nothing else."""

import re
from html.parser import HTMLParser
from pathlib import Path
from random import Random

import orjson
import pytest

from loadtest.report import write_report
from loadtest.report.gate_view import gate_sentence, left_out_of
from loadtest.report.page import PAGE_BYTES_MAX
from loadtest.report.wording import headline
from tests.loadtest.foreign_run import a_foreign_run, a_grab, a_run_of
from tests.loadtest.judged_foreign_run import judged_foreign
from tests.loadtest.judged_run import judged
from tests.loadtest.report.gate_kinds import GATES
from tests.loadtest.verdict.audit.test_money import a_run_with_withdrawals
from tests.loadtest.written_run import Line, WrittenRun, a_run

EVIL = "<script>alert(1)</script>"


class Page(HTMLParser):
    """A page as a browser reads it: visible text, scripts, and every attribute that could fetch something."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.text = ""
        self.scripts: list[str] = []
        self.styles = ""
        self.fetched: list[str] = []
        self._inside = ""
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        if tag == "script":
            self.scripts.append("")
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href", "action", "data", "srcset")]

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside == "style":
            self.styles += data
        else:
            self.text += data

    @property
    def figures(self) -> list[Line]:
        """Return the figures that the page draws."""
        drawn: list[Line] = orjson.loads(self.scripts[1])
        return drawn


def page_of(run: WrittenRun, path: Path, *, happenings: list[Line] | None = None, **changed: object) -> Page:
    folder, result = judged(run, path, happenings=happenings)
    return Page(write_report(folder, {**result, **changed}))


def test_a_pass_says_so_in_words(tmp_path: Path) -> None:
    """Verdict, setting and the command that repeats the run come with the page, beside the result."""
    page = page_of(a_run(), tmp_path)
    assert (tmp_path / "report.html").exists()
    assert "PASS" in page.text
    assert "every one agrees with the books to the fen" in page.text
    assert "redrain storm written --seed 1" in page.text
    assert "Counterexamples" not in page.text


def test_every_packet_and_invariant_is_told(tmp_path: Path) -> None:
    """Each packet stands with its id, each invariant with its name, and every plot has data."""
    run = a_run(packets=3, void_last=True)
    page = page_of(run, tmp_path)
    for packet in run.of("packet"):
        assert packet["packet_id"] in page.text
    for number in range(1, 12):
        assert f"A{number} " in page.text
    assert "voided" in page.text
    assert {"over-time", "spectrum", "claims", "fanout", "money", "shares-0"} <= {each["name"] for each in page.figures}
    assert all(each["traces"] for each in page.figures)


def test_a_failure_shows_its_counterexample(tmp_path: Path) -> None:
    """A run that over-issued fails in words, with the invariant, the sentence and the two owners of one share."""
    folder, result = judged(a_run(flaw="check then act", share_count=30, viewers=80), tmp_path)
    page = Page(write_report(folder, result))
    assert "FAIL" in page.text
    shown = next(each for each in result["violations"] if each["invariant"] == "A8")
    assert shown["detail"] in page.text
    for claim in (record for record in shown["evidence"] if record["kind"] == "claim"):
        assert claim["viewer_id"] in page.text
    assert "over-issued" in page.text


def test_the_page_fetches_nothing(tmp_path: Path) -> None:
    """No attribute, style or script of ours names anything outside the page; a policy forbids it besides."""
    page = page_of(a_run(flaw="one too many"), tmp_path)
    assert [each for each in page.fetched if not each.startswith(("#", "data:"))] == []
    assert re.findall(r"url\(|@import|@font-face", page.styles) == []
    _, figures, ours = page.scripts
    assert re.findall(r"https?://", figures + ours) == []
    assert "default-src 'none'" in (tmp_path / "report.html").read_text("utf-8")


@pytest.mark.parametrize("place", ["name", "room_id"])
def test_what_people_type_stays_text(tmp_path: Path, place: str) -> None:
    """A packet or room that is called like a script is shown as that text, in tables and in plots."""
    run = a_run()
    for packet in run.of("packet"):
        packet[place] = EVIL
    happening = {"at_ms": 0, "action": "launch", "packet_name": EVIL, "packet_id": "", "outcome": EVIL}
    page = page_of(run, tmp_path, happenings=[happening])
    assert len(page.scripts) == 3
    assert EVIL in page.text
    assert EVIL not in (tmp_path / "report.html").read_text("utf-8")


def test_a_crowd_does_not_make_the_page_large(tmp_path: Path) -> None:
    """Some hundred packets and thousands of grabs stay within the limit, because only sums and samples go in."""
    folder, result = judged(a_run(packets=150, share_count=40, viewers=60), tmp_path)
    assert result["grabs"] > 10_000
    assert write_report(folder, result).stat().st_size < PAGE_BYTES_MAX


def test_thresholds_and_sometimes_appear_when_there_are_any(tmp_path: Path) -> None:
    """A missed threshold and a wanted thing that never happened are told; without any the sections are gone."""
    missed = {"metric": "grab_latency_ms", "expression": "p(99) < 50", "value": 61.25, "limit": 50, "met": False}
    unknown = {**missed, "metric": "grabs{room:x}", "value": None, "limit": None, "met": None, "why": "no room is x"}
    seen = {"sold_out_seen": 2, "repeat_seen": 0}
    page = page_of(
        a_run(),
        tmp_path,
        verdict="fail",
        reasons=["threshold", "vacuous"],
        thresholds=[missed, unknown],
        sometimes=seen,
    )
    for text in (
        "p(99) < 50",
        "61.25",
        "missed",
        "grabs{room:x}",
        "no room is x",
        "2 ×",
        "sold out",
        "0 ×",
        "A measured value lies beyond the limit",
    ):
        assert text in page.text
    without = page_of(a_run(), tmp_path)
    assert "Thresholds" not in without.text
    assert "Sometimes" not in without.text


def test_happenings_come_in_order_with_their_rule(tmp_path: Path) -> None:
    """Creators' actions, journal entries and received messages form one list; a refusal names its rule."""
    refused = {
        "at_ms": 0, "action": "launch", "packet_name": "third", "packet_id": "", "outcome": "refused",
        "rule": "DY-LAU-3", "room_ms": 1_500,
    }  # fmt: skip
    page = page_of(a_run(packets=2, void_last=True), tmp_path, happenings=[refused])
    told = [page.text.index(text) for text in ("recharges", "DY-LAU-3", "the grab window opens", "voided, everything")]
    assert told == sorted(told)


def test_a_run_without_grabs_still_has_a_page(tmp_path: Path) -> None:
    """Nobody tapped: there is a verdict, and no empty plot of taps."""
    run = a_run(packets=1, void_last=True)
    page = page_of(run, tmp_path)
    assert "No share of a random packet was won" in page.text
    assert "spectrum" not in {each["name"] for each in page.figures}


def test_the_headline_names_what_is_broken() -> None:
    """One sentence carries the verdict: which invariants, or how much was proven."""
    broken = {"verdict": "fail", "violations": [{"invariant": "A1"}, {"invariant": "A8"}, {"invariant": "A8"}]}
    assert headline(broken) == "2 of 13 invariants are broken: A1 and A8."
    unknown = {"verdict": "unknown", "violations": [], "granted": 0, "grabs": 0}
    assert headline(unknown) == "The run cannot tell whether the server is correct."
    void = {**unknown, "reasons": ["void"], "validity": {"notes": ["the loop was late"]}, "machine": None}
    assert headline(void) == "How long things took cannot be judged: the loop was late."
    busy = {**void, "machine": {"void": True, "note": "others were busy"}}
    assert headline(busy) == "How long things took cannot be judged: others were busy."


@pytest.mark.parametrize("kind", GATES)
def test_a_gate_shows_its_comparison(kind: str, tmp_path: Path) -> None:
    """The verdict and why in a sentence, counters, pairs, what was left out, and the command that repeats it."""
    changed, part = GATES[kind]
    flaw = "check then act" if kind == "invariant" else ""
    page = page_of(a_run(packets=3, flaw=flaw, share_count=30, viewers=80), tmp_path, **changed, gate=part)
    result = {**changed, "gate": part, "violations": [], "thresholds": []}
    drawn = {figure["name"] for figure in page.figures}
    for told in (
        gate_sentence(result),
        "redrain storm written --seed 1",
        *(each["title"] for each in part["counters"]),
    ):
        assert told in page.text
    if kind == "invariant":
        assert "the comparison: an invariant is violated, which decides alone" in page.text
        assert "Milliseconds from the opening of the packet" in page.text
    else:
        assert all(told in page.text for told in left_out_of(result))
    assert ("pairs-cpu-us-per-grab" in drawn) == ("yardstick" in drawn) == (part["comparison"] is not None)
    assert not [url for url in page.fetched if not url.startswith(("#", "data:"))]


def test_fees_and_withdrawals_are_told(tmp_path: Path) -> None:
    """The happenings show the fee, and withdrawals requested, paid and returned."""
    text = page_of(a_run_with_withdrawals(), tmp_path).text
    for told in ("recharges 10,000 fen and pays a fee of 100", "asks for 400", "is paid 400", "gets back 300"):
        assert f"c1 {told}" in text


@pytest.mark.parametrize("books", [False, True])
def test_a_foreign_run_has_a_page(books: bool, tmp_path: Path) -> None:
    """Its declared packets, outcomes and latencies are there; what needs our books is left out, and it says so."""
    run = a_foreign_run(Random(3), books=books, lost=0.1)
    folder, result = judged_foreign(run, tmp_path)
    page = Page(write_report(folder, result))
    for told in ("PASS", "p1", "target", "http", "6 of 6", "not checkable", "shows no journal, no wallets and no"):
        assert told in page.text
    assert ("the service gave no books" in page.text) != books
    assert ("claims.jsonl" in page.text) == books
    assert {"over-time", "spectrum"} == {each["name"] for each in page.figures}
    assert "in escrow" not in page.text


def test_a_foreign_failure_shows_both_receipts(tmp_path: Path) -> None:
    """Two viewers, their claim ids and the declaration, in tables; what is not known is no zero."""
    grabs = [a_grab(f"v{at}", "granted", 1_100 + at, claim_id=f"c-{at}") for at in range(4)]
    folder, result = judged_foreign(a_run_of(*grabs), tmp_path)
    page = Page(write_report(folder, result))
    for told in ("FAIL", "over-issued", "c-2", "c-3", "the packet as the scenario describes it", "not known"):
        assert told in page.text


def test_a_foreign_run_without_grabs_has_a_page(tmp_path: Path) -> None:
    """Nothing was measured, and the page can say so."""
    folder, result = judged_foreign(a_run_of(opens_ns=None), tmp_path)
    assert "UNKNOWN" in Page(write_report(folder, result)).text
