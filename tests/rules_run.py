"""
Keeps how tests marked with a rule ended, for ``redrain rules``: one entry per test, as long as its file stays as it is.

The record lives in pytest's own cache. Runs add to it, so that a suite run in parts counts as a whole. What a process
of a shared run finds travels with its reports, and only the one that gathers them writes.
"""

from collections.abc import Generator

import pytest

from scripts.commands.rule_index import digest_of, still_true

RECORD_KEY = "redrain/rules"
_WORST = ["passed", "skipped", "failed"]


class RulesRun:
    """The results of this run's marked tests by node id: rules, outcome, digest of the file."""

    def __init__(self) -> None:
        self._ended: dict[str, tuple[list[str], str, str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the worst that any step of a marked test came to."""
        for entry in report.user_properties:
            match entry:
                case (name, [list(rules), str(digest)]) if name == RECORD_KEY:
                    _, before, _ = self._ended.get(report.nodeid, (rules, "passed", digest))
                    self._ended[report.nodeid] = (rules, max(before, str(report.outcome), key=_WORST.index), digest)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Add what ran now to the record, and drop tests whose file is another one by now."""
        cache = getattr(session.config, "cache", None)  # absent with -p no:cacheprovider
        if cache is not None and self._ended:
            root = session.config.rootpath
            record = {**still_true(cache.get(RECORD_KEY, {}), root), **self._ended}
            cache.set(RECORD_KEY, still_true(record, root))


def pytest_configure(config: pytest.Config) -> None:
    """Gather reports, unless this process only hands its own to another."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(RulesRun())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Give the report of a marked test its rules along, and the digest of the file it stands in."""
    report = yield
    rules = sorted({str(rule) for mark in item.iter_markers("rule") for rule in mark.args})
    if rules:
        report.user_properties.append((RECORD_KEY, [rules, digest_of(item.path)]))
    return report
