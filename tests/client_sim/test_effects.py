"""Effects are values: equal ones are the same wish."""

from client_sim.effects import NOTHING, Drop, Rest, Send


def test_effects_compare_by_what_they_ask_for() -> None:
    """A shell can match on them, and nothing to do is empty."""
    assert Send(b"a") == Send(b"a") != Send(b"b")
    assert Drop() == Drop()
    assert Rest(1) != Rest(2)
    assert not NOTHING
