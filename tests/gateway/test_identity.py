"""The identity of a newcomer."""

from server.core.ids import ViewerId
from server.gateway.identity import Identity


def test_only_a_ticket_has_an_id() -> None:
    """A name and a token are no use to note."""
    assert Identity(ViewerId("v1"), 5).ticket_id == ""
    assert Identity(ViewerId("v1"), 5) != Identity(ViewerId("v1"), 5, "t1", 60_000)
