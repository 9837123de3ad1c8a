"""
Keeps how tests marked with a rule ended, for ``redrain rules``: one entry per test, as long as its file stays as it is.

The record lives in pytest's own cache. Runs add to it, so that a suite run in parts counts as a whole.
"""

from collections.abc import Generator
from typing import Any

import pytest

from scripts.rulemarks import digest_of, still_true

RECORD_KEY = "redrain/rules"
_ENDED = pytest.StashKey[dict[str, list[Any]]]()  # by node id: rules, outcome, digest of the file


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note the worst that any step of a marked test came to: passed, then skipped, then failed."""
    report = yield
    rules = sorted({str(rule) for mark in item.iter_markers("rule") for rule in mark.args})
    if rules:
        ended = item.config.stash.setdefault(_ENDED, {})
        _, worst, _ = ended.get(item.nodeid, (rules, "passed", ""))
        outcome = max(worst, report.outcome, key=["passed", "skipped", "failed"].index)
        ended[item.nodeid] = [rules, outcome, digest_of(item.path)]
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Add what ran now to the record, and drop tests whose file is another one by now."""
    cache = getattr(session.config, "cache", None)  # absent with -p no:cacheprovider
    ended = session.config.stash.get(_ENDED, {})
    if cache is None or not ended:
        return
    record = {**still_true(cache.get(RECORD_KEY, {}), session.config.rootpath), **ended}
    cache.set(RECORD_KEY, still_true(record, session.config.rootpath))
