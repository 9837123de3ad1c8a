"""Products in the store: registered whole, looked up together, and listed by creator."""

from typing import Any

import pytest

from server.core.ids import CreatorId
from server.core.orders.product import Product
from server.core.orders.purchase import GoodsKind
from server.core.refusal import Refused
from server.store.connection import Store
from server.store.products import Products

ANNA, BERT = CreatorId("anna"), CreatorId("anna0")


async def test_what_is_registered_last_is_there_whole(store: Store) -> None:
    """Also when it says less than before."""
    products = Products(store)
    for product in (Product("tea", "茶", GoodsKind.VIRTUAL, 0, ANNA), Product("tea", "龙井")):
        await products.put(product)
        assert await products.get("tea") == product
        assert await products.list() == [product]
    with pytest.raises(Refused) as refused:
        await products.get("cup")
    assert (refused.value.code, refused.value.field) == ("not_found", "product_id")


async def test_the_kinds_of_many_products_are_found_in_one_round_trip(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are not registered are left out, and for nothing the store is not asked."""
    products = Products(store)
    for n in range(100):
        await products.put(Product(f"p{n}", "tea", GoodsKind.AUCTION if n % 2 else GoodsKind.ORDINARY))
    trips: list[dict[str, Any]] = []
    pipeline = store.redis.pipeline

    def counted(**how: Any) -> Any:
        trips.append(how)
        return pipeline(**how)

    monkeypatch.setattr(store.redis, "pipeline", counted)
    monkeypatch.setattr(store.redis, "execute_command", lambda *_: pytest.fail("a command by itself"))
    found = await products.kinds([f"p{n}" for n in range(150)])
    assert (len(found), len(trips)) == (100, 1)
    assert (found["p1"], found["p2"]) == (GoodsKind.AUCTION, GoodsKind.ORDINARY)
    assert await products.kinds([]) == {}
    assert len(trips) == 1


async def test_the_list_of_a_creator_is_its_own(store: Store) -> None:
    """By id, page by page; a name that begins like another's is another's."""
    products = Products(store)
    of_anna = [Product(f"p{n}", "tea", creator_id=ANNA) for n in range(3)]
    others = [Product("p1x", "tea"), Product("p1y", "tea", creator_id=BERT)]
    for product in (*of_anna, *others, *of_anna):
        await products.put(product)
    assert await products.list(ANNA) == of_anna
    assert await products.list(ANNA, skip=1, count=1) == of_anna[1:2]
    assert await products.list(BERT) == others[1:]
    assert await products.list(CreatorId("nobody")) == []
    assert await products.list() == [others[0], *of_anna, others[1]]
    assert await products.list(skip=4, count=9) == others[1:]
