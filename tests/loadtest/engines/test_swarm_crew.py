"""A crew of two processes before a fake room: it grows and shrinks as it is told, and all that it counts is told."""

import subprocess
import sys

import orjson

CODE = """
import json, sys, tempfile
from pathlib import Path
from locust import stats as locust_stats
from client_sim.observations import Conn
from loadtest.engines.engine_process import CrowdOrder
from loadtest.engines.swarm_crew import SwarmCrew
from loadtest.record.history import read_history
from tests.waiting import until

stats, sizes = locust_stats.RequestStats(), []
folder = Path(tempfile.mkdtemp())
order = CrowdOrder(sys.argv[1], "locust", 9, 9, 100, 1, 400)
crew = SwarmCrew(order, part=(1, 3), processes=2, history=folder)

def connected(seats):
    crew.have(seats, complete=True)
    def there():
        crew.pour(stats)
        crew.check()
        lines = [path.read_bytes().splitlines(keepends=True) for path in folder.glob("progress-*.jsonl")]
        whole = [each[-1] for each in lines if each and each[-1].endswith(b"\\n")]
        return crew.all_connected and sum(json.loads(line)["connected"] for line in whole) == seats
    until(there, f"{seats} viewers")
    sizes.append(seats)

for seats in (5, 9, 2):
    connected(seats)
status = crew.stop()
crew.pour(stats)
history = read_history(crew.histories)
crew.close()
answered = [grab for grab in history.grabs if grab.t_reply is not None and not grab.again]
print(json.dumps({
    "status": status, "sizes": sizes, "seats": sorted({int(conn.conn.split(".")[0], 16) for conn in history.conns}),
    "codes": sorted({conn.code for conn in history.conns}), "processes": len({conn.process for conn in history.conns}),
    "connects": stats.get("connect", "WS").num_requests, "conns": len(history.conns),
    "grabs": stats.get("grab", "WS").num_requests, "answered": len(answered), "failures": stats.total.num_failures,
}))
"""


def test_a_crew_has_as_many_viewers_as_it_is_told(fake_room: str) -> None:
    """Its seats are those of its part; whoever leaves does so in order; Locust's statistics equal the history."""
    done = subprocess.run([sys.executable, "-c", CODE, fake_room], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = orjson.loads(done.stdout)
    assert (told["status"], told["sizes"], told["codes"], told["processes"]) == (0, [5, 9, 2], [1000], 2)
    assert told["seats"] == [1 + 3 * nth for nth in range(9)]
    assert (told["connects"], told["failures"]) == (told["conns"], 0)
    assert told["grabs"] == told["answered"]
