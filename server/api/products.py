"""Products: what the platform has registered of goods, which nobody else's word outweighs (KS-ELG-2, DY-USE-6)."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from server.api.access import allowed_to
from server.api.app_state import WithKey, WithState
from server.api.errors import problems
from server.api.purchases import Fen
from server.commands.register_product import register_product
from server.core.credential import Role
from server.core.ids import CreatorId, checked_creator_id
from server.core.orders.product import Product
from server.core.orders.purchase import GoodsKind

router = APIRouter(prefix="/api/products", tags=["products"])

_SHOPPERS = [allowed_to(Role.ADMIN, Role.CREATOR, Role.VIEWER)]
SKIP_MAX = 10**9


class ProductAsked(BaseModel):
    """
    The whole of what is registered of a product; the list price in fen.

    ``creator_id`` is the creator whose live rooms show it.
    """

    model_config = ConfigDict(extra="forbid")

    title: str
    goods: GoodsKind = GoodsKind.ORDINARY
    list_price_fen: Fen | None = None
    creator_id: str | None = None


@router.put("/{product_id}", responses=problems(400, 413, 422, 503), dependencies=[allowed_to(Role.ADMIN)])
async def register(product_id: str, body: ProductAsked, state: WithState, _key: WithKey) -> Product:
    """
    Register a product, or replace all that is registered of it, from now on.

    A packet cannot be set up for what is registered as goods that its platform does not allow (KS-ELG-2), and an order
    goes by the kind that is registered (DY-USE-6, KS-USE-2). A repetition with any key changes nothing.
    """
    await register_product(state, Product(product_id, **dict(body)))
    return await state.products.get(product_id)


@router.get("/{product_id}", responses=problems(404, 422, 503), dependencies=_SHOPPERS)
async def product(product_id: str, state: WithState) -> Product:
    """Show what is registered of a product."""
    return await state.products.get(product_id)


@router.get("", responses=problems(422, 503), dependencies=_SHOPPERS)
async def products(
    state: WithState,
    creator_id: str | None = None,
    skip: Annotated[int, Query(ge=0, le=SKIP_MAX)] = 0,
    count: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[Product]:
    """List the products that a creator's rooms show, or all, by creator and id, after the first ``skip``."""
    of: CreatorId | None = None if creator_id is None else checked_creator_id(creator_id)
    return await state.products.list(of, skip=skip, count=count)
