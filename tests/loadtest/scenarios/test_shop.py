"""The shop of a scenario is data, checked when read, and a wrong one says where it is wrong."""

from pathlib import Path

import pytest

from client_sim.buyer import Habit
from loadtest.scenarios.crowd_scenario import BadScenario
from loadtest.scenarios.scenario import Scenario, load_scenario
from server.core.orders.purchase import App
from tests.loadtest.scenarios.test_scenario import GOOD

SHOP = """
[shop]
orders = 0.5
commission_rate = 2_000

[shop.mix]
pay = 2
abandon = 1

[[shop.products]]
product_id = "tea"
price_fen = [100, 200]

[[shop.products]]
product_id = "wok"
price_fen = 5_000

[[shop.discounts]]
kind = "full_reduction"
amount_fen = 100
threshold_fen = 1_000
"""


def read(folder: Path, text: str) -> Scenario:
    path = folder / "mine.toml"
    path.write_text(text, "utf-8")
    return load_scenario(str(path))


def test_a_shop_is_read(tmp_path: Path) -> None:
    """Prices may be one or a span, and the app is that of the platform unless it is said."""
    shop = read(tmp_path, GOOD + SHOP).shop
    assert shop is not None
    assert [ware.product.price_max_fen for ware in shop.products] == [200, 5_000]
    assert shop.mix == {Habit.PAY: 2, Habit.ABANDON: 1}
    assert [shop.client_on(platform) for platform in ("douyin", "kuaishou", "lab")] == ["douyin", "kuaishou", "other"]
    assert shop.model_copy(update={"client": App.HUOSHAN}).client_on("douyin") == "huoshan"


def test_there_need_be_none(tmp_path: Path) -> None:
    """A scenario without a shop has none."""
    assert read(tmp_path, GOOD).shop is None


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("orders = 0.5", "orders = 1.5", "shop.orders"),
        ("pay = 2\nabandon = 1", "pay = 0", "mix needs at least one habit with a weight above 0"),
        ("pay = 2", "steal = 2", "shop.mix.steal"),
        ("price_fen = 5_000", "price_fen = 0", "a price above 0"),
        ("[100, 200]", "[200, 100]", "must be a price above 0, or"),
        ('"wok"', '"tea"', "each needs a unique product_id"),
        ("commission_rate = 2_000", "commission_rate = 9_000\nservice_fee_rate = 1_001", "at most 10000"),
        ("amount_fen = 100\n", "amount_fen = 100\npay_permille = 900\n", "give either amount_fen or pay_permille"),
        ('"full_reduction"', '"creator_packet"', "must not be a packet"),
        ('"full_reduction"', '"gold_coin"', "and no threshold"),
        ("orders = 0.5", 'orders = 0.5\nentrance = "roof"', "shop.entrance"),
        ("orders = 0.5", "buyers_max = 0", "shop.buyers_max"),
        ("launch_at_ms = 0", 'launch_at_ms = 0\nproduct_ids = ["ball"]', "packets.0.product_ids: the shop sells none"),
        ("launch_at_ms = 0", "launch_at_ms = 0\nuse_for_ms = 5\nuse_end_at_ms = 9", "give either use_for_ms or"),
        ("launch_at_ms = 0", "launch_at_ms = 0\nuse_start_at_ms = 9", "use_start_at_ms needs a later use_end_at_ms"),
        ("launch_at_ms = 0", "launch_at_ms = 0\nproduct_ids = []", "packets.0.product_ids"),
        ('name = "mine"', 'name = "mine"\nloop_ms = 5', "shop: does not go with loop_ms"),
    ],
)
def test_nonsense_is_told_by_its_field(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    """Each wrong field is named with what is wrong about it."""
    text = GOOD + SHOP
    assert old in text
    with pytest.raises(BadScenario) as told:
        read(tmp_path, text.replace(old, new, 1))
    assert sentence in str(told.value)
