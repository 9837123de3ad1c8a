"""
The diary of a watched run: what only the process that leads it knows, line by line, for the process that shows it.

Everything else the other process reads from the folder of the run.
"""

import time
from collections.abc import Mapping
from typing import Any, BinaryIO

import orjson

from loadtest.engines.crowd import View
from loadtest.engines.progress import LivePacket, Progress
from server.core.ids import PacketId

DIARY = "watch.jsonl"


class Diary:
    """A view that writes down what another view shows, into *file*, which it flushes and never closes."""

    def __init__(self, file: BinaryIO, shown: View) -> None:
        self._file = file
        self._shown = shown
        self._packets: Mapping[PacketId, LivePacket] = {}

    def begin(self, facts: Mapping[str, Any]) -> None:
        """Write down what is known of the run before it begins."""
        self._write("run", **facts)

    def phase(self, text: str) -> None:
        """Show that a new phase has begun, and write it down."""
        self._shown.phase(text)
        self._write("phase", text=text)

    def progress(self, progress: Progress, happening: str) -> None:
        """Show the newest numbers, and write down the packets if they have changed."""
        self._shown.progress(progress, happening)
        if progress.packets != self._packets:
            self._packets = dict(progress.packets)
            self._write("packets", packets=[[each, *packet] for each, packet in self._packets.items()])

    def end(self, verdict: str, reasons: list[str], exit_code: int, *, report: bool) -> None:
        """Write down the verdict; *report* says whether there is one to link to."""
        self._write("verdict", verdict=verdict, reasons=reasons, exit_code=exit_code, report=report)

    def _write(self, kind: str, **fields: Any) -> None:
        self._file.write(orjson.dumps({"kind": kind, "at_ms": time.time_ns() // 1_000_000, **fields}) + b"\n")
        self._file.flush()
