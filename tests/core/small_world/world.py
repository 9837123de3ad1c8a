"""
The small world: one creator, one packet of two shares, two viewers, one order, and everything that may happen to them.

Every step may be asked at any time, sensible or not. Steps have fixed transfer ids, so that one asked again is a
duplicate. What the steps do is in ``steps``; what must hold after each is in ``checks``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from server.core.ids import CreatorId, PacketId, RoomId, ViewerId
from server.core.money.posting import Reversal
from server.core.orders.asset import Asset
from server.core.orders.order import Order, OrderState
from server.core.orders.settlement import Rates
from server.core.packets.packet import Denomination, Edition, Packet, PacketState, Schedule, Terms
from server.core.refusal import Refused
from server.core.rulebooks.platforms import LAB
from server.core.rulebooks.rulebook import Rulebook
from tests.core.money.ledger_model import Ledger

CREATOR, PACKET, ROOM = CreatorId("c1"), PacketId("c1.p"), RoomId("room-c1")
ANNA, BELA = ViewerId("anna"), ViewerId("bela")
MERCHANT = "shop"
START_MS = 1_700_000_000_000
LEAD_MS, WINDOW_MS, ADDED_WAIT_MS = 1_000, 5_000, 2_000
RATES = Rates(commission=2_000, service_fee=500)
SHARES = (400, 600)
ADDED_FEN = 500  # what an edit by one share adds: the mean of the first two
LINES_FEN, SHIPPING_FEN = (300, 200), 100
RULES = replace(LAB, platform="small", refund_horizon_ms=3_000, reversal_delay_ms=1_000, order_unpaid_max_ms=6_000)


class Do(StrEnum):
    """Everything that may be asked."""

    RECHARGE = "recharge"
    WITHDRAW = "withdraw"
    PAID = "withdraw_paid"
    FAILED = "withdraw_failed"
    FUND = "fund"
    LAUNCH = "launch"
    CLAIM = "claim"
    VOID = "void"
    EDIT = "edit"
    END = "end"
    SWEEP = "sweep"
    SUBMIT = "submit"
    PAY = "pay"
    CANCEL = "cancel"
    REFUND = "refund"
    FINISH = "finish"
    CATCH_UP = "catch_up"
    EXPIRE = "expire"
    REVERSE = "reverse"
    WAIT = "wait"


class Step(NamedTuple):
    """
    One thing asked. ``key`` is the transfer id, or the viewer, or the refund; ``number`` is an amount or a variant.

    A ``twisted`` step has another body than the one for which its key stands; it is asked once that is known.
    """

    do: Do
    key: str = ""
    number: int = 0
    twisted: bool = False


STOLEN = 1  # an order that names anna's share
ALMOST = Step(Do.WAIT, "almost")  # until a millisecond before the next boundary
STEPS = (
    Step(Do.RECHARGE, "r1", 1_200),
    Step(Do.RECHARGE, "r1", 1_300, twisted=True),
    Step(Do.RECHARGE, "r2", 800),
    Step(Do.WITHDRAW, "w1", 500),
    Step(Do.WITHDRAW, "w1", 400, twisted=True),
    Step(Do.PAID, "w1"),
    Step(Do.FAILED, "w1"),
    Step(Do.FUND, "f1"),
    Step(Do.FUND, "f1", 1, twisted=True),
    Step(Do.LAUNCH),
    Step(Do.CLAIM, ANNA),
    Step(Do.CLAIM, ANNA, 1),
    Step(Do.CLAIM, BELA),
    Step(Do.VOID, "v1"),
    Step(Do.VOID, "v2"),
    Step(Do.VOID, "r1", twisted=True),
    Step(Do.EDIT, "up", 1),
    Step(Do.EDIT, "down", -1),
    Step(Do.EDIT, "up", 7, twisted=True),
    Step(Do.END, "n1"),
    Step(Do.END, "f1", twisted=True),
    Step(Do.SWEEP),
    Step(Do.SUBMIT, ANNA),
    Step(Do.SUBMIT, BELA),
    Step(Do.SUBMIT, BELA, STOLEN),
    Step(Do.SUBMIT, ANNA, 2, twisted=True),
    Step(Do.PAY, "p1"),
    Step(Do.PAY, "r1", twisted=True),
    Step(Do.CANCEL, "x1"),
    Step(Do.CANCEL, "p1", twisted=True),
    Step(Do.REFUND, "part"),
    Step(Do.REFUND, "full"),
    Step(Do.REFUND, "part", 1, twisted=True),
    Step(Do.FINISH),
    Step(Do.CATCH_UP),
    Step(Do.EXPIRE),
    Step(Do.REVERSE),
    Step(Do.WAIT),
)


@dataclass(frozen=True, slots=True)
class Setting:
    """By which rules a world goes, and for how long claimed shares can be used: from the claim on, or until then."""

    rulebook: Rulebook = RULES
    use_for_ms: int | None = 4_000
    use_end_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Issue:
    """The packet, as far as it is not its ledger's: ``waiting`` are added shares until ``claimable_at_ms``."""

    shares: tuple[int, ...]
    state: PacketState = PacketState.DRAFT
    schedule: Schedule | None = None
    edition: int = 1
    waiting: int = 0
    claimable_at_ms: int = 0
    taps: tuple[tuple[str, int], ...] = ()  # viewer and tap of each claim
    edits: tuple[tuple[str, int], ...] = ()  # how many shares each edit asked for
    expired_upto: int = 0  # of the assets, in the order of their claims


@dataclass(frozen=True, slots=True)
class World:
    """All there is at an instant."""

    setting: Setting
    now_ms: int
    ledger: Ledger
    issue: Issue | None = None
    assets: tuple[Asset, ...] = ()
    order: Order | None = None
    ordered_at_ms: int = 0
    reversals: tuple[Reversal, ...] = ()
    known: frozenset[str] = frozenset()

    def steps(self) -> Iterator[Step]:
        """Yield every step that can be asked: an order is the first's who submits one."""
        for step in STEPS:
            if step.twisted and step.key not in self.known:
                continue
            if step.do is Do.SUBMIT:
                other = self.order is not None and self.order.viewer_id != step.key
                if other or self.asset_of(ANNA if step.number == STOLEN else step.key) is None:
                    continue
            if step.do is Do.CATCH_UP and self.order is None:
                continue
            yield step

    def asset_of(self, viewer: str) -> Asset | None:
        """Return the share that a viewer has claimed."""
        return next((asset for asset in self.assets if asset.viewer_id == viewer), None)

    def boundary_ms(self) -> int | None:
        """Return the next instant at which something begins or ends by itself."""
        instants = [each.due_at_ms for each in self.reversals] + [each.use_end_at_ms for each in self.assets]
        if self.issue is not None and self.issue.schedule is not None:
            schedule = self.issue.schedule
            instants += [schedule.grab_at_ms, schedule.claim_end_at_ms, self.issue.claimable_at_ms]
        if (due_at_ms := self.order_due_at_ms()) is not None:
            instants.append(due_at_ms)
        return min((instant for instant in instants if instant > self.now_ms), default=None)

    def order_due_at_ms(self) -> int | None:
        """Return when the sweeper has something to do with the order, if it ever has."""
        if self.order is None:
            return None
        match self.order.state:
            case OrderState.SUBMITTED_UNPAID:
                return self.ordered_at_ms + self.setting.rulebook.order_unpaid_max_ms
            case OrderState.PAID:
                assert self.order.paid_at_ms is not None
                return self.order.paid_at_ms + self.setting.rulebook.refund_horizon_ms
        return None

    def shape(self) -> object:
        """Return what decides all that may still happen, and where all money is."""
        order = self.order
        due_at_ms = self.order_due_at_ms()
        held = order and (order.viewer_id, order.state, due_at_ms, len(order.refunds))
        assets = tuple((each.viewer_id, each.use_end_at_ms, each.state) for each in self.assets)
        balances = frozenset(self.ledger.balances().items())
        return self.now_ms, self.issue, assets, held, self.reversals, self.known, balances

    def packet(self) -> Packet:
        """Return the packet as the core knows it. Raises Refused if there is none."""
        if self.issue is None:
            raise Refused("not_found", "no such packet")
        issue = self.issue
        terms = terms_of(issue.shares)
        first = Edition(1, 0, len(SHARES), sum(SHARES), "")
        return Packet(
            PACKET,
            CREATOR,
            "rain",
            self.setting.rulebook.platform,
            terms,
            issue.state,
            issue.edition,
            "",
            schedule=issue.schedule,
            use_end_at_ms=self.setting.use_end_at_ms,
            use_for_ms=self.setting.use_for_ms,
            reversal_delay_ms=self.setting.rulebook.reversal_delay_ms,
            editions=(first,),
        )


def terms_of(shares: tuple[int, ...]) -> Terms:
    return Terms(Denomination.RANDOM, len(shares), sum(shares), 1, 1_000)


def beginning(setting: Setting) -> World:
    """Return the world in which nothing has happened."""
    return World(setting, START_MS, Ledger())
