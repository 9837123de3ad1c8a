"""Shares a run out to several processes: what takes longest comes first, and tests that share servers stay together."""

import pytest
from xdist.scheduler import LoadScopeScheduling

TOGETHER = ("tests/api/", "tests/browser/")  # three servers for all files of the one, a browser for those of the other
LONGEST_FIRST = (
    "tests/api/",
    "tests/browser/",
    "tests/e2e/test_targets.py",
    "tests/store/test_money_machine.py",
    "tests/e2e/test_two_servers.py",
    "tests/store/test_small_world.py",
    "tests/e2e/test_races.py",
    "tests/loadtest/run/test_storm.py",
    "tests/e2e/test_faults.py",
    "tests/e2e/test_engines.py",
    "tests/e2e/test_demo.py",
    "tests/e2e/test_guarded_server.py",
    "tests/e2e/test_interrupts.py",
    "tests/e2e/test_allocators.py",
    "tests/e2e/test_storm.py",
    "tests/test_action.py",
    "tests/loadtest/run/test_director.py",
    "tests/loadtest/engines/test_locust_users.py",
    "tests/e2e/test_api_page.py",
    "tests/commands/test_order_walks.py",
    "tests/store/test_witness.py",
    "tests/loadtest/test_contracts.py",
    "tests/core/packets/test_split.py",
    "tests/workers/",
    "tests/core/test_small_world.py",
    "tests/planted/",
    "tests/gateway/test_chatter.py",
    "tests/test_limits_moved.py",
    "tests/commands/test_operations.py",
    "tests/e2e/test_full_disk.py",
    "tests/e2e/test_wheel.py",
    "tests/loadtest/run/test_shop_driver.py",
    "tests/store/test_retention.py",
    "tests/store/lua/test_poison.py",
    "tests/scripts/test_every_option.py",
    "tests/e2e/test_store_away.py",
    "tests/scripts/commands/test_rule_coverage.py",
    "tests/store/orders/test_commit.py",
    "tests/store/test_feed.py",
    "tests/commands/test_order_races.py",
    "tests/loadtest/run/test_nemesis.py",
    "tests/e2e/test_trail.py",
)
"""The rest is short: none of it can leave one process at work when the others have ended."""


class LongestFirst(LoadScopeScheduling):
    """Gives each file to one process, in the order of the collection, and the files of a folder of TOGETHER to one."""

    def _split_scope(self, nodeid: str) -> str:
        folder = next(filter(nodeid.startswith, TOGETHER), None)
        return folder or nodeid.partition("::")[0]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes longest first; all else stays as it was."""
    items.sort(key=lambda item: place_of(item.nodeid))


def place_of(nodeid: str) -> int:
    """Return how many files and folders take longer than the one of this test."""
    return next((place for place, start in enumerate(LONGEST_FIRST) if nodeid.startswith(start)), len(LONGEST_FIRST))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling | None:
    """Keep this order where files are shared out."""
    if config.getoption("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False  # it would put first what has the most tests
    return LongestFirst(config, log)
