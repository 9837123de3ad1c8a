"""The payout driver: asks for a scenario's withdrawals and invoices in time, and reports what becomes of them."""

import secrets
import time
from collections.abc import Callable, Iterator
from functools import partial
from operator import itemgetter
from typing import Any, Protocol

from loadtest.scenarios.payouts import InvoiceSpec, WithdrawalSpec
from loadtest.scenarios.scenario import Scenario
from loadtest.targets.access import NOBODY, Access
from loadtest.targets.requester import Requester

LOOK_EVERY_S = 0.1


class ProgrammeTime(Protocol):
    """The times of the running programme."""

    def instant_of(self, at_ms: int) -> float | None:
        """Return when it is *at_ms* after the programme's start, on CLOCK_MONOTONIC in seconds; None before it."""

    def room_ms(self, instant_s: float) -> int | None:
        """Return the room time at such an instant; None before the programme."""


class PayoutDriver:
    """
    Serves one scenario. ``run`` blocks.

    ``happenings`` has each answer in the form of those of ``run.json``, with the id of the withdrawal, or the creator
    and the number of the invoice, as ``payout_id``.
    """

    def __init__(self, host: str, scenario: Scenario, programme: ProgrammeTime, *, access: Access = NOBODY) -> None:
        self.happenings: list[dict[str, Any]] = []
        self._scenario = scenario
        self._programme = programme
        self._requester = Requester(host, access)
        self._run = secrets.token_hex(4)
        self._withdrawals: dict[int, str] = {}
        self._invoiced_to_ms: dict[str, int] = {}

    def run(self, stopped: Callable[[], bool]) -> None:
        """Carry everything out in its time. Raises SetUpFailed, and the exceptions of ``requests``."""
        for at_ms, step in sorted(self._steps(), key=itemgetter(0)):
            while not stopped() and self._left_s(at_ms) > 0:
                time.sleep(min(LOOK_EVERY_S, self._left_s(at_ms)))
            if stopped():
                return
            step()

    def _steps(self) -> Iterator[tuple[int, Callable[[], None]]]:
        for number, withdrawal in enumerate(self._scenario.withdrawals):
            yield withdrawal.at_ms, partial(self._withdraw, number, withdrawal)
            for report in range(withdrawal.reports):
                yield withdrawal.ends_at_ms, partial(self._report, number, withdrawal, report)
        for number, invoice in enumerate(self._scenario.invoices):
            yield invoice.at_ms, partial(self._invoice, number, invoice)

    def _left_s(self, at_ms: int) -> float:
        instant_s = self._programme.instant_of(at_ms)
        return LOOK_EVERY_S if instant_s is None else max(0.0, instant_s - time.monotonic())

    def _withdraw(self, number: int, asked: WithdrawalSpec) -> None:
        payee = {"name": asked.creator_id, "account": f"{asked.creator_id}@example.com"}
        body = {"amount_fen": asked.amount_fen, "payee": payee}
        answer = self._post(f"{asked.creator_id}/withdrawals", body, key=f"withdraw-{number}")
        self._withdrawals[number] = answer["withdrawal_id"]
        self._note(asked.at_ms, "withdraw", answer, asked.creator_id, answer["withdrawal_id"])

    def _report(self, number: int, asked: WithdrawalSpec, report: int) -> None:
        withdrawal_id = self._withdrawals[number]
        path = f"{asked.creator_id}/withdrawals/{withdrawal_id}/{asked.outcome}"
        answer = self._post(path, {}, key=f"{asked.outcome}-{number}-{report}")
        self._note(asked.ends_at_ms, f"report {asked.outcome}", answer, asked.creator_id, withdrawal_id)

    def _invoice(self, number: int, asked: InvoiceSpec) -> None:
        begun_s = self._programme.instant_of(0)
        begun_ms = None if begun_s is None else self._programme.room_ms(begun_s)
        assert begun_ms is not None
        to_ms = begun_ms + asked.to_ms
        body = {"from_ms": self._invoiced_to_ms.get(asked.creator_id, 0), "to_ms": to_ms}
        self._invoiced_to_ms[asked.creator_id] = to_ms
        answer = self._post(f"{asked.creator_id}/invoices", body, key=f"invoice-{number}")
        invoice_id = f"{asked.creator_id} {answer['number']}"
        self._note(asked.at_ms, "invoice", answer, asked.creator_id, invoice_id)
        answer = self._post(f"{asked.creator_id}/invoices/{answer['number']}/issue", {}, key=f"issue-{number}")
        self._note(asked.at_ms, "issue invoice", answer, asked.creator_id, invoice_id)

    def _post(self, path: str, body: dict[str, Any], *, key: str) -> dict[str, Any]:
        return self._requester.post(f"/api/creators/{path}", body, key=f"{self._run}-{key}")

    def _note(self, at_ms: int, action: str, answer: dict[str, Any], creator_id: str, payout_id: str) -> None:
        fen = answer.get("amount_fen", answer.get("fee_fen"))
        self.happenings.append(
            {
                "at_ms": at_ms,
                "action": action,
                "packet_name": "",
                "packet_id": "",
                "outcome": answer["state"],
                "room_ms": self._programme.room_ms(time.monotonic()),
                "detail": f"{creator_id}, {fen} fen",
                "payout_id": payout_id,
            }
        )
