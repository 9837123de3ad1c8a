"""The operations on a packet, by its platform's rules and its phase."""

from dataclasses import replace

import pytest

from server.core.packets.capabilities import Capabilities
from server.core.packets.operations import operations
from server.core.packets.packet import Packet, PacketState, Schedule
from server.core.rulebooks.platforms import DOUYIN, KUAISHOU, LAB
from server.core.rulebooks.rulebook import Rulebook
from tests.core.launching import DRAFT, MINUTE, NOW, ROOM

WARMUP, GRAB, END = NOW + 10 * MINUTE, NOW + 15 * MINUTE, NOW + 25 * MINUTE
ON_AIR = replace(DRAFT, state=PacketState.LAUNCHED, room_id=ROOM, schedule=Schedule(WARMUP, GRAB, END))
UNVOIDABLE = WARMUP - 2 * MINUTE


@pytest.mark.rule("DY-UI-3")
@pytest.mark.rule("KS-UI-2")
@pytest.mark.parametrize(
    ("packet", "now_ms", "douyin", "kuaishou"),
    [
        (DRAFT, NOW, "launch copy void", "launch copy void edit end"),
        (ON_AIR, UNVOIDABLE - 1, "copy void", "copy void edit end"),
        (ON_AIR, UNVOIDABLE, "copy", "copy edit end"),
        (ON_AIR, GRAB, "copy", "copy edit end"),
        (ON_AIR, END - 1, "copy", "copy edit end"),
        (ON_AIR, END, "copy", "copy"),
        (replace(ON_AIR, state=PacketState.SETTLED), GRAB, "copy", "copy"),
        (replace(DRAFT, state=PacketState.VOIDED), NOW, "copy", "copy"),
    ],
    ids=["draft", "scheduled", "too late to void", "grabbing", "last instant", "over", "settled", "voided"],
)
def test_each_phase_has_its_operations(packet: Packet, now_ms: int, douyin: str, kuaishou: str) -> None:
    """Douyin launches, copies and voids; Kuaishou edits and ends what is pending or active as well."""
    assert " ".join(operations(packet, DOUYIN, now_ms)) == douyin
    assert " ".join(operations(packet, KUAISHOU, now_ms)) == kuaishou


def test_a_lab_voids_until_the_window_closes_and_edits_what_can_be_edited() -> None:
    """Without a lead the end of the window is the limit; another allocator's packet has a fixed issuance."""
    assert " ".join(operations(ON_AIR, LAB, END - 1)) == "copy void edit end"
    assert " ".join(operations(ON_AIR, LAB, END)) == "copy"
    assert " ".join(operations(replace(ON_AIR, capabilities=Capabilities()), LAB, GRAB)) == "copy void end"


@pytest.mark.parametrize("rulebook", [DOUYIN, KUAISHOU, LAB], ids=lambda rulebook: rulebook.platform)
def test_a_list_names_only_what_its_platform_offers(rulebook: Rulebook) -> None:
    """An operation of the page is one that some packet of the platform has."""
    assert set(rulebook.page.list_operations) <= set(operations(DRAFT, rulebook, NOW))
