"""The happenings of the dashboard name packets as people do."""

from loadtest.watch.facts_log import named
from loadtest.watch.picture import LogLine
from server.core.ids import PacketId

NAMES = {PacketId("host.1"): "Evening rain"}


def test_a_line_gets_the_name_once_it_is_known() -> None:
    line = LogLine(5, code="open", values={"packet": "host.1", "room": "tea"})
    assert named(line, {}) == line
    assert named(line, NAMES) == LogLine(5, code="open", values={"packet": "Evening rain", "room": "tea"})


def test_a_line_without_a_packet_stays_as_it_is() -> None:
    for line in (LogLine(5, text="started"), named(LogLine(5, code="open", values={"packet": "host.1"}), NAMES)):
        assert named(line, NAMES) == line
