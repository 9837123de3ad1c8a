"""Scenarios that aim at another service: which packets may be declared, and what is refused with its line."""

from pathlib import Path
from typing import Any

import pytest

from loadtest.scenarios.crowd_scenario import BadScenario
from loadtest.scenarios.scenario import Scenario
from loadtest.scenarios.target_scenario import PATIENCE_MS, ROOM, TargetScenario, folder_of, read_scenario
from tests.loadtest.targets.described import HTTP, LOGIN, PACKET, SOCKET, scenario

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.name)
def test_every_example_is_read(path: Path) -> None:
    read = read_scenario(str(path))
    assert isinstance(read, TargetScenario)
    assert folder_of(str(path)) == EXAMPLES


def test_a_scenario_without_target_is_one_of_ours() -> None:
    assert isinstance(read_scenario("smoke"), Scenario)


def test_a_mistake_is_said_with_its_line_and_field(tmp_path: Path) -> None:
    text = (EXAMPLES / "http.toml").read_text("utf-8").replace("share_count = 100", "share_count = 0")
    (tmp_path / "mine.toml").write_text(text, "utf-8")
    line = text.splitlines().index("share_count = 0") + 1
    with pytest.raises(BadScenario, match=rf"mine\.toml:{line}: packets\.0\.share_count: "):
        read_scenario(str(tmp_path / "mine.toml"))


@pytest.mark.parametrize(
    ("packet", "said"),
    [
        ({"opens_after_ms": 2_000}, "give either opens_after_ms or opens"),
        ({"opens": None}, "give either opens_after_ms or opens"),
        ({"opens": None, "opens_after_ms": 10}, "greater than or equal to 1000"),
        ({"opens": "on_message"}, r"packets\.0\.opens: on_message needs \[target\.opening\]"),
        ({"packet_id": ""}, "packet_id"),
        ({"copies": 2, "every_ms": 5}, "copies above 1 with opens_after_ms need every_ms"),
        ({"every_ms": 5}, "copies above 1 with opens_after_ms need every_ms"),
        ({"opens": None, "opens_after_ms": 2_000, "copies": 2}, "copies above 1 with opens_after_ms need every_ms"),
    ],
)
def test_a_packet_opens_in_one_way(packet: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        scenario(HTTP, packets=[PACKET | packet])


def test_packets_are_told_apart() -> None:
    with pytest.raises(ValueError, match="each needs a unique packet_id"):
        scenario(HTTP, packets=[PACKET, PACKET])
    two = [{**PACKET, "opens": "on_message"}, {**PACKET, "packet_id": "p2"}]
    nameless = {**SOCKET, "opening": {"where": SOCKET["opening"]["where"]}}
    with pytest.raises(ValueError, match="is needed, as there are several packets"):
        scenario(nameless, packets=two)


def test_packets_open_in_the_one_room() -> None:
    timed = {**PACKET, "packet_id": "p2", "opens": None, "opens_after_ms": 2_500}
    read = scenario(SOCKET, packets=[{**PACKET, "opens": "on_message"}, timed])
    assert read.openings() == [(0.0, ROOM), (2_500.0, ROOM)]
    assert read.room_ids == [ROOM]


def test_patience_is_the_timeout_of_a_grab() -> None:
    assert scenario({**HTTP, "grab": {**HTTP["grab"], "timeout_ms": 90}}).patience_ms == 90
    assert scenario({"kind": "adapter", "base_url": "tcp://127.0.0.1:7"}).patience_ms == PATIENCE_MS


@pytest.mark.parametrize(
    ("target", "named"),
    [
        (HTTP | {"grab": {"request": "POST /grab", "headers": {"X-Viewer": "1"}}}, False),
        (HTTP | {"grab": {"request": "POST /grab", "headers": {"X-Viewer": "{{viewer}}"}}}, False),
        (HTTP | {"grab": {"request": "POST /grab", "json": {"{viewer}": "1"}}}, False),
        (HTTP | {"grab": {"request": "POST /grab", "headers": {"X-Viewer": "{viewer}"}}}, True),
        (HTTP | {"grab": {"request": "POST /grab?by={{{viewer}}}"}}, True),
        (HTTP | {"grab": {"request": "POST /grab", "form": {"phone": "+86{user.phone}"}}}, True),
        (HTTP | {"grab": {"request": "POST /grab"}, "login": LOGIN}, True),
        (SOCKET | {"connect": {"path": "/room"}}, False),
        (SOCKET | {"connect": {"path": "/room", "hello": [{"who": ["{viewer}"]}]}}, True),
        ({"kind": "adapter", "base_url": "tcp://127.0.0.1:7"}, True),
    ],
)
def test_a_grab_says_who_grabs(target: dict[str, Any], *, named: bool) -> None:
    """Without a name all viewers are one person, whom a correct service gives one share; no limit, no name."""
    if named:
        assert scenario(target).target.names_viewer
        return
    with pytest.raises(ValueError, match=r"target\.grab: nothing says which viewer grabs"):
        scenario(target)
    assert scenario(target, packets=[PACKET | {"one_per_viewer": False}]).packets


def test_a_grab_without_a_name_is_refused_with_its_line(tmp_path: Path) -> None:
    """The line is that of the table."""
    text = (EXAMPLES / "http.toml").read_text("utf-8").replace("{viewer}", "1").replace("[target.login]", "[target.x]")
    text = text.replace('request = "POST /login"\njson = { user = "1" }\ntake = { token = "data.token" }\n', "")
    text = text.replace("[target.x]", "# ").replace("Bearer {token}", "Bearer 1")
    (tmp_path / "mine.toml").write_text(text, "utf-8")
    line = text.splitlines().index("[target.grab]") + 1
    with pytest.raises(BadScenario, match=rf"mine\.toml:{line}: target\.grab: nothing says which viewer"):
        read_scenario(str(tmp_path / "mine.toml"))
