"""Registering a product: what is none is refused before anything is written."""

import pytest

from server.commands.context import CommandContext
from server.commands.register_product import register_product
from server.core.orders.product import Product
from server.core.refusal import Refused
from tests.store.desk import Desk


async def test_a_product_is_registered_or_refused(desk: Desk, at: CommandContext) -> None:
    """A refusal leaves what was registered as it was."""
    tea = Product("tea", "龙井")
    await register_product(at, tea)
    before = await desk.state()
    with pytest.raises(Refused) as refused:
        await register_product(at, Product("tea", "\n"))
    assert refused.value.field == "title"
    assert await desk.state() == before
    assert await at.products.get("tea") == tea
