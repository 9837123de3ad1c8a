"""A written run for each invariant that does not hold, by the mistake that docs/invariants.md tells of."""

from collections.abc import Callable
from typing import Any

from tests.loadtest.written_run import NS_PER_MS, T0_NS, WrittenRun, a_run, unsent


def _with_a_lost_push() -> WrittenRun:
    run = a_run()
    whole = run.of("run", conn="v0.0")[0]
    at = run.history.index(whole)
    run.history[at : at + 1] = [whole | {"last_seq": 2}, whole | {"first_seq": 4}]
    return run


def _with_a_lost_claim() -> WrittenRun:
    run = a_run()
    run.drop(run.of("claim")[0])
    return run


def _with_a_wrong_wallet() -> WrittenRun:
    run = a_run()
    run.of("creator")[0]["wallet"]["available_fen"] -= 1
    return run


def _with_an_unsent_receipt() -> WrittenRun:
    run = a_run()
    unsent(run.of("grab", viewer="v0")[0])
    return run


def _with_an_early_closing() -> WrittenRun:
    run = a_run()
    tap = run.of("grab", packet="c1.p0")[0]
    told: dict[str, Any] = {"conn": "v0.0", "viewer": "v0", "request_id": "early", "type": "fail", "receipt": "x"}
    told |= {"t_sent": T0_NS + 2_690 * NS_PER_MS, "t_reply": T0_NS + 2_700 * NS_PER_MS, "claim_id": None}
    run.history = [tap | told | {"status": "too_late"}, *run.history]
    run.history[-1]["grabs"] += 1
    return run


def _with_a_late_opening() -> WrittenRun:
    run = a_run()
    run.of("fact", type="open")[0]["at_ms"] += 400
    return run


BROKEN: dict[str, Callable[[], WrittenRun]] = {
    "A1": lambda: a_run(flaw="check then act", share_count=10, viewers=24),
    "A2": lambda: a_run(flaw="sold out too soon", viewers=24),
    "A3": lambda: a_run(flaw="no repeat check", viewers=24),
    "A4": lambda: a_run(flaw="reply before write", share_count=40, viewers=24),
    "A5": _with_a_lost_claim,
    "A6": lambda: a_run(flaw="no repeat check", viewers=24),
    "A7": lambda: a_run(flaw="closes late", share_count=40, viewers=24),
    "A8": lambda: a_run(flaw="rounding leak", viewers=24),
    "A9": _with_a_lost_push,
    "A10": _with_a_wrong_wallet,
    "A12": _with_an_unsent_receipt,
    "A13": _with_an_early_closing,
    "A14": _with_a_late_opening,
}
