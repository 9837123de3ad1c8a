"""Lines, purchases and packets for the tests of orders, with as few arguments as possible."""

from server.core.ids import CreatorId, ViewerId
from server.core.orders.asset import Asset, AssetState
from server.core.orders.purchase import App, Entrance, Line, Purchase

NOW = 1_000_000
DAY = 86_400_000
LI = CreatorId("li")
WANG = CreatorId("wang")
ANNA = ViewerId("anna")


def a_line(line_id: str, fen: int, *, creator_id: CreatorId | None = LI, flash_fen: int | None = None) -> Line:
    return Line(
        line_id,
        f"product-{line_id}",
        fen,
        flash_price_fen=flash_fen,
        creator_id=creator_id,
        entrance=Entrance.LIVE_ROOM,
    )


def a_purchase(*lines: Line | int, client: App = App.DOUYIN, shipping_fen: int = 0) -> Purchase:
    made = tuple(each if isinstance(each, Line) else a_line(f"l{i}", each) for i, each in enumerate(lines))
    return Purchase(made, client, shipping_fen=shipping_fen)


def a_packet(
    asset_id: str, face_fen: int, *, creator_id: CreatorId | None = LI, use_end_at_ms: int = NOW + DAY
) -> Asset:
    return Asset(asset_id, ANNA, creator_id, face_fen, 0, use_end_at_ms)


def in_state(asset: Asset, state: AssetState, order_id: str = "o1") -> Asset:
    held = order_id if state in (AssetState.LOCKED, AssetState.REDEEMED) else None
    return Asset(
        asset.asset_id,
        asset.viewer_id,
        asset.creator_id,
        asset.face_fen,
        asset.use_start_at_ms,
        asset.use_end_at_ms,
        state=state,
        order_id=held,
    )
