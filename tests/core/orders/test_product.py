"""Products: the registered kind of goods is that of a line, and who contradicts it is told which line and rule."""

import pytest

from server.core.ids import CreatorId
from server.core.orders.product import TITLE_LENGTH_MAX, Product, check_goods, classified
from server.core.orders.purchase import App, GoodsKind, Line, Purchase
from server.core.refusal import Refused
from server.core.rulebooks.platforms import DOUYIN, KUAISHOU, LAB
from server.core.rulebooks.rulebook import Rulebook

REGISTERED = {"tea": GoodsKind.ORDINARY, "ticket": GoodsKind.VIRTUAL}


def a_purchase(*said: tuple[str, GoodsKind | None]) -> Purchase:
    lines = tuple(Line(f"l{n}", product_id, 1, goods=goods) for n, (product_id, goods) in enumerate(said))
    return Purchase(lines, App.DOUYIN)


@pytest.mark.parametrize(
    ("product", "field"),
    [
        (Product("", "tea"), "product_id"),
        (Product("a/b", "tea"), "product_id"),
        (Product("tea", ""), "title"),
        (Product("tea", "茶" * (TITLE_LENGTH_MAX + 1)), "title"),
        (Product("tea", "tea", creator_id=CreatorId("an.na")), "creator_id"),
        (Product("tea", "茶" * TITLE_LENGTH_MAX, creator_id=CreatorId("anna")), ""),
    ],
)
def test_a_product_has_an_id_and_something_to_read(product: Product, field: str) -> None:
    """The first slip is told."""
    if not field:
        product.check()
        return
    with pytest.raises(Refused) as refused:
        product.check()
    assert refused.value.field == field


@pytest.mark.rule("DY-USE-6")
@pytest.mark.rule("KS-USE-2")
@pytest.mark.parametrize("said", [None, *GoodsKind])
@pytest.mark.parametrize("product_id", ["tea", "ticket", "cup"])
def test_the_registered_kind_is_the_lines(product_id: str, said: GoodsKind | None) -> None:
    """Of what is not registered the line's own word counts, and ordinary where it has none."""
    purchase = a_purchase(("cup", None), (product_id, said))
    kinds = [line.goods for line in classified(purchase, REGISTERED).lines]
    assert kinds == [GoodsKind.ORDINARY, REGISTERED.get(product_id, said or GoodsKind.ORDINARY)]


@pytest.mark.rule("DY-USE-6")
@pytest.mark.rule("KS-USE-2")
@pytest.mark.parametrize(("rulebook", "rule"), [(DOUYIN, "DY-USE-6"), (KUAISHOU, "KS-USE-2"), (LAB, "DY-USE-6")])
@pytest.mark.parametrize("said", [None, *GoodsKind])
@pytest.mark.parametrize("product_id", ["tea", "ticket", "cup"])
def test_who_contradicts_the_registry_is_told_the_line_and_the_rule(
    product_id: str, said: GoodsKind | None, rulebook: Rulebook, rule: str
) -> None:
    """Either way round: excluded goods said to be ordinary, and ordinary ones said to be excluded."""
    purchase = a_purchase(("cup", GoodsKind.AUCTION), (product_id, said))
    if said in (None, REGISTERED.get(product_id, said)):
        check_goods(purchase, REGISTERED, rulebook)
        return
    with pytest.raises(Refused) as refused:
        check_goods(purchase, REGISTERED, rulebook)
    assert (refused.value.code, refused.value.field, refused.value.rule) == ("other_goods", "lines.1.goods", rule)
    assert f"registered as {REGISTERED[product_id]}" in str(refused.value)
