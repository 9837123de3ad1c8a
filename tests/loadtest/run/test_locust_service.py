"""The start of a Locust run on another service: one instant for all workers, when all are there."""

from pathlib import Path
from typing import Any, cast

import orjson

from loadtest.engines.audience import Audience
from loadtest.engines.curtain import LEAD_NS
from loadtest.run.locust_record import LocustRecord
from loadtest.run.locust_service import READY, START, StartSignal


class Lines:
    """Stands for a runner, whose messages it keeps, and for a record with its folder and workers."""

    def __init__(self, path: Path) -> None:
        self.listeners: dict[str, Any] = {}
        self.sent: list[tuple[str, Any]] = []
        self.path, self.folder, self.workers = path, self, {"a", "b"}
        self.node_id, self.data = "", dict[str, Any]()

    def register_message(self, kind: str, listener: Any) -> None:
        self.listeners[kind] = listener

    def send_message(self, kind: str, data: Any) -> None:
        self.sent.append((kind, data))

    def hear(self, kind: str, node_id: str = "", **data: Any) -> None:
        self.node_id, self.data = node_id, data
        self.listeners[kind](msg=self)


def test_a_master_starts_when_every_worker_is_ready(tmp_path: Path) -> None:
    """It leaves the start in its folder, for workers that see it, and tells the others how long it is until then."""
    lines = Lines(tmp_path)
    signal = StartSignal(lines, lambda: None, worker=False)
    for worker in ("a", "b"):
        lines.hear(READY, worker)
    start_ns = signal.give(cast(LocustRecord, lines), lambda: False)
    assert orjson.loads((tmp_path / "curtain.json").read_bytes()) == {"start_ns": start_ns}
    assert lines.sent == [(START, {"in_ns": LEAD_NS})]
    signal.begin()
    assert signal.give(cast(LocustRecord, lines), lambda: True) is None


def test_a_worker_elsewhere_writes_the_start_down_for_its_viewers(tmp_path: Path) -> None:
    """By its own clock; where the master has written it already, that one counts."""
    lines = Lines(tmp_path)
    lines.history_path = tmp_path / "history-1.jsonl"  # type: ignore[attr-defined]
    signal = StartSignal(lines, lambda: cast(Audience, lines), worker=True)
    signal.connected()
    assert lines.sent == [(READY, None)]
    lines.hear(START, in_ns=LEAD_NS)
    told = (tmp_path / "curtain.json").read_bytes()
    lines.hear(START, in_ns=LEAD_NS)
    assert (tmp_path / "curtain.json").read_bytes() == told
