"""A body of a request has a limit, whether its length is told or not."""

import json
from collections.abc import Iterator

import pytest
import requests

from server.api.body_limit import BODY_BYTES_MAX
from tests.api.caller import JSON, TIMEOUT_S, Caller


def _recharge_of(size: int) -> bytes:
    """Return a proper body of so many bytes."""
    return json.dumps({"amount_fen": 1}).encode().ljust(size)


def test_a_body_of_the_limit_is_read(api: Caller) -> None:
    """The limit is inclusive."""
    creator_id = api.creator()
    assert api.ask("POST", f"/api/creators/{creator_id}/recharge", raw=_recharge_of(BODY_BYTES_MAX)).ok


@pytest.mark.parametrize("size", [BODY_BYTES_MAX + 1, 100 * BODY_BYTES_MAX])
def test_a_body_past_the_limit_is_413(api: Caller, size: int) -> None:
    """One byte too many is refused, and nothing happens."""
    creator_id = api.creator()
    with api.nothing_changes(creator_id):
        answer = api.ask("POST", f"/api/creators/{creator_id}/recharge", raw=_recharge_of(size))
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_a_body_without_a_length_is_counted(api: Caller) -> None:
    """A body that comes in pieces is counted as it comes."""

    def pieces() -> Iterator[bytes]:
        for _ in range(3):
            yield b" " * (BODY_BYTES_MAX // 2)

    creator_id = api.creator()
    address = f"{api.url}/api/creators/{creator_id}/recharge"
    answer = requests.post(address, data=pieces(), headers=JSON, timeout=TIMEOUT_S)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
