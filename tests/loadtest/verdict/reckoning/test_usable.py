"""Use: the lines of each packet, and every rule against one."""

from typing import Any

import pytest

from loadtest.verdict.reckoning.usable import forbidden, lines_for
from tests.loadtest.verdict.reckoning.cases import DOUYIN, RULEBOOKS, a_case, a_line, a_packet


@pytest.mark.rule("DY-USE-3")
@pytest.mark.rule("KS-USE-1")
def test_a_packet_is_used_on_its_own_lines() -> None:
    """A creator's on its goods from its entrances, the platform's everywhere, both within their scope."""
    case = a_case(
        a_line("a", 1),
        a_line("b", 1, creator_id="wang"),
        a_line("c", 1, entrance="other"),
        a_line("d", 1, goods="auction"),
        a_line("e", 1, creator_id=None),
    )
    assert lines_for(a_packet("p", 1), case) == (0,)
    assert lines_for(a_packet("p", 1, of="platform"), case) == (0, 1, 2, 3, 4)
    assert lines_for(a_packet("p", 1, "b", "e", of="platform"), case) == (1, 4)
    assert lines_for(a_packet("p", 1, "d"), case) == ()


HERS, HIS = a_packet("p", 1), a_packet("q", 1, of="wang")


@pytest.mark.rule("DY-STK-2")
@pytest.mark.rule("DY-STK-5")
@pytest.mark.rule("DY-USE-4")
@pytest.mark.parametrize(
    ("packets", "change", "said"),
    [
        ((HERS,), {}, ""),
        ((HERS._replace(viewer_id="bob"),), {}, "belongs to bob"),
        ((HERS._replace(platform="kuaishou"),), {}, "is a packet of kuaishou"),
        ((a_packet("p", 1, "b"),), {}, "may be used on none of its lines"),
        ((HERS,), {"rulebook": DOUYIN._replace(packets_per_order_max=0)}, "it uses 1 packets of 0"),
        ((HERS,), {"rulebook": DOUYIN._replace(creator_packets_per_order_max=0)}, "it uses 1 packets of a creator"),
        ((HERS, HIS), {}, "packets of several creators"),
        ((HERS,), {"purchase": {"client": "kuaishou"}}, "not used in the app kuaishou"),
        ((HERS,), {"purchase": {"cart_merged": True}}, "not used in a merged cart"),
        ((HERS,), {"purchase": {"cart_merged": True}, "rulebook": RULEBOOKS["lab"]}, ""),
        ((HERS,), {"purchase": {"traits": ("qianchuan",)}}, "in an order that is qianchuan"),
        ((a_packet("p", 1, of="platform"),), {"purchase": {"cart_merged": True, "traits": ("qianchuan",)}}, ""),
    ],
)
def test_every_rule_against_a_packet_is_kept(packets: Any, change: dict[str, Any], said: str) -> None:
    """And nothing is said of an order that keeps them all."""
    found = [*forbidden(a_case(100, packets=packets, **change))]
    assert any(said in each for each in found) if said else found == []


@pytest.mark.rule("DY-USE-4")
def test_goods_of_several_creators_are_a_merged_cart() -> None:
    """Flagged or not (AMB-50)."""
    case = a_case(a_line("a", 100), a_line("b", 100, creator_id="wang"), packets=(HERS,))
    assert [*forbidden(case)] == ["creators' packets are not used in a merged cart"]
