"""
Work counters: what one grab and one announcement cost in commands, system calls and bytes.

They do not depend on the clock: a few taps are sent one by one, again and again, and the step that took least counts,
because what the server does by itself only adds to it. So one store command more for each grab is seen on any machine.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import NamedTuple

import orjson
import psutil
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from loadtest.engines.child_process import Build
from scripts.bench.process import BenchFailed
from scripts.bench.subjects import Subject, launched, redrain, store_calls

CONNECTIONS = 20
PACKETS = 20
GROUP = 5  # taps in a step: so few that some steps meet nothing that the server does by itself
LAUNCHES = 5
ANSWER_WITHIN_S = 30.0
SCRIPT_CALLS = ("evalsha", "eval", "fcall")
NOT_ASKED = ("info", "client|setinfo", "hello", "client|setname")  # of whoever reads the statistics
LAST_PUSH = "popup"


class Counter(NamedTuple):
    """One counter: its title, and by how much the head's may exceed the base's: a part of it, or an absolute amount."""

    title: str
    part: float
    amount: float

    def allows(self, base: float, head: float) -> bool:
        """Tell whether the head's value is no worse than the base's."""
        return head - base <= max(self.part * base, self.amount)


COUNTERS = {
    "store_commands_per_grab": Counter("store commands per grab", 0.0, 0.1),
    "script_calls_per_grab": Counter("script calls per grab", 0.0, 0.1),
    "server_reads_per_grab": Counter("read calls of the server per grab", 0.0, 0.3),
    "server_writes_per_grab": Counter("write calls of the server per grab", 0.0, 0.3),
    "receipt_bytes": Counter("bytes of a receipt", 0.01, 0.5),
    "push_bytes": Counter("bytes of a packet's announcements for a viewer", 0.01, 2.0),
    "writes_per_push": Counter("write calls of the server per viewer and launch", 0.01, 0.3),
}
"""Every counter by its name in the result."""


Work = dict[str, float]
"""The work of server and store in a span: commands, script calls, reads and writes."""


def count_work(build: Build | None) -> dict[str, float]:
    """Return the counters of a server of *build*, by default our own. Raises BenchFailed."""
    with redrain(PACKETS, CONNECTIONS, build=build) as subject, ExitStack() as stack:
        crowd = [
            stack.enter_context(connect(f"{subject.url}?viewer=w{number}", compression=None, max_queue=None))
            for number in range(CONNECTIONS)
        ]
        for one in crowd:
            _until(one, "welcome")
        receipts: list[str] = []
        tapped = _least(
            subject, [partial(_tap, receipts, few, packet) for packet in subject.packet_ids for few in _groups(crowd)]
        )
        pushes: list[str] = []
        pushed = _least(subject, [partial(_push, pushes, subject, crowd)] * LAUNCHES)
    return {
        **{f"{name}_per_grab": value / GROUP for name, value in tapped.items()},
        "receipt_bytes": sum(map(len, receipts)) / len(receipts),
        "push_bytes": sum(map(len, pushes)) / LAUNCHES / len(crowd),
        "writes_per_push": pushed["server_writes"] / len(crowd),
    }


def _groups(crowd: Sequence[ClientConnection]) -> list[Sequence[ClientConnection]]:
    return [crowd[start : start + GROUP] for start in range(0, len(crowd), GROUP)]


def _least(subject: Subject, steps: Sequence[Callable[[], None]]) -> Work:
    """Return the least that any of the steps took: what the server does by itself only ever adds to it."""
    spent = []
    for step in steps:
        before = _work(subject)
        step()
        after = _work(subject)
        spent.append({name: after[name] - before[name] for name in before})
    return {name: min(each[name] for each in spent) for name in spent[0]}


def _work(subject: Subject) -> Work:
    calls = store_calls(subject.store_url)
    io = psutil.Process(subject.pids[0]).io_counters()
    return {
        "store_commands": sum(count for name, count in calls.items() if name not in NOT_ASKED),
        "script_calls": sum(calls.get(name, 0) for name in SCRIPT_CALLS),
        "server_reads": io.read_count,
        "server_writes": io.write_count,
    }


def _tap(receipts: list[str], few: Sequence[ClientConnection], packet_id: str) -> None:
    """Let a few viewers tap a packet, one after the other, and keep their receipts."""
    for one in few:
        one.send(orjson.dumps({"type": "grab", "packet_id": packet_id, "request_id": "r1"}).decode())
        receipts.append(_until(one, "receipt"))


def _push(told: list[str], subject: Subject, crowd: Sequence[ClientConnection]) -> None:
    """Launch a packet, and keep what all viewers were told of it until they could tap."""
    packet_id = launched(f"http{subject.url.removeprefix('ws').partition('/ws/')[0]}", len(crowd))
    for one in crowd:
        while True:
            message = _next(one)
            if packet_id in message:
                told.append(message)
                if _kind(message) == LAST_PUSH:
                    break


def _until(one: ClientConnection, kind: str) -> str:
    while _kind(message := _next(one)) != kind:
        pass
    return message


def _next(one: ClientConnection) -> str:
    try:
        return str(one.recv(ANSWER_WITHIN_S))
    except (ConnectionClosed, TimeoutError) as error:
        raise BenchFailed(f"a viewer heard nothing more: {error or type(error).__name__}") from None


def _kind(message: str) -> str:
    return str(orjson.loads(message)["type"])
