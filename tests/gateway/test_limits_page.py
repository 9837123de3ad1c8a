"""The page about limits says what the code does."""

import re
from dataclasses import fields
from pathlib import Path

from server.core.rooms.session import SessionLimits
from server.gateway.limits import DEMO, LOAD, PRODUCTION, Limits

PAGE = Path(__file__).parents[2] / "docs/limits.md"


def _numbers(limits: Limits) -> dict[str, int]:
    of_gateway = {one.name: getattr(limits, one.name) for one in fields(limits) if one.name != "session"}
    return {**{one.name: getattr(limits.session, one.name) for one in fields(SessionLimits)}, **of_gateway}


def test_the_page_has_every_limit_of_both_profiles() -> None:
    """A number that is changed in the code is changed on the page too."""
    rows = re.findall(r"^\| `(\w+)` \| ([\d,]+) \| ([\d,]+) \| (.+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    page = {name: (int(production.replace(",", "")), int(load.replace(",", ""))) for name, production, load, _ in rows}
    production, load = _numbers(PRODUCTION), _numbers(LOAD)
    assert page == {name: (production[name], load[name]) for name in production}


def test_a_demo_differs_where_the_page_says() -> None:
    """Only in what its audience needs, which is one address."""
    demo, production = _numbers(DEMO), _numbers(PRODUCTION)
    differing = {name: number for name, number in demo.items() if number != production[name]}
    connections = dict.fromkeys(("connections_per_address_max", "http_connections_per_address_max"), 20_000)
    assert differing == {**connections, "half_open_per_address_max": 1_000}
    assert "but 20,000 connections and 1,000 half-open\nones of an address" in PAGE.read_text("utf-8")
