"""The terminal shows the verdict first, each number once, and names as they are written."""

import io
from pathlib import Path

from rich.console import Console

from loadtest.run.judge_run import judge_run
from loadtest.run.terminal import show_result, show_verifications
from loadtest.verdict.verify import verify_packet
from server.core.ids import PacketId
from tests.loadtest.foreign_run import a_grab, a_run_of
from tests.loadtest.judged_foreign_run import kept_foreign
from tests.loadtest.run.test_judge_run import _demanding, _kept
from tests.loadtest.written_run import WrittenRun, a_run

NASTY = "[/bold] [red]红包"  # what a packet may be called, and a terminal might take for an instruction


def _console(*, width: int = 160) -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(file=text, width=width, highlight=False, color_system=None), text


def _shown(run: WrittenRun, path: Path) -> str:
    console, text = _console()
    show_result(console, judge_run(_kept(run, path)))
    return text.getvalue()


def test_the_verdict_comes_first(tmp_path: Path) -> None:
    """A person who reads one line has read the one that matters."""
    lines = _shown(a_run(), tmp_path).strip().splitlines()
    assert lines[0].startswith("PASS  smoke, 12 viewers")
    shown = "\n".join(lines)
    for told in ("c1.p0", "grab latency", "fan-out skew", "duplicates", "lost acks"):
        assert shown.count(told) == 1


def test_the_verdict_says_what_was_left_out(tmp_path: Path) -> None:
    """It stands in the line of the verdict, whole and as text."""
    console, text = _console(width=40)
    why = "nothing was compared: the base does not run: [red] \x1b[31m " + "x" * 60
    show_result(console, judge_run(_kept(a_run(), tmp_path)), left_out=why)
    first = text.getvalue().strip().splitlines()[0]
    assert first.startswith("PASS  nothing was compared: the base does not run: [red] \\x1b[31m xxx")
    assert "smoke, 12 viewers" in first


def test_a_narrow_terminal_loses_no_figure(tmp_path: Path) -> None:
    """At 80 columns every column of the packets is whole; a long name takes two lines."""
    run = a_run()
    for line in run.of("packet"):
        line["name"] = "红包" * 6
    console, text = _console(width=80)
    show_result(console, judge_run(_kept(run, tmp_path)))
    shown = text.getvalue()
    assert "…" not in shown
    assert all(told in shown for told in ("shares", "fen", "back", "6 of 6", "sold out", "settled"))


def test_a_violation_is_shown_with_its_records(tmp_path: Path) -> None:
    """Each invariant that is violated is named once, with both claims of the share that two viewers own."""
    shown = _shown(a_run(seed=2, flaw="check then act"), tmp_path)
    assert shown.strip().startswith("FAIL (invariant)")
    assert shown.count("\nA8 ") == 1
    records = shown.split("\nA8 ")[1].splitlines()[1:3]
    assert all(record.strip().startswith("claim") and "viewer_id" in record for record in records)
    assert "more violations in the result" in shown


def test_the_outcome_of_every_invariant_is_told(tmp_path: Path) -> None:
    """Each invariant is shown as passed, violated, or not checked with a reason."""
    shown = _shown(a_run(), tmp_path)
    assert "invariants  passed A1, A2, A3, A4, A5, A6, A7, A8, A9, A10, A12, A13, A14\n" in shown
    assert "not checked in full  A10: there was no order to recompute" in shown


def test_a_foreign_run_is_told_without_its_books(tmp_path: Path) -> None:
    """Numbers that nobody knows are no zeros, and both receipts of the violation stand below it."""
    limits = 'lost_acks = ["value == 0"]'
    grabs = [a_grab("v1", "granted", claim_id="c1"), a_grab("v1", "granted", 1_150, claim_id="c2", request_id="r2")]
    folder = _demanding(kept_foreign(a_run_of(*grabs), tmp_path), thresholds=limits)
    console, text = _console()
    show_result(console, judge_run(folder))
    shown = text.getvalue()
    assert shown.strip().startswith("FAIL (invariant, not_verified)  coupons, 12 viewers")
    for told in (
        "target http", "lost acks      not known", "fan-out skew   not measured", "violated A3",
        "unknown  lost_acks value == 0: not known", "not checkable  A4, A5: the service gave no books",
    ):  # fmt: skip
        assert told in shown
    records = shown.split("\nA3 ")[1].splitlines()[1:3]
    assert ["claim_id c1" in records[0], "claim_id c2" in records[1]] == [True, True]


def test_what_no_other_service_shows_takes_one_line(tmp_path: Path) -> None:
    """The line of a violation must not be pushed off a small terminal."""
    console, text = _console()
    show_result(console, judge_run(kept_foreign(a_run_of(a_grab("v1", "granted", claim_id="c1")), tmp_path)))
    (line,) = (each for each in text.getvalue().splitlines() if "A9" in each and each.startswith("not checkable"))
    assert line == (
        "not checkable  A4, A5: the service gave no books; "
        "A9, A10, A13, A14: a foreign service does not show what they need (docs/invariants.md)"
    )


def test_a_name_is_no_instruction(tmp_path: Path) -> None:
    """A packet may be called whatever its creator likes."""
    run = a_run()
    for line in run.of("packet"):
        line["name"] = NASTY
    assert NASTY in _shown(run, tmp_path)


def test_verifications_say_what_they_found() -> None:
    """A packet is verified, still sealed, or wrong, and then it says why."""
    run = a_run(packets=3)
    books, _ = run.read()
    first, second, third = books.packets.values()
    run.of("packet", packet_id=second.packet_id)[0] |= {"seed": None, "state": "launched"}
    run.drop(run.of("left", packet_id=second.packet_id)[0])
    run.of("claim", packet_id=third.packet_id)[0]["amount_fen"] += 1
    books, _ = run.read()
    console, text = _console()
    show_verifications(
        console,
        {
            PacketId(each): verify_packet(packet, books.claims[each], books.left.get(each))
            for each, packet in books.packets.items()
        },
    )
    lines = text.getvalue().splitlines()
    assert lines[0] == f"verified  {first.packet_id}: 6 shares from the revealed seed"
    assert lines[1].startswith(f"sealed    {second.packet_id}")
    assert lines[2].startswith(f"wrong     {third.packet_id}")
    assert lines[3].strip()


def test_what_was_demanded_is_told(tmp_path: Path) -> None:
    """Thresholds with what was measured, what never happened, and what was changed each have a line."""
    console, text = _console()
    limit = {"metric": "grab_latency_ms", "expression": "p(99) < 50", "value": 61.25, "limit": 50.0}
    result = judge_run(_kept(a_run(), tmp_path))
    result |= {
        "thresholds": [{**limit, "met": met} for met in (True, False, None)]
        + [{**limit, "met": None, "why": "nobody is called so"}],
        "sometimes": {"sold_out_seen": 2, "repeat_seen": 0},
        "notes": ["reaction_median_ms raised"],
        "server_errors": ["allocator mine:Mine failed to claim"],
    }
    show_result(console, result)
    shown = text.getvalue()
    for told in ("met  grab_latency_ms p(99) < 50: 61.25", "missed  grab", "void  grab", "never happened  repeat_seen"):
        assert told in shown
    assert "p(99) < 50: 61.25 (nobody is called so)" in shown
    assert "note  reaction_median_ms raised" in shown
    assert "server error  allocator mine:Mine failed to claim" in shown
    assert "sold_out_seen" not in shown
