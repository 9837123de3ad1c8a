"""Settings come from the environment or from options, and a wrong one is named."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from server.settings import RETENTION_MS_MIN, LimitsProfile, Settings, clean_environment, our_variables
from server.store.connection import Durability


def test_the_defaults_are_those_of_a_careful_server() -> None:
    """Nothing said: loopback, the embedded store, durable, production limits, room time is real time."""
    settings = Settings()
    assert (settings.host, settings.port, settings.store_url) == ("127.0.0.1", 8000, "")
    assert settings.durability is Durability.DURABLE
    assert settings.limits is LimitsProfile.PRODUCTION
    assert (settings.speed, settings.origin_ms, settings.diagnostics) == (1, None, False)
    assert settings.rulebooks is None


def test_the_environment_sets_each_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """REDRAIN_ and the name of the field."""
    given = {"PORT": "9000", "SPEED": "60", "DURABILITY": "none", "LIMITS": "load", "HOME": "/srv/rain"}
    for name, value in given.items():
        monkeypatch.setenv(f"REDRAIN_{name}", value)
    settings = Settings()
    assert (settings.port, settings.speed, settings.home) == (9000, 60, Path("/srv/rain"))
    assert (settings.durability, settings.limits) == (Durability.NONE, LimitsProfile.LOAD)


def test_an_option_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command-line option overrides an environment variable."""
    monkeypatch.setenv("REDRAIN_PORT", "9000")
    assert Settings(port=0).port == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("port", -1),
        ("port", 65_536),
        ("speed", -1),
        ("speed", 3_601),
        ("speed", "fast"),
        ("durability", "always"),
        ("limits", "none"),
        ("origin_ms", "noon"),
        ("origin_ms", -1),
        ("origin_ms", 1_700_000_000),  # seconds
        ("origin_ms", 1_700_000_000_000_000_000),  # nanoseconds
        ("origin_ms", 253_370_764_800_000),  # the year 9999
        ("dashboard_url", "javascript:alert(1)"),
        ("trusted_proxies", "proxy.example.org"),
        ("trusted_proxies", "10.0.0.1, "),
        ("trusted_proxies", "10.0.0.1/8"),  # an address that is no network
        ("trusted_proxies", "*, 10.0.0.1"),
        ("allowed_hosts", "http://live.example"),
        ("allowed_hosts", "live.example:8000"),  # any port
        ("allowed_hosts", "live.example, a b"),
        ("allowed_hosts", "live.*"),
        ("allowed_origins", "*"),
        ("allowed_origins", "null"),
        ("allowed_origins", "app.example"),
        ("allowed_origins", "https://app.example/"),
        ("colour", "red"),
    ],
)
def test_a_wrong_setting_is_named(field: str, value: object) -> None:
    """Also one that does not exist: a typing slip must not pass for a default."""
    with pytest.raises(ValidationError) as wrong:
        Settings.model_validate({field: value})
    assert [problem["loc"] for problem in wrong.value.errors()] == [(field,)]


def test_settings_do_not_change_while_serving() -> None:
    """A process works with what it was started with."""
    with pytest.raises(ValidationError):
        Settings().port = 1  # type: ignore[misc]


def test_everything_is_kept_unless_somebody_says_otherwise() -> None:
    """Retention is off by default, and never so short that a repeated request finds its transfer forgotten."""
    assert Settings().retention_ms == 0
    assert Settings(retention_ms=RETENTION_MS_MIN).retention_ms == RETENTION_MS_MIN
    for wrong in (-1, 1, RETENTION_MS_MIN - 1):
        with pytest.raises(ValidationError, match="retention_ms"):
            Settings(retention_ms=wrong)


@pytest.mark.parametrize("given", ["", "*", "127.0.0.1", "10.0.0.0/8, 127.0.0.1,2001:db8::/32", "::1"])
def test_proxies_are_addresses_networks_or_all(given: str) -> None:
    """By default none is trusted."""
    assert Settings().trusted_proxies == ""
    assert Settings(trusted_proxies=given).trusted_proxies == given


@pytest.mark.parametrize("given", ["", "*", "live.example", "a.example, *.b.example,192.0.2.7", "::1, [2001:db8::1]"])
def test_hosts_are_names_without_ports(given: str) -> None:
    """By default none is added to the server's own."""
    assert (Settings().allowed_hosts, Settings().allowed_origins) == ("", "")
    assert Settings(allowed_hosts=given).allowed_hosts == given
    assert Settings(allowed_origins="https://a.example, http://[::1]:3000").allowed_origins.startswith("https://a")


def test_a_process_that_we_start_inherits_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is named is kept; a user's own variables, and where Python finds their modules, come along."""
    given = {"REDRAIN_SPEED": "2", "REDRAIN_STORE_URL": "redis://h", "LOCUST_USERS": "1", "PYTHONOPTIMIZE": "2"}
    for name, value in {**given, "PYTHONPATH": "/mine", "COUPONS_DB": "x"}.items():
        monkeypatch.setenv(name, value)
    clean = clean_environment(["REDRAIN_STORE_URL"])
    assert given.keys() & clean.keys() == {"REDRAIN_STORE_URL"}
    assert (clean["PYTHONPATH"], clean["COUPONS_DB"], clean["PYTHONUTF8"]) == ("/mine", "x", "1")
    assert our_variables()["REDRAIN_SPEED"] == "2"
