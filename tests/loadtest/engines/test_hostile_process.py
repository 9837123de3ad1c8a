"""Hostile clients come from addresses of their own, and attack all rooms; test_hostile_clients.py runs the process."""

import pytest

from loadtest.engines.hostile_process import ADDRESSES, victim_of


def test_clients_have_addresses_of_their_own() -> None:
    """None is that of the honest viewers; a server elsewhere is attacked from wherever this machine is."""
    victims = [victim_of("http://127.0.0.1:8000", ["a", "b"], number) for number in range(3 * ADDRESSES)]
    assert {each.room_id for each in victims} == {"a", "b"}
    assert len({each.local_host for each in victims}) == ADDRESSES
    assert "127.0.0.1" not in {each.local_host for each in victims}
    assert (victims[0].host, victims[0].port) == ("127.0.0.1", 8000)


@pytest.mark.parametrize("host", ["http://10.1.2.3", "http://example.test:80"])
def test_a_server_elsewhere_has_no_local_address(host: str) -> None:
    assert victim_of(host, ["a"], 5).local_host == ""
