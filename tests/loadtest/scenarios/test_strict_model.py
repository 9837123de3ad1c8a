"""A table of a scenario refuses keys that it does not know, and does not change."""

import pytest
from pydantic import ValidationError

from loadtest.scenarios.strict_model import StrictModel


class Table(StrictModel):
    viewers: int


def test_a_key_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValidationError, match="viewer\n"):
        Table.model_validate({"viewers": 1, "viewer": 2})


def test_a_table_stays_as_it_was_read() -> None:
    table = Table(viewers=1)
    with pytest.raises(ValidationError, match="frozen"):
        table.viewers = 2  # type: ignore[misc]
