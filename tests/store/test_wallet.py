"""The wallet: recharges count once, and details tell them in order."""

import pytest

from server.core.ids import CreatorId
from server.core.money import FEN_MAX
from server.core.refusal import Refused
from server.store.wallet import Funds
from tests.store.desk import NOW_MS, Desk

C1 = CreatorId("c1")


async def test_a_recharge_becomes_available(desk: Desk) -> None:
    """Money that comes in is available, and the journal says from where."""
    funds = await desk.wallet.recharge(C1, amount_fen=500, channel="alipay", transfer_id="r1")

    assert Funds(500, 500, 0, 0, 0) == funds == await desk.wallet.funds(C1)
    assert [
        {
            "kind": "recharge",
            "transfer_id": "r1",
            "packet_id": "",
            "debit": "psp:alipay",
            "credit": "funds:c1",
            "amount_fen": "500",
            "at_ms": str(NOW_MS),
        }
    ] == await desk.journal()


async def test_a_recharge_counts_once(desk: Desk) -> None:
    """The same transfer again has the outcome it had, also after others."""
    first = await desk.wallet.recharge(C1, amount_fen=500, channel="bank", transfer_id="r1")
    await desk.wallet.recharge(C1, amount_fen=1, channel="bank", transfer_id="r2")
    before = await desk.state()

    assert first == await desk.wallet.recharge(C1, amount_fen=500, channel="bank", transfer_id="r1")
    assert before == await desk.state()


@pytest.mark.parametrize(("amount_fen", "channel"), [(501, "bank"), (500, "alipay"), (5, "bank:0")])
async def test_a_transfer_id_stands_for_one_transfer(desk: Desk, amount_fen: int, channel: str) -> None:
    """The same id for something else is refused, and nothing changes."""
    await desk.wallet.recharge(C1, amount_fen=500, channel="bank", transfer_id="r1")
    before = await desk.state()

    with pytest.raises(Refused) as refusal:
        await desk.wallet.recharge(C1, amount_fen=amount_fen, channel=channel, transfer_id="r1")

    assert refusal.value.code == ("bad_id" if ":" in channel else "transfer_conflict")
    assert before == await desk.state()


@pytest.mark.parametrize("amount_fen", [0, -1, FEN_MAX + 1])
async def test_an_amount_that_is_none_is_refused(desk: Desk, amount_fen: int) -> None:
    """Nothing, a debt or more than can be counted is no recharge."""
    with pytest.raises(Refused) as refusal:
        await desk.wallet.recharge(C1, amount_fen=amount_fen, channel="bank", transfer_id="r1")

    assert refusal.value.code == "out_of_range"


async def test_a_balance_stays_countable(desk: Desk) -> None:
    """A recharge that would pass what the store counts exactly is refused; up to there it is exact."""
    await desk.wallet.recharge(C1, amount_fen=FEN_MAX - 1, channel="bank", transfer_id="r1")
    with pytest.raises(Refused) as refusal:
        await desk.wallet.recharge(C1, amount_fen=2, channel="bank", transfer_id="r2")
    assert refusal.value.code == "too_much"

    await desk.wallet.recharge(C1, amount_fen=1, channel="bank", transfer_id="r3")

    assert (await desk.wallet.funds(C1)).available_fen == FEN_MAX


@pytest.mark.rule("KS-ACC-5")
async def test_details_tell_every_movement_of_the_funds_in_order(desk: Desk) -> None:
    """Recharge, fund and return are listed page by page; claims move nothing of the funds."""
    packet_id = await desk.open_packet([5, 6])
    await desk.run_claim(packet_id, ["ann", "q"])
    await desk.packets.void(packet_id, transfer_id="v1", lead_ms=None)

    first = await desk.wallet.details(C1, count=2)
    rest = await desk.wallet.details(C1, after=first[-1]["entry_id"])

    assert [(movement["kind"], movement["amount_fen"]) for movement in first + rest] == [
        ("recharge", 11),
        ("fund", 11),
        ("void", 6),
    ]


async def test_a_stranger_has_nothing(desk: Desk) -> None:
    """A creator that never recharged has no funds and no movements."""
    assert Funds(0, 0, 0, 0, 0) == await desk.wallet.funds(CreatorId("nobody"))
    assert await desk.wallet.details(CreatorId("nobody")) == []
