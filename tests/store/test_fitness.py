"""Tests of the judgement on a store."""

import pytest

from server.store.fitness import Durability, unfitness

VALKEY_9 = {"valkey_version": "9.1.2", "redis_version": "7.2.4"}
KEEPS_ALL = {
    "maxmemory-policy": "noeviction",
    "appendonly": "yes",
    "appendfsync": "always",
    "no-appendfsync-on-rewrite": "no",
}


@pytest.mark.parametrize("server", [VALKEY_9, {"redis_version": "7.2.0"}, {"redis_version": "8.0.1"}])
def test_a_store_that_keeps_everything_may_be_used(server: dict[str, str]) -> None:
    """Valkey and Redis from 7.2 on are fit for every durability."""
    assert [unfitness(server, KEEPS_ALL, durability) for durability in Durability] == ["", "", ""]


@pytest.mark.parametrize("version", ["7.0.15", "6.2.7", "2.8"])
def test_an_old_store_is_refused(version: str) -> None:
    """Before 7.2 a script may be half done when memory ends."""
    assert f"is version {version}" in unfitness({"redis_version": version}, KEEPS_ALL, Durability.NONE)


@pytest.mark.parametrize(
    "policy",
    [
        "allkeys-lru",
        "allkeys-lfu",
        "allkeys-random",
        "volatile-lru",
        "volatile-lfu",
        "volatile-random",
        "volatile-ttl",
    ],
)
def test_a_store_that_evicts_is_refused(policy: str) -> None:
    """An evicted claim is a share given twice (F07)."""
    reason = unfitness(VALKEY_9, KEEPS_ALL | {"maxmemory-policy": policy}, Durability.NONE)

    assert "CONFIG SET maxmemory-policy noeviction" in reason
    assert policy in reason


def test_a_store_that_does_not_show_its_configuration_is_refused() -> None:
    """A configuration that cannot be checked is not assumed to be right."""
    assert "CONFIG GET" in unfitness(VALKEY_9, {}, Durability.NONE)


@pytest.mark.parametrize(
    ("change", "enough_for"),
    [
        ({"appendfsync": "everysec"}, [Durability.NONE, Durability.RELAXED]),
        ({"no-appendfsync-on-rewrite": "yes"}, [Durability.NONE, Durability.RELAXED]),
        ({"appendonly": "no"}, [Durability.NONE]),
    ],
)
def test_a_promise_the_store_does_not_keep_is_refused(change: dict[str, str], enough_for: list[Durability]) -> None:
    """The reason says which setting to change to what."""
    reasons = {durability: unfitness(VALKEY_9, KEEPS_ALL | change, durability) for durability in Durability}
    name = next(iter(change))

    assert [durability for durability in Durability if not reasons[durability]] == enough_for
    assert f"CONFIG SET {name} {KEEPS_ALL[name]}" in reasons[Durability.DURABLE]
