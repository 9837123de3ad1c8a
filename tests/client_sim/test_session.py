"""A rejection keeps status and text apart."""

from client_sim.session import Rejection


def test_a_rejection_may_have_no_status() -> None:
    """No answer is another thing than a refusal."""
    assert Rejection(None, "no answer to the handshake").status is None
    assert Rejection(503, "503 Service Unavailable").status == 503
