"""Following: the platform's part does what home has decided, and what has expired meanwhile goes to the platform."""

from server.core.ids import PLATFORM, ClaimId, OrderId, PacketId
from server.core.money.posting import AssetChange, OrderKind, Posting, Reversal, StepPart
from server.core.orders.asset import AssetState
from server.core.orders.following import FollowedStep, follow, in_state
from server.core.orders.order import submit
from server.core.orders.order_stats import OrderStats
from server.core.orders.selection import exact_quote
from server.core.rulebooks.platforms import DOUYIN
from tests.core.shopping import ANNA, NOW, a_packet, a_purchase

ORDER_ID = OrderId("li.0123456789")
END = NOW + 100
WHOLE = a_packet("platform.p:0", 700, creator_id=None, use_end_at_ms=END)
LOCKED = submit(
    ORDER_ID, ANNA, exact_quote(a_purchase(10_000), (), [WHOLE], NOW, DOUYIN)[0], [WHOLE], NOW, rulebook=DOUYIN
)
BACK = FollowedStep(
    2,
    StepPart(
        OrderKind.CANCEL,
        "c",
        PLATFORM,
        ORDER_ID,
        (Posting("locked:platform.p", "assets:platform.p", 700),),
        (AssetChange(ClaimId("platform.p:0"), 700, AssetState.LOCKED, AssetState.AVAILABLE),),
    ),
    OrderStats(),
)


def test_a_part_does_what_home_has_decided() -> None:
    """The last instant of its validity is in time: the packet is the viewer's again."""
    todo, assets = follow(BACK, LOCKED.order, LOCKED.assets, END - 1, 60)
    assert (todo.kind, todo.transfer_id) == (OrderKind.FOLLOW, f"follow:{ORDER_ID}:2")
    assert (todo.postings, todo.changes, todo.reversals) == (BACK.part.postings, BACK.part.changes, ())
    assert assets == (WHOLE,)


def test_what_has_expired_meanwhile_goes_to_the_platform() -> None:
    """Its money is on its way back, once and for the delay, and nothing reaches the viewer's hands (AMB-26)."""
    todo, [asset] = follow(BACK, LOCKED.order, LOCKED.assets, END, 60)
    assert todo.postings == (Posting("locked:platform.p", "reversing:platform", 700),)
    assert [change.after for change in todo.changes] == [asset.state] == [AssetState.EXPIRED_RETURNED]
    assert todo.reversals == (Reversal(f"follow:{ORDER_ID}:2:platform.p:0", PacketId("platform.p"), 700, END + 60),)
    assert asset.order_id is None


def test_an_asset_knows_the_order_that_holds_it() -> None:
    """As long as it is locked or redeemed."""
    held = {state: in_state(WHOLE, state, LOCKED.order).order_id for state in AssetState}
    assert [state for state, order_id in held.items() if order_id == ORDER_ID] == ["locked", "redeemed"]
