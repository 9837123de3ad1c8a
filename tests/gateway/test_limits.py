"""The two profiles of limits, and quotas."""

import dataclasses

import pytest

from server.gateway.limits import LOAD, PRODUCTION, Quota


def test_the_load_profile_loosens_only_what_counts_viewers() -> None:
    """Under load the sizes of frames and outboxes are those of production: the code paths are the same."""
    loosened = {
        field.name
        for field in dataclasses.fields(PRODUCTION)
        if getattr(PRODUCTION, field.name) != getattr(LOAD, field.name)
    }
    assert loosened == {
        "session",
        "room_viewers_max",
        "connections_per_viewer_max",
        "connections_per_address_max",
        "guests_per_address_max",
        "half_open_per_address_max",
        "http_connections_per_address_max",
        "request_ms",
    }
    assert LOAD.session.malformed_max == PRODUCTION.session.malformed_max


def test_every_limit_is_positive() -> None:
    """No profile has a limit that lets nothing through."""
    for limits in (PRODUCTION, LOAD):
        numbers = {**dataclasses.asdict(limits), **dataclasses.asdict(limits.session)}
        assert all(number > 0 for name, number in numbers.items() if name != "session")


def test_most_of_an_outbox_is_kept_for_what_nobody_may_miss() -> None:
    """A viewer becomes a slow consumer long before it is disconnected."""
    assert PRODUCTION.outbox_soft_bytes == 64 * 1024 == PRODUCTION.outbox_bytes_max // 4


def test_a_quota_counts_each_holder() -> None:
    """Each holder has its own count; what is given back can be taken again, and nothing of it is kept."""
    quota = Quota(2)
    assert [quota.take("a"), quota.take("a"), quota.take("a"), quota.take("b")] == [True, True, False, True]
    quota.give_back("a")
    assert quota.take("a")
    for holder in ("a", "a", "b"):
        quota.give_back(holder)
    assert (quota.held("a"), quota.held("b")) == (0, 0)
    with pytest.raises(KeyError):
        quota.give_back("a")
