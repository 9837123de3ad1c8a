"""By what a viewer comes in."""

from client_sim.admission import Admission


def test_the_strongest_thing_is_shown() -> None:
    """A token before a ticket before a name; who is turned away has its name alone."""
    admission = Admission()
    assert (admission.query("v1"), admission.stranger) == ("viewer=v1", True)
    admission.ticket = "abc"
    assert (admission.query("v1"), admission.stranger) == ("ticket=abc", True)
    admission.resume = "def"
    assert (admission.query("v1"), admission.stranger) == ("resume=def", False)
    admission.turned_away()
    assert (admission.query("v1"), admission.stranger) == ("viewer=v1", True)
