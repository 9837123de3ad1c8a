"""Money that comes back twice, and fees that are not invoiced (A10)."""

from dataclasses import replace
from typing import Any

from server.store.wallet import Wallet
from tests.planted.plant import Plant, in_script, of


def short_invoice() -> None:
    """Leave 1 fen out of every channel's fees."""
    fees = Wallet.fees

    async def planted(self: Wallet, *creator_id: Any, **period: Any) -> Any:
        return [replace(each, fee_fen=each.fee_fen - 1) for each in await fees(self, *creator_id, **period)]

    Wallet.fees = planted  # type: ignore[method-assign]


_KNOWN = "if redis.call('HGET', transfers, transfer_id) or state == 'failed' then return 'repeated' end\n"
_PENDING = "if state ~= 'pending' or"
PLANTS = [
    Plant(
        "a withdrawal that fails twice comes back twice",
        of("A10"),
        in_script("withdraw_failed", (_KNOWN, ""), (_PENDING, "if not state or")),
        "shop",
    ),
    Plant("an invoice is 1 fen short", of("A10"), short_invoice, "shop"),
]
