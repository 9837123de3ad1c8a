"""Products in the store: what the platform has registered of goods, and lists of them."""

from collections.abc import Collection
from dataclasses import astuple
from typing import Any

from pydantic import TypeAdapter

from server.core.ids import CreatorId, checked_id
from server.core.orders.product import Product
from server.core.orders.purchase import GoodsKind
from server.core.refusal import Refused
from server.store import keys
from server.store.connection import Store
from server.store.packet_record import Record, text_fields


class Products:
    """The registered products, whoever sells them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(self, product: Product) -> None:
        """Register a product, or replace what is registered under its id; a repetition changes nothing."""
        said = ["" if value is None else value for value in astuple(product)]
        await self._store.run("register_product", [keys.product(product.product_id), keys.PRODUCTS], said)

    async def get(self, product_id: str) -> Product:
        """Return the product. Raises Refused if none is registered under this id."""
        checked_id("product_id", product_id)
        record: Any = await self._store.redis.hgetall(keys.product(product_id))
        if not record:
            raise Refused("not_found", "no such product is registered", field="product_id")
        return _product_from(record)

    async def kinds(self, product_ids: Collection[str]) -> dict[str, GoodsKind]:
        """Return the kind of goods of those products that are registered, by id, in one round trip."""
        if not product_ids:
            return {}
        async with self._store.redis.pipeline(transaction=False) as together:
            for product_id in product_ids:
                together.hget(keys.product(product_id), "goods")
            found = zip(product_ids, await together.execute(), strict=True)
        return {product_id: GoodsKind(goods.decode()) for product_id, goods in found if goods is not None}

    async def list(self, creator_id: CreatorId | None = None, *, skip: int = 0, count: int = 100) -> list[Product]:
        """Return up to *count* products after the first *skip*, a creator's or all, by creator and id."""
        first, last = ("-", "+") if creator_id is None else (f"[{creator_id}/", f"({creator_id}0")  # 0 follows /
        found: Any = await self._store.redis.zrange(keys.PRODUCTS, first, last, bylex=True, offset=skip, num=count)
        async with self._store.redis.pipeline(transaction=False) as together:
            for member in found:
                together.hgetall(keys.product(member.decode().partition("/")[2]))
            return [_product_from(record) for record in await together.execute()]


def _product_from(record: Record) -> Product:
    return _PRODUCT.validate_python({name: text or None for name, text in text_fields(record).items()})


_PRODUCT = TypeAdapter(Product)
