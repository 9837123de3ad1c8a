"""The naive packet of a demo: something is broken on purpose, to see that it shows."""

import tempfile
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import requests

from loadtest.demo.programme import programme_of
from loadtest.engines.crowd import Crowd, SilentView
from loadtest.engines.engine_process import CrowdOrder
from loadtest.run.director import Director
from loadtest.targets.access import Access
from loadtest.targets.requester import Requester, SetUpFailed

NAIVE = "naive"


def run_naive(url: str, access: Access, speed: int, heard: Callable[[Path], None], stopped: Callable[[], bool]) -> None:
    """
    Launch a packet of the naive allocator before viewers who all tap at once; *heard* is told where their receipts are.

    Raises ProcessFailed or SetUpFailed.
    """
    text = (resources.files("loadtest") / "demo" / "rooms" / "naive.toml").read_text("utf-8")
    scenario = programme_of(text, viewers=None, speed=speed)
    audience = scenario.audience
    with tempfile.TemporaryDirectory(prefix="redrain-naive-", ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "naive.toml"
        path.write_text(text, "utf-8")
        order = CrowdOrder(
            host=url,
            scenario=str(path),
            viewers=audience.viewers,
            seats=audience.viewers,
            arrivals_per_second=audience.arrivals_per_second,
            seed=scenario.seed,
            reaction_median_ms=audience.reaction_median_ms,
            access=access,
        )
        crowd = Crowd("swarm", Path(folder), order, processes=1, view=SilentView())
        heard(Path(folder))
        try:
            crowd.connect(stopped)
            _recharge(url, access, scenario.creators[-1].recharge_fen)
            Director(url, scenario, audience.viewers, lambda _: None, allocator=NAIVE, access=access).perform(stopped)
        finally:
            crowd.leave()


def _recharge(url: str, access: Access, amount_fen: int) -> None:
    key = f"naive-{time.monotonic_ns()}"
    try:
        Requester(url, access).post("/api/creators/platform/recharge", {"amount_fen": amount_fen}, key=key)
    except requests.RequestException as error:
        raise SetUpFailed(str(error)) from error
