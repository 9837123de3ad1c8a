"""``redrain bench grab``: CPU per grab of server and store, over WebSocket, against the floor and the peers."""

from functools import partial

from scripts.bench.cpu import cpu_us
from scripts.bench.process import bench_process
from scripts.bench.rounds import Benchmark, BenchTarget
from scripts.bench.subjects import SUBJECTS, Subject

CONNECTIONS = 500
VOLLEYS = 40
WARM_UP_VOLLEYS = 4
RATIOS = {"floor": 2.6, "websockets + redis-py": 0.2}  # ours over theirs, at most


def benchmark() -> Benchmark:
    """Return the benchmark of the grab path."""
    return Benchmark(
        "grab",
        "grab, server and store",
        {name: partial(_measure, name) for name in SUBJECTS},
        [BenchTarget("redrain", theirs, limit) for theirs, limit in RATIOS.items()],
    )


def _measure(name: str) -> float:
    """Return the CPU microseconds that one grab cost a fresh subject."""
    with SUBJECTS[name](VOLLEYS + WARM_UP_VOLLEYS, CONNECTIONS) as subject:
        return cost_of(subject, CONNECTIONS)


def cost_of(subject: Subject, connections: int) -> float:
    """Return the CPU microseconds that one grab costs *subject*, which has as many shares a packet as connections."""
    _fire(subject, subject.packet_ids[:WARM_UP_VOLLEYS], connections)
    units = connections * (len(subject.packet_ids) - WARM_UP_VOLLEYS)
    return _fire(subject, subject.packet_ids[WARM_UP_VOLLEYS:], connections) / units


def _fire(subject: Subject, packet_ids: list[str], connections: int) -> float:
    """Fire the volleys and return the CPU that the subject used between the first and the last."""
    with bench_process("scripts.bench.volleys", subject.url, str(connections), ",".join(packet_ids)) as shooter:
        shooter.line("ready")
        before = cpu_us(subject.pids)
        shooter.go()
        shooter.line("done")
        return cpu_us(subject.pids) - before
