"""The option of the contracts: ``pytest -p loadtest.contracts.options`` knows it."""

import pytest

pytest.register_assert_rewrite("loadtest.contracts.allocator")  # so that a failure shows what was compared


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the allocators that are to be held against the contract; each is one more."""
    parser.addoption("--allocator", action="append", default=[], metavar="package.module:Class")
