"""Space-time diagrams: every invariant has one, which is bounded, shows the evidence in its place, and runs nothing."""

import re
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from html.parser import HTMLParser
from typing import Any

import pytest
from rich.cells import cell_len

from loadtest.report.spacetime import Scene, drawn, page_of, scenes_of
from loadtest.report.spacetime.packing import rows_of, ticks_of
from loadtest.report.spacetime.placing import STORE, Glyph
from loadtest.report.spacetime.scene import LANES_MAX, TRACES_MAX
from loadtest.report.spacetime.terminal import WIDTH
from loadtest.report.spacetime.wordings import CONTRADICTIONS
from loadtest.verdict.audit import INVARIANTS
from loadtest.verdict.audit.circumstances import CLOCK_SLACK_NS
from tests.loadtest.broken_runs import BROKEN
from tests.loadtest.foreign_run import OPENS_MS, a_grab, a_run_of
from tests.loadtest.written_run import NS_PER_MS, T0_NS, WrittenRun, a_run

HOSTILE = '<script>alert(1)</script>"[red]\x1b[31m\u202e红包'


def _scenes(run: WrittenRun) -> dict[str, Scene]:
    books, history = run.read()
    violations = [asdict(violation) for violation in run.audit()]
    return {scene.invariant: scene for scene in scenes_of(violations, history, books)}


@cache
def _broken(name: str) -> tuple[Scene, Mapping[str, Any]]:
    run = BROKEN[name]()
    violation = next(each for each in run.audit() if each.invariant == name)
    return _scenes(run)[name], asdict(violation)


def _text(scene: Scene, width: int = WIDTH) -> str:
    return "\n".join(line.plain for line in drawn(scene, width))


class _Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.told = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.told += data


@pytest.mark.parametrize("name", INVARIANTS)
def test_every_invariant_has_its_diagram(name: str) -> None:
    """Its caption says what contradicts what; all evidence is listed by number, and what has an instant is drawn."""
    scene, violation = _broken(name)
    assert scene.caption.startswith(f"{CONTRADICTIONS[name]}: ")
    assert len(scene.exhibits) == len(violation["evidence"])
    assert 0 < len(scene.lanes) <= LANES_MAX
    assert 0 < len(scene.traces) <= TRACES_MAX
    on_axis = {exhibit.number for exhibit in scene.exhibits if exhibit.t is not None}
    assert {trace.number for trace in scene.traces} - {0} == on_axis
    for trace in scene.traces:
        assert trace.lane in scene.lanes
        if trace.number and trace.t is not None:
            assert scene.t_from < trace.t < scene.t_to
    grabs = [record for record in violation["evidence"] if record["kind"] == "grab"]
    text = _text(scene)
    flowing = " ".join(text.split())
    for grab in grabs:
        wanted = [grab["request_id"], grab["status"] or "no receipt"]
        wanted += [] if grab["index"] is None else [f"share {grab['index']}, {grab['amount_fen']:,} fen"]
        assert all(each in flowing for each in wanted)
    assert " ".join(scene.caption.split()) in flowing
    assert max(cell_len(line) for line in text.splitlines()) <= WIDTH


def test_the_page_has_every_diagram_and_no_script() -> None:
    """It fetches nothing, and all of its parts are there to be read."""
    scenes = [_broken(name)[0] for name in INVARIANTS]
    page = _Tags(page_of(scenes, "20260101"))
    assert page.tags.count("svg") == len(INVARIANTS)
    assert "script" not in page.tags
    assert page.links == ["data:,"]
    assert all(scene.caption in page.told for scene in scenes)
    assert all(exhibit.text in page.told for scene in scenes for exhibit in scene.exhibits)
    assert "nothing to draw" in page_of([], "20260101")


def test_records_lie_at_their_instants() -> None:
    """A tap is a bar from its sending to its receipt; an entry is at its room time, with the error of the clock."""
    scene, violation = _broken("A4")
    grab, claim = violation["evidence"]
    bar = next(trace for trace in scene.traces if trace.number == 1)
    assert (bar.glyph, bar.t_from, bar.t_to) == (Glyph.BAR, grab["t_sent"], grab["t_reply"])
    entry = next(trace for trace in scene.traces if trace.number == 2)
    given = next(
        each for each in BROKEN["A4"]().of("journal", movement="claim", packet_id=claim["packet_id"])
        if [claim["viewer_id"], claim["index"], claim["amount_fen"], claim["request_id"]] in each["claims"]
    )  # fmt: skip
    assert (entry.lane, entry.t) == (STORE, T0_NS + given["at_ms"] * NS_PER_MS)
    assert entry.t_to - entry.t_from == 2 * (CLOCK_SLACK_NS + 100_000)  # half of the reading's round trip
    assert scene.zero == T0_NS + 2_000 * NS_PER_MS  # the opening, though it lies outside the picture


def test_what_a_connection_missed_is_shown_where_others_received_it() -> None:
    """Between the last message before the gap and the first after it."""
    scene, _ = _broken("A9")
    kinds = [trace.glyph for trace in sorted(scene.traces, key=lambda each: each.t_from) if trace.number]
    assert kinds == [Glyph.FACT, Glyph.MISSED, Glyph.FACT]
    assert "◇" in _text(scene)


def test_a_refusal_stands_beside_the_edge_that_it_contradicts() -> None:
    """The window's end is in the picture, however far away."""
    scene, _ = _broken("A13")
    assert "closes" in [instant.text for instant in scene.instants]
    assert "closes" in _text(scene)


def test_a_sweep_that_came_too_early_stands_beside_the_end_of_the_window() -> None:
    """The opening may be nearer, but it is the end that the sweep contradicts."""
    run = a_run()
    run.of("journal", movement="sweep")[0]["at_ms"] -= 800
    scene = _scenes(run)["A7"]
    assert "closes" in [instant.text for instant in scene.instants]
    assert [exhibit.lane for exhibit in scene.exhibits] == [STORE]


def test_names_of_strangers_are_data() -> None:
    """Markup, control characters and marks of direction reach neither the terminal nor the page."""
    run = BROKEN["A5"]()
    for line in (*run.of("grab"), *run.of("conn"), *run.of("claim")):
        for name in ("viewer", "viewer_id"):
            line.update({name: HOSTILE} if line.get(name) == "v10" else {})
    run.of("grab", viewer=HOSTILE)[0]["request_id"] = HOSTILE
    scene = _scenes(run)["A5"]
    told = _text(scene)
    assert "<script>" in told
    assert not re.search(r"[\x1b\u202e]", told)
    page = page_of([scene], HOSTILE)
    assert "script" not in _Tags(page).tags
    assert not re.search(r"[\x1b\u202e]", re.sub(r"<h1.*?</h1>|<title>Counter.*?</title>", "", page))


def test_a_crowd_is_bounded_and_the_rest_is_counted() -> None:
    """The evidence is all there, and the words say how much of its surroundings is not."""
    scene = _scenes(a_run(flaw="no repeat check", viewers=200, packets=1))["A3"]
    assert len(scene.lanes) <= LANES_MAX
    assert len(scene.traces) <= TRACES_MAX
    assert {1, 2} <= {trace.number for trace in scene.traces}
    assert re.search(r"not drawn: \d+ other taps, entries and messages", _text(scene))


def test_without_a_reading_of_the_clock_the_store_s_entries_are_only_listed() -> None:
    """The diagram says so instead of guessing their place."""
    run = a_run(flaw="no repeat check", viewers=24)
    run.drop(run.of("reading")[0])
    scene = _scenes(run)["A4"]
    assert STORE not in scene.lanes
    assert "no reading of its clock" in _text(scene)
    assert [exhibit.t is None for exhibit in scene.exhibits] == [False, True]


@pytest.mark.parametrize(
    ("record", "lane"),
    [
        ({"kind": "heard", "type": "progress", "packet": "c1.p0", "room": "r1", "viewer": "v1"}, "room r1"),
        ({"kind": "welcome", "room": "r1", "seq": 2, "packets": [["c1.p0", "on_air", 3, False]]}, "room r1"),
        ({"kind": "comment", "room": "r1", "conn": "v1.0", "viewer": "v1", "text": HOSTILE}, "v1 (v1.0)"),
        ({"kind": "stray", "conn": "v1.0", "viewer": "v1", "request_id": "x", "status": "granted"}, "v1 (v1.0)"),
        ({"kind": "withdrawal", "state": "paid", "requested_at_ms": 10}, STORE),
        ({"kind": "invoice", "state": "issued", "requested_at_ms": 10}, STORE),
        ({"kind": "order", "state": "paid", "created_at_ms": 5, "paid_at_ms": 10}, STORE),
        ({"kind": "answer", "viewer_id": "v1", "deed": "pay", "room_ms": 10}, "v1 (buyer)"),
        ({"kind": "creator", "creator_id": "c1"}, ""),
        ({"kind": "left", "packet_id": "c1.p0", "amounts": [1, 2]}, ""),
    ],
)
def test_every_kind_of_record_has_its_line(record: dict[str, Any], lane: str) -> None:
    """Each lies at its instant by the one clock; a record of the end, which has none, is only listed."""
    at = T0_NS + 10 * NS_PER_MS
    timed = {"t": at, "t_first": at, "t_last": at} | record
    violation = {"invariant": "A10", "packet_id": "", "detail": "x", "evidence": [timed]}
    books, history = a_run().read()
    scene = scenes_of([violation], history, books)[0]
    assert [(exhibit.lane, exhibit.t) for exhibit in scene.exhibits] == [(lane, at if lane else None)]
    assert "1  " in _text(scene)


def test_a_foreign_run_is_drawn_from_the_receipts_alone() -> None:
    """Its window is the declared one, and there is no line of a store."""
    run = a_run_of(
        a_grab("v1", "granted", claim_id="c1"), a_grab("v1", "granted", 1_150, claim_id="c2", request_id="r2")
    )
    declared, history = run.read()
    scene = scenes_of([asdict(violation) for violation in run.audit()], history, None, declared)[0]
    assert scene.invariant == "A3"
    assert scene.lanes == ["v1 (v1.0)"]
    assert scene.zero == OPENS_MS * NS_PER_MS
    assert "tap r2: granted" in _text(scene)


@pytest.mark.parametrize("width", [60, 72, 100])
def test_the_drawing_fits_its_width(width: int) -> None:
    """Names in wide characters take two cells each."""
    run = BROKEN["A6"]()
    for line in (*run.of("grab"), *run.of("conn")):
        line["viewer"] = f"观众{line['viewer']}"
    assert all(cell_len(told) <= width for told in _text(_scenes(run)["A6"], width).splitlines())


def test_what_overlaps_has_rows_of_its_own() -> None:
    """Until there are no more rows: then it covers what is there."""
    assert rows_of([(0, 5), (6, 9), (3, 7), (4, 4), (8, 9)], 3) == [0, 0, 1, 2, 1]
    assert rows_of([(0, 5), (0, 5), (0, 5)], 2) == [0, 1, 1]


def test_ticks_are_round_numbers_within_the_axis() -> None:
    """They are a handful, whatever the span."""
    assert ticks_of(-2.5, 12.5, 6) == [0.0, 5.0, 10.0]
    for span in (0.01, 0.7, 3, 19, 260, 5_000, 10**7):
        ticks = ticks_of(-span / 3, span, 8)
        assert 2 <= len(ticks) <= 8
        assert all(-span / 3 <= tick <= span for tick in ticks)
