"""Tests of an embedded store's configuration file."""

from pathlib import Path

import pytest

from server.store.embedded.configuration import configuration
from server.store.fitness import Durability


@pytest.mark.parametrize(
    ("durability", "appended"),
    [
        (Durability.NONE, {'appendonly "no"'}),
        (Durability.RELAXED, {'appendonly "yes"', 'appendfsync "everysec"'}),
        (Durability.DURABLE, {'appendonly "yes"', 'appendfsync "always"'}),
    ],
)
def test_a_durability_is_a_way_to_append(durability: Durability, appended: set[str]) -> None:
    """The append-only file alone decides what a receipt survives."""
    text = configuration(Path("/somewhere"), durability, 7001, None, {})
    assert {line for line in text.decode().splitlines() if line.startswith("append")} == appended


def test_what_is_asked_for_besides_counts_and_is_quoted() -> None:
    """It takes the place of a line of ours, and a quote or a line break in a value ends nothing."""
    text = configuration(Path('/a "b"'), Durability.NONE, None, Path("/s.sock"), {"save": "1\n2"})
    assert b'dir "/a \\"b\\""\n' in text
    assert b'unixsocket "/s.sock"\nunixsocketperm "700"\n' in text
    assert b'save "1\\n2"\n' in text
    assert text.count(b"save ") == 1
