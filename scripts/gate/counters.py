"""
Work counters: what one grab and one announcement cost in commands, system calls and bytes.

They do not depend on the clock: a few taps are sent one by one, again and again, and the step that took least counts,
because what the server does by itself only adds to it. So one store command more for each grab is seen on any machine.
"""

import socket
import struct
from collections import Counter as Counted
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
from scripts.gate.instructions import Instructions, counted

CONNECTIONS = 20
PACKETS = 20
PACKETS_TRACED = 15  # of whose grabs Python counts the instructions
SEEN_AGAIN = 5  # times: so often the least number of instructions must come before it is taken for the grab's own
GROUP = 5  # taps in a step: so few that some steps meet nothing that the server does by itself
LAUNCHES_MAX = 30
QUIET_LAUNCHES = 3  # launches in which viewers hear of nothing else: they are all alike but for what shares a write
ANSWER_WITHIN_S = 30.0
SCRIPT_CALLS = ("evalsha", "eval", "fcall")
NOT_ASKED = ("info", "client|setinfo", "hello", "client|setname")  # of whoever reads the statistics
LAST_PUSH = "popup"
SEGMENTS_AT = 152  # tcpi_data_segs_in in struct tcp_info (linux/tcp.h)


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
    "instructions_per_grab": Counter("Python instructions of the server per grab", 0.02, 0.0),
    "receipt_bytes": Counter("bytes of a receipt", 0.01, 0.5),
    "push_bytes": Counter("bytes of a packet's announcements for a viewer", 0.01, 2.0),
    "writes_per_push": Counter("writes to a viewer per launch", 0.01, 0.3),
}
"""Every counter by its name in the result."""


Work = dict[str, float]
"""The work of server and store in a span: commands, script calls, reads and writes."""


def count_work(build: Build | None) -> dict[str, float]:
    """Return the counters of a server of *build*, by default our own. Raises BenchFailed."""
    with (
        counted(build) as ours,
        redrain(PACKETS + PACKETS_TRACED, CONNECTIONS, build=ours) as subject,
        ExitStack() as stack,
    ):
        crowd = [
            stack.enter_context(connect(f"{subject.url}?viewer=w{number}", compression=None, max_queue=None))
            for number in range(CONNECTIONS)
        ]
        for one in crowd:
            _until(one, "welcome")
        receipts: list[str] = []
        quick, traced = subject.packet_ids[PACKETS_TRACED:], subject.packet_ids[:PACKETS_TRACED]
        steps = [partial(_tap, receipts, few, packet) for packet in quick for few in _groups(crowd)]
        tapped = _least(partial(_work, subject), steps)
        pushes = _quiet_pushes(subject, crowd)
        instructions = Instructions(ours, subject.pids[0])
        steps = [partial(_tap, receipts, [one], packet) for packet in traced for one in crowd]
        executed = _least_of_many(instructions, steps)
    return {
        **{f"{name}_per_grab": value / GROUP for name, value in tapped.items()},
        "instructions_per_grab": executed,
        "receipt_bytes": sum(map(len, receipts)) / len(receipts),
        "push_bytes": min(push.told_bytes for push in pushes) / len(crowd),
        "writes_per_push": min(push.segments for push in pushes) / len(crowd),
    }


def counted_twice(first: dict[str, float], second: dict[str, float]) -> dict[str, float]:
    """Return the least of two counts of one build: what a server does by itself only ever adds to its work."""
    return {name: min(value, second[name]) for name, value in first.items()}


def _groups(crowd: Sequence[ClientConnection]) -> list[Sequence[ClientConnection]]:
    return [crowd[start : start + GROUP] for start in range(0, len(crowd), GROUP)]


def _least(work: Callable[[], Work], steps: Sequence[Callable[[], None]]) -> Work:
    """Return the least that any of the steps took: what the server does by itself only ever adds to it."""
    spent = []
    for step in steps:
        before = work()
        step()
        after = work()
        spent.append({name: after[name] - before[name] for name in before})
    return {name: min(each[name] for each in spent) for name in spent[0]}


def _least_of_many(instructions: Instructions, steps: Sequence[Callable[[], None]]) -> float:
    """Return the least number of instructions that a step took: go on until it has come often enough."""
    seen = Counted[int]()
    for step in steps:
        before = instructions.read()
        step()
        seen[instructions.read() - before] += 1
        if seen[min(seen)] == SEEN_AGAIN:
            break
    return float(min(seen))


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


class Push(NamedTuple):
    """One launch as all viewers heard of it: messages about others, bytes about it, and segments that brought them."""

    others: int
    told_bytes: int
    segments: int


def _quiet_pushes(subject: Subject, crowd: Sequence[ClientConnection]) -> list[Push]:
    """Launch packets until a few were announced without another message in between; the loudest are left out."""
    pushes: list[Push] = []
    while len(pushes) < LAUNCHES_MAX and [push.others for push in pushes].count(0) < QUIET_LAUNCHES:
        pushes.append(_push(subject, crowd))
    least = min(push.others for push in pushes)
    return [push for push in pushes if push.others == least]


def _push(subject: Subject, crowd: Sequence[ClientConnection]) -> Push:
    """Launch a packet, and note what all viewers were told until they could tap."""
    before = sum(map(_segments_in, crowd))
    packet_id = launched(f"http{subject.url.removeprefix('ws').partition('/ws/')[0]}", len(crowd))
    others, told_bytes = 0, 0
    for one in crowd:
        kind = ""
        while kind != LAST_PUSH:
            message = _next(one)
            if packet_id not in message:
                others += 1
                continue
            kind = _kind(message)
            told_bytes += len(message)
    return Push(others, told_bytes, sum(map(_segments_in, crowd)) - before)


def _segments_in(one: ClientConnection) -> int:
    """Return how many segments with data have come in: over loopback one for each short write of the server."""
    told = one.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    return int(struct.unpack_from("I", told, SEGMENTS_AT)[0])


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
