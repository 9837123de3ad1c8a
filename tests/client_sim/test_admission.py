"""By what a viewer comes in."""

from client_sim.admission import Admission


def test_the_strongest_thing_is_shown() -> None:
    """A token before a ticket before a name; who is turned away has its name alone."""
    admission = Admission()
    assert (admission.query("v1"), admission.lacks_resume_token) == ("viewer=v1", True)
    admission.ticket = "abc"
    assert (admission.query("v1"), admission.lacks_resume_token) == ("ticket=abc", True)
    admission.resume = "def"
    assert (admission.query("v1"), admission.lacks_resume_token) == ("resume=def", False)
    admission.rejected()
    assert (admission.query("v1"), admission.lacks_resume_token) == ("viewer=v1", True)
