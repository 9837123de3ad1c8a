"""Check before the first command that the store is fit for money: version, eviction and durability."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

VERSION_MIN = (7, 2)


class Durability(StrEnum):
    """The failures that an acknowledged claim survives (README.md, What an acknowledgement promises)."""

    NONE = "none"
    RELAXED = "relaxed"
    DURABLE = "durable"


class StoreUnfit(Exception):  # noqa: N818 - an answer about the store
    """The store answers but is not fit for use; the text says why and what to do."""


_NEEDED: dict[Durability, dict[str, str]] = {
    Durability.NONE: {},
    Durability.RELAXED: {"appendonly": "yes"},
    Durability.DURABLE: {"appendonly": "yes", "appendfsync": "always", "no-appendfsync-on-rewrite": "no"},
}


def unfitness(server: Mapping[str, Any], configuration: Mapping[str, str], durability: Durability) -> str:
    """
    Return why a store is not fit for use, or "" if it is.

    *server* is its INFO section of that name, *configuration* the answer to CONFIG GET ({} if that is not allowed).
    """
    version = str(server.get("valkey_version") or server.get("redis_version") or "0.0")
    if tuple(int(part) for part in version.split(".")[:2]) < VERSION_MIN:
        return f"is version {version}: use Valkey, or Redis 7.2 or later"
    if not configuration:
        return "does not show its configuration: allow CONFIG GET, so that eviction and durability can be checked"
    policy = configuration.get("maxmemory-policy")
    if policy != "noeviction":
        return (
            f"may evict claims (maxmemory-policy is {policy}): run CONFIG SET maxmemory-policy noeviction on it, "
            "and set it in its configuration file"
        )
    wrong = {name: value for name, value in _NEEDED[durability].items() if configuration.get(name) != value}
    if not wrong:
        return ""
    found = ", ".join(f"{name} is {configuration.get(name)}" for name in wrong)
    remedy = ", ".join(f"CONFIG SET {name} {value}" for name, value in wrong.items())
    return f"keeps less than --durability {durability} promises ({found}): run {remedy}, or ask for less"
