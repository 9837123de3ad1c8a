"""A server whose disk is full: it says so, loses nothing, and takes up its work when there is room."""

from pathlib import Path

import pytest
import requests

from loadtest.run.server_process import ServerProcess
from tests.conftest import fill
from tests.waiting import until

TIMEOUT_S = 30.0


def _recharge(url: str, times: int) -> int:
    """Recharge anna by 1 fen for the *times*-th time; return the status."""
    key = {"Idempotency-Key": f"r{times}"}
    body = {"amount_fen": 1}
    answer = requests.post(f"{url}/api/creators/anna/recharge", json=body, headers=key, timeout=TIMEOUT_S)
    assert answer.status_code in (200, 503), answer.text
    return answer.status_code


@pytest.mark.parametrize("durability", ["relaxed", "durable"])
def test_a_full_disk_is_told_and_outlived(tmp_path: Path, small_disk: Path, durability: str) -> None:
    """Readiness and log say that the disk is full, and every acknowledged fen is there once it is not."""
    (tmp_path / "home").symlink_to(small_disk)
    server = ServerProcess(tmp_path, ["--limits", "load", "--durability", durability])
    try:
        url = server.wait_until_ready()
        acknowledged = 0
        filler = fill(small_disk)

        def told() -> bool:
            nonlocal acknowledged
            answer = requests.get(f"{url}/readyz", timeout=TIMEOUT_S)
            if "disk full" in answer.text:
                return answer.status_code == 503
            acknowledged += _recharge(url, acknowledged) == 200
            return False

        until(told)
        until(lambda: "disk full" in (tmp_path / "server.log").read_text())

        filler.unlink()
        until(lambda: requests.get(f"{url}/readyz", timeout=TIMEOUT_S).status_code == 200)
        assert acknowledged > 0
        funds = requests.get(f"{url}/api/creators/anna/funds", timeout=TIMEOUT_S).json()
        assert funds["recharged_fen"] - acknowledged in (0, 1)  # the last one's outcome was not known
        assert _recharge(url, acknowledged) == 200
    finally:
        server.stop()
