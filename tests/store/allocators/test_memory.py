"""An allocator's memory, and what it evicts first."""

import pytest

from server.core.ids import PacketId, RequestId, ViewerId
from server.core.packets.claim import ClaimStatus, Share
from server.core.packets.packet import Schedule
from server.store.allocators import memory
from server.store.allocators.memory import Memory, Recollection
from tests.store.desk import ROOM, grab

SCHEDULE = Schedule(0, 1_000, 2_000)
S = ClaimStatus


def a_recollection(name: str, claims: int | None = None, *, sold_out: bool = False) -> Recollection:
    held = None
    if claims is not None:
        held = {ViewerId(f"v{n}"): Share(n, 5, 1, RequestId(f"q{n}")) for n in range(claims)}
    return Recollection(PacketId(name), ROOM, 1, SCHEDULE, held, sold_out)


@pytest.mark.parametrize(
    ("claims", "sold_out", "now_ms", "expected"),
    [
        (None, False, 989, S.TOO_EARLY),
        (None, False, 990, None),
        (None, False, 2_500, None),
        (1, True, 1_989, S.EXHAUSTED),
        (1, True, 1_990, None),
        (1, True, 2_009, None),
        (1, True, 2_010, S.TOO_LATE),
        (1, False, 1_500, None),
        (1, False, 2_009, None),
        (1, False, 2_010, S.TOO_LATE),
    ],
)
def test_a_refusal_is_known_only_where_no_clock_error_can_change_it(
    claims: int | None, sold_out: bool, now_ms: int, expected: ClaimStatus | None
) -> None:
    """With ten milliseconds of error, ten milliseconds around each edge belong to the store."""
    assert expected == a_recollection("c1.p", claims, sold_out=sold_out).refusal_at(now_ms, 10)


def test_owners_get_their_share_and_others_the_refusal() -> None:
    """The tap that won is granted again, another of the same viewer repeats, a stranger is refused."""
    grabs = [grab("v0", "q0"), grab("v0", "other"), grab("stranger")]

    claims = a_recollection("c1.p", 1).answer(grabs, S.EXHAUSTED)

    assert [claim.status for claim in claims] == [S.GRANTED, S.REPEATED, S.EXHAUSTED]
    assert [claim.share and claim.share.index for claim in claims] == [0, 0, None]
    assert [claim.edition for claim in claims] == [1, 1, 1]


def test_the_packets_not_asked_for_longest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory holds so many packets and no more."""
    monkeypatch.setattr(memory, "PACKETS_REMEMBERED_MAX", 2)
    remembered = Memory()
    remembered.put(a_recollection("c1.a"))
    remembered.put(a_recollection("c1.b"))
    remembered.get(PacketId("c1.a"))
    remembered.put(a_recollection("c1.c"))

    assert [name for name in ("c1.a", "c1.b", "c1.c") if remembered.get(PacketId(name))] == ["c1.a", "c1.c"]


def test_memory_holds_so_many_claims_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packets go when their claims together are too many; one that is too large alone may stay alone."""
    monkeypatch.setattr(memory, "CLAIMS_REMEMBERED_MAX", 10)
    remembered = Memory()
    remembered.put(a_recollection("c1.a", 6))
    remembered.put(a_recollection("c1.a", 5))
    remembered.put(a_recollection("c1.b", 5))
    assert remembered.get(PacketId("c1.a"))
    assert remembered.get(PacketId("c1.b"))

    remembered.put(a_recollection("c1.c", 20))

    assert remembered.get(PacketId("c1.a")) is None
    assert remembered.get(PacketId("c1.b")) is None
    assert remembered.get(PacketId("c1.c"))


def test_a_cleared_memory_holds_nothing_and_has_room_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cleared entries no longer count."""
    monkeypatch.setattr(memory, "CLAIMS_REMEMBERED_MAX", 10)
    remembered = Memory()
    remembered.put(a_recollection("c1.a", 6))
    remembered.clear()
    assert remembered.get(PacketId("c1.a")) is None

    remembered.put(a_recollection("c1.b", 5))
    remembered.put(a_recollection("c1.c", 5))
    assert remembered.get(PacketId("c1.b"))
