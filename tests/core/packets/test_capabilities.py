"""Capabilities are written into a packet's record and read back from it."""

import pytest

from server.core.packets.capabilities import ALL_CAPABILITIES, Capabilities


@pytest.mark.parametrize("each", [Capabilities(), ALL_CAPABILITIES, Capabilities(edits=True)])
def test_what_is_written_is_read_back(each: Capabilities) -> None:
    """No promise is lost and none is added."""
    assert Capabilities.from_text(each.text()) == each


def test_the_text_has_names() -> None:
    """Scripts of the store look for a name in it."""
    assert ALL_CAPABILITIES.text() == "one_step,keeps_owners,edits"
    assert Capabilities().text() == ""
