"""Register a product, or change what is registered of it: orders and packets go by that from then on (DY-USE-6)."""

from server.commands.context import CommandContext
from server.core.orders.product import Product


async def register_product(at: CommandContext, product: Product) -> None:
    """Register the product. Packets and orders of before stay as they are. Raises Refused as ``Product.check`` does."""
    product.check()
    await at.products.put(product)
