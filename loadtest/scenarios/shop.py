"""The ``[shop]`` of a scenario: its products, and the behaviour of buyers who have won a packet."""

from collections.abc import Mapping
from typing import Self

from pydantic import Field, PrivateAttr, model_validator

from client_sim.buyer import Habit, ShopProduct
from loadtest.scenarios.strict_model import StrictModel, Weight
from server.core.ids import ID_LENGTH_MAX
from server.core.money.money import FEN_MAX
from server.core.orders.discount import NATURE, RED_PACKETS, DiscountKind, Stage
from server.core.orders.purchase import App, Entrance
from server.core.orders.settlement import PER_WHOLE
from server.core.rulebooks.platforms import RULEBOOKS
from server.core.rulebooks.rulebook import Rulebook

BUYERS_MAX = 10_000  # of one packet; each is asked and sends a dozen requests
PRODUCTS_MAX = 1_000
DISCOUNTS_MAX = 20


class Ware(StrictModel):
    """A product on sale at ``price_fen``: a price in fen, or a range."""

    product_id: str = Field(min_length=1, max_length=ID_LENGTH_MAX)
    price_fen: int | tuple[int, int]

    @model_validator(mode="after")
    def _has_a_price(self) -> Self:
        lowest, highest = self._ends
        if not 0 < lowest <= highest <= FEN_MAX // 1000:
            raise ValueError("price_fen: must be a price above 0, or [lowest, highest]")
        return self

    @property
    def product(self) -> ShopProduct:
        """Return the product as a buyer's plan needs it."""
        return ShopProduct(self.product_id, *self._ends)

    @property
    def _ends(self) -> tuple[int, int]:
        return (self.price_fen, self.price_fen) if isinstance(self.price_fen, int) else self.price_fen


class Offer(StrictModel):
    """
    A discount that a ``share`` of the buyers has besides packets: ``amount_fen``, or ``pay_permille`` still to be paid.

    It counts from ``threshold_fen`` and ``threshold_count`` pieces on.
    """

    kind: DiscountKind
    share: float = Field(default=1.0, gt=0, le=1)
    amount_fen: int | None = Field(default=None, gt=0, le=FEN_MAX)
    pay_permille: int | None = Field(default=None, ge=0, lt=1000)
    threshold_fen: int = Field(default=0, ge=0, le=FEN_MAX)
    threshold_count: int = Field(default=0, ge=0, le=FEN_MAX)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind in RED_PACKETS or self.kind is DiscountKind.FLASH_PRICE:
            raise ValueError("kind: must not be a packet or a flash price")
        if (self.amount_fen is None) == (self.pay_permille is None):
            raise ValueError("give either amount_fen or pay_permille")
        money_like = NATURE[self.kind][0] is Stage.FUNDS
        if money_like and (self.amount_fen is None or self.threshold_fen or self.threshold_count):
            raise ValueError("a discount that works like money takes amount_fen, and no threshold")
        return self


class Shop(StrictModel):
    """
    The use of packets that were won.

    Of each packet at most ``buyers_max`` winners become buyers; ``orders`` is the fraction of these who order, and
    ``mix`` weighs their habits. Rates are in hundredths of a percent. ``client`` is their app, by default that of the
    packet's platform. ``isv_id`` reports the steps after the payment. All orders must be final ``final_within_ms`` room
    ms after the last packet.
    """

    buyers_max: int = Field(default=50, gt=0, le=BUYERS_MAX)
    orders: float = Field(default=0.8, ge=0, le=1)
    mix: dict[Habit, Weight] = Field(default_factory=lambda: {Habit.PAY: 1.0})
    products: list[Ware] = Field(min_length=1, max_length=PRODUCTS_MAX)
    shipping_fen: int = Field(default=0, ge=0, le=FEN_MAX // 1000)
    service_fee_fen: int = Field(default=0, ge=0, le=FEN_MAX // 1000)
    discounts: list[Offer] = Field(default=[], max_length=DISCOUNTS_MAX)
    commission_rate: int = Field(default=0, ge=0, le=PER_WHOLE)
    service_fee_rate: int = Field(default=0, ge=0, le=PER_WHOLE)
    merchant_id: str = Field(default="shop", min_length=1, max_length=ID_LENGTH_MAX)
    client: App | None = None
    entrance: Entrance = Entrance.LIVE_ROOM
    isv_id: str = Field(default="erp", min_length=1, max_length=ID_LENGTH_MAX)
    final_within_ms: int = Field(default=3_600_000, gt=0)
    _rulebooks: Mapping[str, Rulebook] = PrivateAttr(default_factory=lambda: RULEBOOKS)

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if not any(self.mix.values()):
            raise ValueError("mix needs at least one habit with a weight above 0")
        if len({ware.product_id for ware in self.products}) < len(self.products):
            raise ValueError("products: each needs a unique product_id")
        if self.commission_rate + self.service_fee_rate > PER_WHOLE:
            raise ValueError(f"commission_rate: with service_fee_rate at most {PER_WHOLE}, the whole price")
        return self

    def client_on(self, platform: str) -> App:
        """Return the app in which a buyer with a packet of *platform* orders."""
        apps = self._rulebooks[platform].use_clients
        return self.client or (App.OTHER if App.OTHER in apps else next((app for app in App if app in apps), App.OTHER))

    def judged_by(self, rulebooks: Mapping[str, Rulebook]) -> None:
        """Use these rulebooks, which a scenario may have changed, instead of the built-in ones."""
        self._rulebooks = rulebooks
