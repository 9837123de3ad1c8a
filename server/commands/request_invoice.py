"""Request an invoice for the channel fees of a period (KS-ACC-3, AMB-57)."""

from server.commands.context import CommandContext
from server.commands.retry import decided
from server.core.ids import CreatorId
from server.core.refusal import Raced, Refused
from server.store.invoices import Invoice


async def request_invoice(
    at: CommandContext, creator_id: CreatorId, *, from_ms: int, to_ms: int, transfer_id: str
) -> Invoice:
    """
    Record the invoice for the fees of the recharges in ``[from_ms, to_ms)`` of room time.

    A repeated transfer id returns the same invoice. Raises Refused: bad_field (the period is empty or not over),
    no_fees, and as ``Invoices.request`` does.
    """
    if from_ms >= to_ms:
        raise Refused("bad_field", "must be after from_ms", field="to_ms")
    if to_ms > at.clock.earliest_ms:
        raise Refused("bad_field", "the period must be over", field="to_ms")
    fees = await at.wallet.fees(creator_id, from_ms=from_ms, to_ms=to_ms)
    rulebook = await at.rulebook_of_creator(creator_id)
    if not fees:
        raise Refused("no_fees", "no fee was charged in this period", field="from_ms", rule=rulebook.rule("KS-ACC-3"))

    async def attempt() -> Invoice:
        return await at.invoices.request(creator_id, rulebook, from_ms, to_ms, fees, transfer_id=transfer_id)

    return await decided(attempt, tries=3, give_up=Raced("raced", "other invoices are being made; try again"))
