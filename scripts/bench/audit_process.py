"""Process of the benchmark ``audit``: reads one recorded run, judges it, and says what that cost."""

import resource
import sys
import time
from pathlib import Path

import orjson

from loadtest.engines.lifeline import collect_seldom
from loadtest.record.given_file import Allowance
from loadtest.record.run_folder import RunFolder
from loadtest.run.judge_run import circumstances_of, packets_of_other_runs
from loadtest.verdict.audit import audit

BOUNDS = Allowance(1 << 36, 1 << 30)  # a run of millions of taps is larger than those of strangers may be


def main(path: Path) -> None:
    """Write one line of JSON: operations, CPU seconds of reading and of judging, the peak memory, and violations."""
    collect_seldom()
    folder = RunFolder(path, BOUNDS)
    facts = folder.facts()
    began = time.process_time()
    books, history, sales = folder.read_books(), folder.read_history(), folder.read_sales()
    read = time.process_time()
    run, others = circumstances_of(folder, facts), packets_of_other_runs(books, history, facts.packet_ids)
    violations = audit(books, history, folder.read_snapshots(), sales, others, run=run)
    judged = time.process_time()
    told = {
        "operations": len(history.grabs),
        "reading_s": read - began,
        "judging_s": judged - read,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "violations": [each.detail for each in violations[:3]],
    }
    sys.stdout.buffer.write(orjson.dumps(told) + b"\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
