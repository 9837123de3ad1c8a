"""The dashboard of a run: its folder becomes pictures, and its site pushes them to whoever looks."""

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from loadtest.engines.crowd import SilentView
from loadtest.engines.progress import LivePacket, Progress
from loadtest.record.run_folder import RunFolder
from loadtest.watch.diary import DIARY, Diary
from loadtest.watch.live_audit import Badge, Light
from loadtest.watch.picture import LivePicture
from loadtest.watch.run_source import RunSource
from loadtest.watch.site import Control, WatchSite
from server.core.ids import PacketId
from tests.loadtest.written_run import Line, WrittenRun, a_run
from tests.waiting import PATIENCE_S

OPENING = {"title": "storm written", "subtitle": "", "foreign": False, "durability": "durable", "rooms": {"r1": "Tea"}}
STATE = {
    "t_ns": 0, "phase": "watching", "seats": 12, "connected": 12, "viewers": 12, "present": 12, "offered": 30,
    "answered": 29, "lost": 1, "failed": 0, "failures": {}, "latencies": {"1.5": 20, "8": 9}, "max_ms": 8.1,
    "shares": [["c1.p0", "v1", "0"]], "rooms": {"r1": 12}, "comments": 3, "likes": 9, "facts": [],
}  # fmt: skip


def written(run: WrittenRun, path: Path) -> RunFolder:
    """Write a run into a folder as it is before its end: a diary, progress, a history and one cut of the books."""
    folder = RunFolder(path)
    with (path / DIARY).open("wb") as file:
        diary = Diary(file, SilentView())
        diary.begin({**OPENING, "declared": []})
        diary.phase("the curtain rises")
        packets = {PacketId("c1.p0"): LivePacket("evening", 6, "launched")}
        diary.progress(Progress(packets=packets), "")
    in_the_past(run)
    facts = [line for line in run.history if line["kind"] == "fact"]
    (path / "progress-1.jsonl").write_bytes(orjson.dumps({**STATE, "facts": facts}) + b"\n")
    others = [line for line in run.history if line["kind"] not in {"fact", "end"}]
    (path / "history-1.jsonl").write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in others))
    lines = [line for line in run.books if line["kind"] not in {"claim", "left", "end"}]
    snapshot(folder, lines)
    return folder


def in_the_past(run: WrittenRun) -> None:
    """Move a run's history to just before now: what is younger than a cut does not count."""
    later_ns = time.monotonic_ns() - 10**9 - max(line["t_reply"] or 0 for line in run.of("grab"))
    for line in run.history:
        for name in ("t_intended", "t_sent", "t_reply", "t_first", "t_last"):
            if line.get(name) is not None:
                line[name] += later_ns


def snapshot(folder: RunFolder, lines: list[Line]) -> None:
    path = folder.snapshot(len(folder.snapshots()))
    partly = path.with_suffix(".part")
    partly.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in [*lines, {"kind": "end", "final": False}]))
    partly.rename(path)


def seen(folder: RunFolder) -> LivePicture:
    """Look once, check once, and look at what that has shown."""
    source = RunSource(folder)
    source.look()
    source.check()
    return source.look()


def test_a_picture_has_the_figures_of_the_audience_and_of_the_books(tmp_path: Path) -> None:
    """The figures are those of the terminal's view, and the money is that of the newest cut."""
    run = a_run(packets=1, share_count=6)
    picture = seen(written(run, tmp_path))
    assert (picture.title, picture.phase, picture.connected, picture.present) == (
        "storm written",
        "the curtain rises",
        12,
        12,
    )
    assert (picture.offered, picture.answered, picture.lost, picture.granted) == (30, 29, 1, 1)
    assert (picture.latency.p50, picture.latency.p99, picture.latency.max) == (1.5, 8.0, 8.1)
    assert picture.latency.skew_p99 is not None
    assert [(room.room_id, room.title, room.watching) for room in picture.rooms] == [("r1", "Tea", 12)]
    (packet,) = picture.packets
    assert (packet.name, packet.share_count, packet.granted, packet.over, packet.state) == (
        "evening",
        6,
        6,
        0,
        "settled",
    )
    assert packet.sold_out_ms is not None
    assert picture.money is not None
    assert picture.money.gap_fen == 0
    assert picture.money.funded_fen == packet.total_fen == picture.money.claimed_fen + picture.money.returned_fen
    assert (picture.badge.light, picture.store.state) == (Light.GREEN, "unknown")
    codes = [line.code for line in picture.log]
    assert codes.count("open") == codes.count("sold_out") == 1


def test_an_over_issued_run_is_red_with_more_money_than_was_funded(tmp_path: Path) -> None:
    picture = seen(written(a_run(flaw="check then act", packets=1, share_count=6, viewers=30), tmp_path))
    assert picture.badge.light is Light.RED
    assert picture.packets[0].over == picture.badge.over > 0
    assert picture.money is not None
    assert picture.money.gap_fen > 0
    assert {witness.kind for witness in picture.badge.proofs[0].witnesses} == {"receipt"}


def test_a_green_badge_does_not_outlive_its_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Books that are not to be had prove nothing: after some seconds the badge says so."""
    source = RunSource(written(a_run(packets=1), tmp_path))
    source.look()
    source.check()
    now_ns = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now_ns + 60_000_000_000)
    badge = source.look().badge
    assert (badge.light, badge.why) == (Light.AMBER, "books_old")


def test_the_verdict_ends_it(tmp_path: Path) -> None:
    folder = written(a_run(packets=1), tmp_path)
    with (tmp_path / DIARY).open("ab") as file:
        Diary(file, SilentView()).end("fail", ["invariant"], 10, report=True)
    verdict = seen(folder).verdict
    assert verdict is not None
    assert (verdict.verdict, verdict.reasons, verdict.exit_code) == ("fail", ("invariant",), 10)
    assert verdict.report == "run/report.html"


def test_the_diary_writes_packets_only_when_they_change() -> None:
    file = io.BytesIO()
    diary = Diary(file, SilentView())
    one = Progress(packets={PacketId("p"): LivePacket("first", 6)})
    for progress in (
        one,
        replace(one, answered=5),
        replace(one, packets={PacketId("p"): LivePacket("first", 6, "launched")}),
    ):
        diary.progress(progress, "")
    lines = [orjson.loads(line) for line in file.getvalue().splitlines()]
    assert [line["packets"] for line in lines] == [[["p", "first", 6, ""]], [["p", "first", 6, "launched"]]]


class Still:
    """A source whose picture never changes."""

    def __init__(self) -> None:
        self.checked = 0

    def look(self) -> LivePicture:
        return LivePicture(title="still", subtitle="", at_ms=time.time_ns() // 1_000_000, kind="run", badge=Badge())

    def check(self) -> None:
        self.checked += 1


@contextmanager
def site(controls: dict[str, Control] | None = None, token: str = "", **options: Any) -> Iterator[WatchSite]:
    running = WatchSite(**options)
    running.start(Still(), controls, token)
    try:
        yield running
    finally:
        running.close()


def test_pictures_are_pushed_at_least_twice_a_second() -> None:
    """Whoever looks gets the newest picture at once, and further ones by itself."""
    with site() as running, connect(running.url.replace("http", "ws").replace("dashboard", "watch")) as line:
        times = [orjson.loads(line.recv(timeout=PATIENCE_S))["at_ms"] for _ in range(6)]
    assert times == sorted(set(times))
    assert min(later - before for before, later in pairwise(times)) <= 500  # others were late if the machine was


def test_the_site_has_the_page_and_the_report_and_nothing_else(tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    with site(report=report) as running:
        root = running.url.removesuffix("/dashboard")
        page = requests.get(running.url, timeout=PATIENCE_S)
        assert (page.status_code, 'data-watch="yes"' in page.text) == (200, True)
        assert "script-src 'self'" in page.headers["Content-Security-Policy"]
        assert requests.get(root, timeout=PATIENCE_S).url == running.url
        assert requests.get(f"{root}/run/report.html", timeout=PATIENCE_S).status_code == 404
        report.write_text("<h1>the report</h1>")
        assert requests.get(f"{root}/run/report.html", timeout=PATIENCE_S).text == "<h1>the report</h1>"
        assert requests.get(f"{root}/console", timeout=PATIENCE_S).status_code == 404
        assert requests.get(f"{root}/run/result.json", timeout=PATIENCE_S).status_code == 404


def test_a_taken_port_is_an_error() -> None:
    with site() as running, pytest.raises(OSError, match="in use"):
        WatchSite(port=int(running.url.split(":")[2].split("/")[0]))


class Bell:
    """A button that counts."""

    offered, busy = True, False

    def __init__(self) -> None:
        self.rung = 0

    def press(self) -> None:
        self.rung += 1

    def close(self) -> None:
        self.rung = -1


def test_a_button_does_something_and_asks_for_the_token_if_there_is_one() -> None:
    """It is a POST, and named in every picture as long as it is offered."""
    bell = Bell()
    with site(controls={"bell": bell}) as running:
        root = running.url.removesuffix("/dashboard")
        assert requests.post(f"{root}/controls/bell", json={}, timeout=PATIENCE_S).status_code == 202
        assert requests.get(f"{root}/controls/bell", timeout=PATIENCE_S).status_code in {404, 405}
        assert requests.post(f"{root}/controls/other", json={}, timeout=PATIENCE_S).status_code == 404
    assert bell.rung == 1
    with site(controls={"bell": bell}, token="s3cret-\u00e9") as running:
        url = running.url.replace("dashboard", "controls/bell")
        assert requests.post(url, json={}, timeout=PATIENCE_S).status_code == 401
        wrong = {"Authorization": "Bearer other"}
        assert requests.post(url, json={}, headers=wrong, timeout=PATIENCE_S).status_code == 401
    assert bell.rung == 1


def test_foreign_pages_and_names_are_kept_out() -> None:
    """A page of another site gets no picture and presses no button, and no name server can make this site its own."""
    bell = Bell()
    with site(controls={"bell": bell}) as running:
        url = running.url.replace("dashboard", "controls/bell")
        evil = {"Origin": "http://evil.example"}
        assert requests.post(url, json={}, headers=evil, timeout=PATIENCE_S).status_code == 403
        assert requests.post(url, data={"a": "form"}, timeout=PATIENCE_S).status_code == 415
        assert requests.get(running.url, headers={"Host": "evil.example"}, timeout=PATIENCE_S).status_code == 403
        with pytest.raises(InvalidStatus) as refused:
            connect(running.url.replace("http", "ws").replace("dashboard", "watch"), additional_headers=evil)
        assert refused.value.response.status_code == 403
    assert bell.rung == 0
