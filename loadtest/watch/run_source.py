"""A run as it goes on, read from the files in its folder: nothing is asked of the server or of the audience."""

import time
from collections import deque
from dataclasses import replace
from typing import Any

import orjson

from loadtest.engines.progress import LivePacket, Progress, ProgressFiles
from loadtest.record.declared import Declarations, declarations_from
from loadtest.record.growing_file import GrowingFile
from loadtest.record.run_folder import RunFolder
from loadtest.watch.diary import DIARY
from loadtest.watch.facts_log import FactsLog
from loadtest.watch.figures import RateHistory
from loadtest.watch.live_audit import Badge, Light
from loadtest.watch.packet_board import packet_board
from loadtest.watch.picture import LivePicture, LogLine, RoomPicture, VerdictPicture, latency_of
from loadtest.watch.run_audit import RunAudit
from server.core.ids import PacketId, RoomId

LOG_LINES = 40
BOOKS_OLD_MS = 10_000  # a cut is taken every three seconds
REPORT = "run/report.html"
_NS_PER_MS = 1_000_000


class RunSource:
    """The run in *folder*, which need not have begun yet."""

    def __init__(self, folder: RunFolder) -> None:
        self._diary = GrowingFile(folder.path / DIARY)
        self._files = ProgressFiles(folder.path)
        self._progress = Progress()
        self._run: dict[str, Any] = {}
        self._phase = ""
        self._packets: dict[PacketId, LivePacket] = {}
        self._verdict: VerdictPicture | None = None
        self._log: deque[LogLine] = deque(maxlen=LOG_LINES)
        self._facts = FactsLog((time.time_ns() - time.monotonic_ns()) // _NS_PER_MS)
        self._grabs, self._talk = RateHistory(), RateHistory()
        self._folder = folder
        self._audit: RunAudit | None = None

    def look(self) -> LivePicture:
        """Return the newest picture."""
        for line in self._diary.new_lines():
            self._read(orjson.loads(line))
        progress = self._progress = self._as_they_were(self._files.look())
        now_s = time.monotonic()
        self._grabs.see(now_s, progress.offered, progress.answered)
        self._talk.see(now_s, progress.comments, progress.likes)
        self._log.extend(self._facts.lines(progress.facts, self._name))
        comments, likes = (self._talk.rates() or [(0.0, 0.0)])[-1]
        audit = self._audit
        cut = None if audit is None else audit.cut
        picture = LivePicture(
            title=self._run.get("title", ""),
            subtitle=self._run.get("subtitle", ""),
            at_ms=time.time_ns() // _NS_PER_MS,
            kind="run",
            phase=self._phase,
            connected=progress.connected,
            viewers=progress.viewers,
            present=progress.present,
            offered=progress.offered,
            answered=progress.answered,
            lost=progress.lost,
            granted=progress.granted,
            failed=progress.failed,
            rates=tuple((offered, answered) for offered, answered in self._grabs.rates()),
            comments_per_second=comments,
            likes_per_second=likes,
            latency=latency_of(progress),
            rooms=self._rooms(progress),
            packets=packet_board(self._packets, progress, cut, time.time_ns() // _NS_PER_MS),
            money=None if cut is None else cut.money,
            log=tuple(self._log),
            verdict=self._verdict,
        )
        if audit is None:
            return picture
        return replace(picture, badge=self._badge(audit), store=audit.store, generator=audit.generator)

    def check(self) -> None:
        """Hold books and receipts against each other."""
        if self._audit is not None:
            progress = self._progress
            self._audit.look(progress.facts, progress.offered - progress.answered - progress.lost)

    def _as_they_were(self, progress: Progress) -> Progress:
        """Return the progress with everybody in place whom the end of the run has sent home."""
        seen = self._progress
        if not progress.leaving:
            return progress
        return replace(progress, connected=seen.connected, present=seen.present, rooms=seen.rooms)

    def _badge(self, audit: RunAudit) -> Badge:
        """Return the newest badge; amber if what it was green by is old, and the run goes on."""
        badge, now_ms = audit.badge, time.time_ns() // _NS_PER_MS
        if badge.light is not Light.GREEN or self._verdict is not None:
            return badge
        if audit.store.state == "away":
            return replace(badge, light=Light.AMBER, why="store_away")
        old = badge.checked_at_ms is None or now_ms - badge.checked_at_ms > BOOKS_OLD_MS
        waits = old and (audit.cut is None or not audit.cut.books.final)
        return replace(badge, light=Light.AMBER, why="books_old") if waits else badge

    def _read(self, line: dict[str, Any]) -> None:
        match line["kind"]:
            case "run":
                self._run = line
                declared: Declarations | None = declarations_from(line["declared"]) if line["foreign"] else None
                self._audit = RunAudit(self._folder, line["durability"], declared)
            case "phase":
                self._phase = line["text"]
                self._log.append(LogLine(line["at_ms"], text=line["text"]))
            case "packets":
                self._packets = {each: LivePacket(*packet) for each, *packet in line["packets"]}
            case "verdict":
                report = REPORT if line["report"] else ""
                self._verdict = VerdictPicture(line["verdict"], tuple(line["reasons"]), line["exit_code"], report)

    def _name(self, packet_id: PacketId) -> str:
        packet = self._packets.get(packet_id)
        return packet_id if packet is None else packet.name

    def _rooms(self, progress: Progress) -> tuple[RoomPicture, ...]:
        titles: dict[RoomId, str] = self._run.get("rooms", {})
        known = dict.fromkeys([*titles, *progress.rooms])
        return tuple(RoomPicture(each, titles.get(each, each), progress.rooms.get(each, 0)) for each in known)
