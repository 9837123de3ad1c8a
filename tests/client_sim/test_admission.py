"""By what a viewer comes in."""

from client_sim.admission import WayIn


def test_the_strongest_thing_is_shown() -> None:
    """A token before a ticket before a name; who is turned away has its name alone."""
    way_in = WayIn()
    assert (way_in.query("v1"), way_in.stranger) == ("viewer=v1", True)
    way_in.ticket = "abc"
    assert (way_in.query("v1"), way_in.stranger) == ("ticket=abc", True)
    way_in.resume = "def"
    assert (way_in.query("v1"), way_in.stranger) == ("resume=def", False)
    way_in.turned_away()
    assert (way_in.query("v1"), way_in.stranger) == ("viewer=v1", True)
