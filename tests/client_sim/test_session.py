"""A rejection keeps status and text apart, and a plain session is the beginning of one of a user's own."""

import pytest

from client_sim.session import PATIENCE_NS, PlainSession, Refusal


def test_a_rejection_may_have_no_status() -> None:
    """No answer is another thing than a refusal."""
    assert Refusal(None, "no answer to the handshake").status is None
    assert Refusal(503, "503 Service Unavailable").status == 503


def test_a_plain_session_says_nothing_by_itself() -> None:
    """It sends messages as they are, and nobody is in until a subclass says so."""
    session = PlainSession()
    assert (session.entered, session.over, session.live_room, session.announces) == (False, False, False, False)
    assert (session.start(), session.finish(), session.replies(), session.patience_ns) == (b"", (), (), PATIENCE_NS)
    assert (session.frame(b"GRAB"), session.close(1000)) == (b"GRAB", False)
    assert (session.ending(), session.rejection().status) == ((1006, ""), None)
    with pytest.raises(NotImplementedError):
        session.ping(1)
