"""The port's refusal says which HTTP status answered, so that nobody reads it out of a text."""

from loadtest.targets.port import NotAdmitted


def test_a_refusal_has_its_status() -> None:
    """It is an OSError to the engines, which count it as a failure to connect."""
    refused = NotAdmitted(401, "401 no ticket")
    assert (refused.status, str(refused), isinstance(refused, OSError)) == (401, "401 no ticket", True)
    assert NotAdmitted(None, "no answer").status is None
