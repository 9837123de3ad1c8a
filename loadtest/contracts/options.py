"""The pytest options of the contract suites: load them with ``pytest -p loadtest.contracts.options``."""

import pytest

for _contract in ("allocator", "target"):  # so that a failure shows the compared values
    pytest.register_assert_rewrite(f"loadtest.contracts.{_contract}")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--allocator``, which may be repeated, and the options of the target contract."""
    parser.addoption("--allocator", action="append", default=[], metavar="package.module:Class")
    parser.addoption("--target-scenario", default="", metavar="FILE.toml", help="the scenario that has your [target]")
    parser.addoption("--target-adapter", default="", metavar="package.module:Class", help="instead of the scenario's")
    parser.addoption("--target", default="", metavar="URL", help="instead of the scenario's base_url")
