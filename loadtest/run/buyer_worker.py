"""A buyer worker: sends the requests of some buyers over HTTP, in order of time, and records the answers."""

import contextlib
import heapq
import itertools
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol

import requests

from client_sim.buyer import Act, Deed, Errand
from loadtest.record.sales import AnswerRecord, SalesFile
from loadtest.run.order_form import asked_by, discount_forms, order_form, purchase_form, refund_form
from loadtest.scenarios.shop import Shop
from loadtest.targets.access import NOBODY, Access
from loadtest.targets.requester import Requester, SetUpFailed, WasRefused
from server.core.ids import OrderId

LOOK_EVERY_S = 0.05
TRIES_MAX = 5  # attempts of a request that raced with others and must be retried

EXPECTED: dict[Deed, frozenset[str]] = {
    Deed.ORDER: frozenset({"expired", "not_available", "price_changed"}),
    Deed.PAY: frozenset({"expired", "not_payable"}),
    Deed.CANCEL: frozenset(),
    Deed.REFUND: frozenset({"not_refundable"}),
    Deed.REPORT: frozenset(),
}
"""Expected refusals of a buyer: it was late, or has used the packet in another order."""


class RoomTime(Protocol):
    """The room clock."""

    def room_ms(self, instant_s: float) -> int | None:
        """Return the room time at an instant of CLOCK_MONOTONIC; None before the curtain."""

    def instant_s(self, room_ms: int) -> float | None:
        """Return when it is *room_ms*, on CLOCK_MONOTONIC in seconds; None before the curtain."""


@dataclass(slots=True)
class _OpenErrand:
    """A buyer's errand in progress: its remaining acts, and the order's last known state."""

    errand: Errand
    acts: list[Act]
    discounts: list[dict[str, Any]]
    order: dict[str, Any] = field(default_factory=dict)


class BuyerWorker:
    """
    Serves the buyers passed to it, in its own thread.

    *orders* is called with every new order; *run* makes the idempotency keys unique to this run. After an error the
    worker stops, and ``check`` raises it.
    """

    def __init__(
        self,
        host: str,
        shop: Shop,
        room: RoomTime,
        *,
        run: str,
        file: SalesFile,
        orders: Callable[[OrderId, Errand], None],
        stopped: threading.Event,
        access: Access = NOBODY,
    ) -> None:
        self._requester = Requester(host, access)
        self._shop = shop
        self._room = room
        self._run = run
        self._file = file
        self._orders = orders
        self._stopped = stopped
        self._inbox: queue.SimpleQueue[_OpenErrand] = queue.SimpleQueue()
        self._due: list[tuple[int, int, _OpenErrand]] = []
        self._numbers = itertools.count()
        self._handed = self._done = 0  # each is changed by one thread
        self._problem: Exception | None = None
        self._thread = threading.Thread(target=self._work, name="clerk", daemon=True)
        self._thread.start()

    @property
    def idle(self) -> bool:
        """Tell whether all errands passed to it are done."""
        return self._handed == self._done

    def check(self) -> None:
        """Raise the error that has stopped it, if any."""
        if isinstance(self._problem, SetUpFailed):
            raise SetUpFailed(f"in the shop, {self._problem}")
        if self._problem is not None:
            raise self._problem
        if not self._thread.is_alive():
            raise SetUpFailed("in the shop, a buyer worker failed with an internal error")

    def serve(self, errand: Errand, rng: Random) -> None:
        """Queue an errand; *rng* chooses which of the shop's discounts its buyer has."""
        if errand.acts:
            self._handed += 1
            self._inbox.put(_OpenErrand(errand, list(errand.acts), discount_forms(self._shop, rng)))

    def join(self) -> None:
        """Wait until its thread has ended, after *stopped* was set."""
        self._thread.join()

    def _work(self) -> None:
        try:
            while not self._stopped.is_set():
                self._take_in()
                self._serve_next()
        except (SetUpFailed, requests.RequestException) as error:
            self._problem = error

    def _take_in(self) -> None:
        """Take the errands in the inbox; if nothing is due yet, wait briefly for one."""
        due_s = self._room.instant_s(self._due[0][0]) if self._due else None
        left_s = LOOK_EVERY_S if due_s is None else min(LOOK_EVERY_S, due_s - time.monotonic())
        with contextlib.suppress(queue.Empty):
            if left_s > 0:
                self._push(self._inbox.get(timeout=left_s))
            while True:
                self._push(self._inbox.get_nowait())

    def _push(self, case: _OpenErrand) -> None:
        heapq.heappush(self._due, (case.acts[0].at_ms, next(self._numbers), case))

    def _serve_next(self) -> None:
        """Send the next act if it is due."""
        now_ms = self._room.room_ms(time.monotonic())
        if self._due and now_ms is not None and self._due[0][0] <= now_ms:
            case = heapq.heappop(self._due)[2]
            self._carry_out(case, case.acts.pop(0))
            if case.acts:
                self._push(case)
            else:
                self._done += 1

    def _carry_out(self, case: _OpenErrand, act: Act) -> None:
        """Send one act, twice if it is repeated; an expected refusal ends the errand."""
        won = case.errand.won
        key = f"{self._run}-{won.asset_id}-{act.name}"
        try:
            path, body = self._request(case, act, key)
        except WasRefused as refused:
            raise _unexpected(case, act, refused) from None
        if act.deed is Deed.REFUND and not body["by_line"]:
            return  # there is less than two fen of everything
        for repeated in (False, True)[: 1 + act.repeated]:
            try:
                answer = self._post(path, body, key)
            except WasRefused as refused:
                if refused.code not in EXPECTED[act.deed]:
                    raise _unexpected(case, act, refused) from None
                self._write(case, act, body, {}, code=refused.code, repeated=repeated)
                # A buyer who cannot pay because a packet has expired cancels (DY-USE-7).
                late = act.deed is Deed.PAY and refused.code == "expired"
                case.acts = [Act(act.at_ms, Deed.CANCEL, Deed.CANCEL.value)] if late else []
                return
            if act.deed is Deed.ORDER and not repeated:
                self._orders(OrderId(answer["order_id"]), case.errand)
            if act.deed is not Deed.REPORT:
                case.order = answer
            self._write(case, act, body, answer, repeated=repeated)

    def _request(self, case: _OpenErrand, act: Act, key: str) -> tuple[str, dict[str, Any]]:
        """Return path and body of an act's request; an order is built from a fresh quote."""
        if act.deed is Deed.ORDER:
            purchase = purchase_form(case.errand, self._shop, case.discounts)
            quote = self._requester.post("/api/orders/quote", purchase, key=f"{key}-quote")
            return "/api/orders", order_form(purchase, quote, self._shop, case.errand.won.room_id)
        order_id = case.order["order_id"]
        match act.deed:
            case Deed.REFUND:
                return f"/api/orders/{order_id}/refunds", refund_form(case.order, act)
            case Deed.REPORT:
                # The payment may have come later than planned, and no step is before it (AMB-49).
                occurred_at_ms = max(act.at_ms, case.order.get("paid_at_ms") or 0)
                event = {"event_id": act.name, "type": act.step, "occurred_at_ms": occurred_at_ms}
                return f"/api/trails/{order_id}/events", {**event, "source": self._shop.isv_id}
        return f"/api/orders/{order_id}/{act.deed}", {}

    def _post(self, path: str, body: dict[str, Any], key: str) -> dict[str, Any]:
        for _ in range(TRIES_MAX - 1):
            try:
                return self._requester.post(path, body, key=key)
            except WasRefused as refused:
                if refused.code != "raced":
                    raise
        return self._requester.post(path, body, key=key)

    def _write(
        self,
        case: _OpenErrand,
        act: Act,
        body: dict[str, Any],
        answer: dict[str, Any],
        *,
        code: str = "",
        repeated: bool = False,
    ) -> None:
        won = case.errand.won
        refund = act.deed is Deed.REFUND
        self._file.answer(
            AnswerRecord(
                asset_id=won.asset_id,
                viewer_id=won.viewer_id,
                habit=case.errand.habit,
                deed=act.deed,
                name=act.name,
                order_id=case.order.get("order_id"),
                room_ms=self._room.room_ms(time.monotonic()) or 0,
                code=code,
                **{name: answer.get(name) for name in ("state", "payable_fen", "kept_fen", "shown")},
                asked_fen=sum(body["by_line"].values()) + body["extras_fen"] if refund else None,
                repeated=repeated,
                asked=asked_by(body) if act.deed is Deed.ORDER else None,
            )
        )


def _unexpected(case: _OpenErrand, act: Act, refused: WasRefused) -> SetUpFailed:
    return SetUpFailed(f"{case.errand.won.viewer_id} wanted to {act.deed}: {refused}")
