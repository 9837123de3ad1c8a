"""The settings, each a field with a default and a reason. No other module reads the environment."""

import os
from collections.abc import Collection
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from server.core.roomtime import ORIGIN_MS_MAX, ORIGIN_MS_MIN, SPEED_MAX
from server.core.web_address import is_host, listed, read_origin
from server.store.connection import Durability

WORKERS_MAX = 64  # more than the cores of one machine that a server is worth
GUESTS_PER_MINUTE_MAX = 100_000
RETENTION_MS_MIN = 60_000  # retries after an unknown outcome have happened by then


PREFIX = "REDRAIN_"
STORE_URL, SECRET, SECRET_PREVIOUS = f"{PREFIX}STORE_URL", f"{PREFIX}SECRET", f"{PREFIX}SECRET_PREVIOUS"
# What a server that a storm starts reads; all else are the storm's own options.
SERVER_VARIABLES = (STORE_URL, SECRET, SECRET_PREVIOUS)
# What changes a process of ours unseen: settings, Locust's, and how Python encodes and checks. Where modules are found
# stays, for a user's own classes.
_LEFT_OUT = (PREFIX, "LOCUST_", "PYTHON")
_KEPT = ("PYTHONPATH",)


def our_variables() -> dict[str, str]:
    """Return the variables of the environment that are ours."""
    return {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}  # noqa: TID251


def on_github() -> bool:
    """Return whether this is a job of GitHub Actions, which reads workflow commands on standard output."""
    return os.environ.get("GITHUB_ACTIONS") == "true"  # noqa: TID251


def step_summary() -> Path | None:
    """Return the file to which such a job's step appends its summary, None elsewhere."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")  # noqa: TID251
    return Path(path) if path else None


def clean_environment(kept: Collection[str] = ()) -> dict[str, str]:
    """Return the environment for a process that we start: only the variables of ours that are *kept* come with it."""
    inherited = os.environ.items()  # noqa: TID251
    kept = (*_KEPT, *kept)
    clean = {name: value for name, value in inherited if name in kept or not name.startswith(_LEFT_OUT)}
    return clean | {"PYTHONUTF8": "1"}


class LimitsProfile(StrEnum):
    """The set of limits that the gateway uses."""

    PRODUCTION = "production"
    DEMO = "demo"
    LOAD = "load"


class Settings(BaseSettings):
    """The settings of a server process, each from ``REDRAIN_<NAME>`` or an option of the same name."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    host: str = "127.0.0.1"  # loopback; serving other machines must be configured
    port: int = Field(default=8000, ge=0, le=65_535)  # 0 takes any free port
    store_url: str = ""  # empty: the embedded store
    home: Path = Path(".redrain")  # where the embedded store of a plain serve lives
    durability: Durability = Durability.DURABLE  # the failures that an acknowledged claim survives (README.md)
    witness: bool = True  # false, with diagnostics, only to measure what the witness of acknowledgements costs
    speed: int = Field(default=1, ge=0, le=SPEED_MAX)  # room milliseconds per real one; 0 is the test clock
    origin_ms: int | None = Field(
        default=None, ge=ORIGIN_MS_MIN, le=ORIGIN_MS_MAX
    )  # room time when the clock starts; None: the time of day
    limits: LimitsProfile = LimitsProfile.PRODUCTION
    diagnostics: bool = False  # enables features for load labs only: other allocators, the echo
    allocator: str = ""  # a user's own, package.module:Class, that runs beside the built-in ones; with diagnostics
    workers: int = Field(default=1, ge=1, le=WORKERS_MAX)  # processes that share the port
    rulebooks: Path | None = None  # a TOML file whose tables override limits of the rulebooks
    secret: SecretStr = SecretStr("")  # signs credentials, tickets and resume tokens; empty only where insecure
    secret_previous: SecretStr = SecretStr("")  # the one before, of which tokens are still accepted
    reusable_tickets: bool = False  # for load generators that come in again with one ticket; else each opens once
    insecure: bool = False  # on loopback only: every caller is an administrator, and any viewer name is accepted
    guests: bool = False  # anybody may come in as a viewer, and viewers check out for themselves: for demonstrations
    guests_per_minute: int = Field(default=60, ge=1, le=GUESTS_PER_MINUTE_MAX)  # of an address: a hall scans one code
    trusted_proxies: str = ""  # addresses and networks whose X-Forwarded-* and Forwarded are believed, or *
    allowed_hosts: str = ""  # names of this server beside loopback ones and its own address; *.c is all under c, * all
    allowed_origins: str = ""  # origins of other pages that may use this server, as browsers send them
    # Real ms, because it is about memory and disk, not about the show. 0, the default, keeps everything: an audit needs
    # the whole journal, and a retired transfer id no longer protects against repetition.
    retention_ms: int = Field(default=0, ge=0)
    dashboard_url: str = ""  # where a dashboard of this server is, to which /dashboard leads (redrain demo)
    backlog: int = 4096  # asyncio's 100 drops connections in a stampede
    shutdown_s: int = 10  # how long receipts may drain before connections are aborted

    @property
    def is_witnessed(self) -> bool:
        """Return whether the home keeps a witness of what is acknowledged, against which the store is compared."""
        return self.durability is not Durability.NONE and (self.witness or not self.diagnostics)

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, given: str) -> str:
        for each in () if given.strip() in ("", "*") else given.split(","):
            try:
                ip_network(each.strip())
            except ValueError as error:
                raise ValueError(f"must be addresses and networks with commas between them, or * ({error})") from None
        return given.strip()

    @field_validator("dashboard_url")
    @classmethod
    def _a_page(cls, given: str) -> str:
        if given and not given.startswith(("http://", "https://")):
            raise ValueError("must be a URL that starts with http:// or https://")
        return given

    @field_validator("allowed_hosts")
    @classmethod
    def _names(cls, given: str) -> str:
        for each in listed(given):
            if each != "*" and not is_host(each.removeprefix("*.")):
                raise ValueError(f"must be host names with commas between them, *.NAME or * ({each!r} is none)")
        return given.strip()

    @field_validator("allowed_origins")
    @classmethod
    def _pages(cls, given: str) -> str:
        for each in listed(given):
            if read_origin(each) is None:
                raise ValueError(f"must be like https://name or http://name:8000, with commas ({each!r} is not)")
        return given.strip()

    @field_validator("retention_ms")
    @classmethod
    def _not_too_soon(cls, retention_ms: int) -> int:
        if 0 < retention_ms < RETENTION_MS_MIN:
            raise ValueError(f"must be at least {RETENTION_MS_MIN}, or 0 to keep everything")
        return retention_ms
