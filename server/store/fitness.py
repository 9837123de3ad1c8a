"""Check before the first command that the store is fit for money: address, version, eviction, durability, rights."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl, urlsplit

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


def unfit_mode(server: Mapping[str, Any]) -> str:
    """Return why a store is not one that stands alone, by its INFO section ``server``, or "" if it is."""
    if (server.get("server_mode") or server.get("redis_mode")) == "cluster":
        return (
            "is a node of a cluster, which is not supported yet: use a store that stands alone "
            "(cluster-enabled no), with replicas if you like"
        )
    return ""


def not_permitted(what: str) -> str:
    """Return the reason for a store whose user may not do *what*."""
    return (
        f"does not permit its user what is needed ({what}): grant it, for example with "
        "ACL SETUSER NAME +@all ~* &*, or name another user in REDRAIN_STORE_URL"
    )


_OPTIONS = frozenset({"db"})
_TLS_OPTIONS = frozenset({"ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs", "ssl_check_hostname"})


def wrong_address(url: str) -> str:
    """Return what is wrong with the path or the options of a store's URL, or ""."""
    parts = urlsplit(url)
    if parts.scheme != "unix" and not re.fullmatch(r"/?|/\d+", parts.path):
        return f"its path must be the number of a database, as in {parts.scheme}://HOST:PORT/0, not {parts.path}"
    known = _OPTIONS | (_TLS_OPTIONS if parts.scheme in ("rediss", "valkeys") else frozenset())
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := sorted(options.keys() - known):
        return f"it has no option {', '.join(unknown)}; use only {', '.join(sorted(known))}"
    if not options.get("db", "0").isdecimal():
        return "the option db must be the number of a database"
    return ""
