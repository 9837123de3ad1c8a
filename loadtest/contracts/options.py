"""The options of the contracts: ``pytest -p loadtest.contracts.options`` knows them."""

import pytest

for _contract in ("allocator", "target"):  # so that a failure shows what was compared
    pytest.register_assert_rewrite(f"loadtest.contracts.{_contract}")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the allocators that are to be held against the contract, each is one more; or the target."""
    parser.addoption("--allocator", action="append", default=[], metavar="package.module:Class")
    parser.addoption("--target-scenario", default="", metavar="FILE.toml", help="the scenario that has your [target]")
    parser.addoption("--target-adapter", default="", metavar="package.module:Class", help="instead of the scenario's")
    parser.addoption("--target", default="", metavar="URL", help="instead of the scenario's base_url")
