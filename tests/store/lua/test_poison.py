"""Type poison: a key of the wrong type or a field that is no number stops a script before its first write (F05)."""

from collections.abc import Awaitable, Callable

import pytest
from redis.exceptions import ResponseError

from server.core.ids import PacketId
from server.store import keys
from server.store.transfers import StoreBroken
from tests.store.desk import CLAIM_END_AT_MS, NOW_MS, Desk

WITHDRAWAL = "w1"
Act = Callable[[Desk, PacketId], Awaitable[object]]


async def recharge(desk: Desk, _: PacketId) -> None:
    await desk.recharge(10)


async def withdraw(desk: Desk, _: PacketId) -> None:
    names = ["clock", "wallet", "transfers", "journal", "withdrawals", "withdrawal:new"]
    args: list[str | bytes | int] = ["w:new", "c1", "new", "alipay", "red_packet", 10]
    await desk.store.run("withdraw_request", [f"{{c1}}:{name}" for name in names], args)


async def withdraw_paid(desk: Desk, _: PacketId) -> None:
    await desk.withdrawals.paid(desk.creator_id, WITHDRAWAL)


async def withdraw_failed(desk: Desk, _: PacketId) -> None:
    await desk.withdrawals.failed(desk.creator_id, WITHDRAWAL)


async def coupon_fund(desk: Desk, _: PacketId) -> None:
    names = ["clock", "wallet", "transfers", "journal", "coupon_budgets", "coupon_budget:c1.new"]
    await desk.store.run("coupon_fund", [f"{{c1}}:{name}" for name in names], ["b:new", "c1", "c1.new", 10, 0])


async def coupon_return(desk: Desk, _: PacketId) -> None:
    names = ["clock", "wallet", "transfers", "journal", "coupon_budget:b1", "reversals"]
    await desk.store.run("coupon_return", [f"{{c1}}:{name}" for name in names], ["b1", "c1"])


async def create(desk: Desk, _: PacketId) -> None:
    await desk.draft([1, 2], packet_id=PacketId("c1.new"))


async def launch(desk: Desk, _: PacketId) -> None:
    await desk.store.run(
        "launch",
        [
            keys.clock_of(desk.creator_id),
            keys.wallet(desk.creator_id),
            keys.packet(PacketId("c1.draft")),
            keys.due(desk.creator_id),
            keys.feed(desk.creator_id, desk.room.room_id),
            keys.on_air(desk.creator_id, desk.room.room_id),
            keys.expiring(desk.creator_id),
        ],
        ["c1.draft", desk.room.room_id, NOW_MS, CLAIM_END_AT_MS, CLAIM_END_AT_MS + 1, "popup", 1, "{}", keys.BELL, "l"],
    )


async def claim(desk: Desk, packet_id: PacketId) -> None:
    await desk.run_claim(packet_id, ["ann", "q", "bob", "q"])


async def sweep(desk: Desk, packet_id: PacketId) -> None:
    await desk.at(CLAIM_END_AT_MS)
    await desk.packets.sweep(packet_id)


async def void(desk: Desk, packet_id: PacketId) -> None:
    await desk.packets.void(packet_id, transfer_id="void", lead_ms=None)


def keys_of(script: str, packet_id: PacketId) -> list[str]:
    """Return the keys of an edit or an end, so that a poisoned record is met in the script and not before."""
    names = ["clock", "wallet", "transfers", "journal"]
    if script == "edit":
        names += [f"packet:{packet_id}", f"shares:{packet_id}", f"added:{packet_id}"]
        names += [f"staging:{packet_id}", f"staged:{packet_id}", "stagings", "feed:room-c1", "reversals"]
    else:
        names += ["due", f"packet:{packet_id}", f"shares:{packet_id}", f"returned:{packet_id}", f"added:{packet_id}"]
        names += ["reversals", "feed:room-c1"]
    return [f"{{c1}}:{name}" for name in names]


async def trim(desk: Desk, packet_id: PacketId) -> None:
    given: list[str | int] = ["t", packet_id, "c1", 1, 1, desk.room.room_id, keys.BELL, 0, "", ""]
    await desk.store.run("edit", keys_of("edit", packet_id), given)


async def end(desk: Desk, packet_id: PacketId) -> None:
    await desk.store.run("end", keys_of("end", packet_id), [packet_id, "c1", "t", desk.room.room_id, keys.BELL])


WRONG_TYPES: list[tuple[Act, list[str]]] = [
    (recharge, ["clock", "wallet", "transfers", "journal"]),
    (withdraw, ["clock", "wallet", "transfers", "journal", "withdrawals", "withdrawal:new"]),
    (withdraw_paid, ["clock", "transfers", "journal", "withdrawal:w1"]),
    (withdraw_failed, ["clock", "wallet", "transfers", "journal", "withdrawal:w1"]),
    (coupon_fund, ["clock", "wallet", "transfers", "journal", "coupon_budgets", "coupon_budget:c1.new"]),
    (coupon_return, ["clock", "wallet", "transfers", "journal", "coupon_budget:b1", "reversals"]),
    (create, ["clock", "wallet", "transfers", "journal", "packets", "stagings", "staging:c1.new", "staged:c1.new"]),
    (launch, ["clock", "wallet", "packet:c1.draft", "due", "feed:room-c1", "onair:room-c1", "expiring"]),
    (claim, ["clock", "packet:P", "shares:P", "claims:P", "journal", "owners:P"]),
    (sweep, ["wallet", "transfers", "journal", "due", "packet:P", "shares:P", "returned:P", "reversals"]),
    (
        trim,
        ["wallet", "transfers", "journal", "packet:P", "shares:P", "added:P", "stagings", "feed:room-c1", "reversals"],
    ),
    (end, ["wallet", "transfers", "journal", "due", "packet:P", "shares:P", "returned:P", "added:P", "feed:room-c1"]),
    (void, ["clock", "wallet", "transfers", "journal", "due", "packet:P", "shares:P", "returned:P", "reversals"]),
]

WRONG_FIELDS: list[tuple[Act, str, str]] = [
    (recharge, "wallet", "available_fen"),
    (recharge, "wallet", "spent_fen"),
    (recharge, "clock", "speed"),
    (withdraw, "wallet", "available_fen"),
    (withdraw, "wallet", "withdrawn_fen"),
    (withdraw, "clock", "speed"),
    (withdraw_paid, "clock", "speed"),
    (withdraw_paid, "withdrawal:w1", "amount_fen"),
    (withdraw_paid, "withdrawal:w1", "state"),
    (withdraw_failed, "withdrawal:w1", "amount_fen"),
    (withdraw_failed, "withdrawal:w1", "state"),
    (withdraw_failed, "wallet", "available_fen"),
    (withdraw_failed, "wallet", "withdrawn_fen"),
    (coupon_fund, "wallet", "available_fen"),
    (coupon_fund, "wallet", "spent_fen"),
    (coupon_fund, "clock", "speed"),
    (coupon_return, "wallet", "returned_fen"),
    (coupon_return, "coupon_budget:b1", "amount_fen"),
    (coupon_return, "coupon_budget:b1", "state"),
    (coupon_return, "clock", "speed"),
    (create, "wallet", "available_fen"),
    (create, "wallet", "spent_fen"),
    (create, "clock", "origin_ms"),
    (launch, "wallet", "launches"),
    (launch, "clock", "started_ms"),
    (claim, "clock", "origin_ms"),
    (claim, "packet:P", "edition"),
    (claim, "packet:P", "given"),
    (claim, "packet:P", "given_fen"),
    (claim, "packet:P", "grab_at_ms"),
    (claim, "packet:P", "claim_end_at_ms"),
    (claim, "packet:P", "state"),
    (sweep, "packet:P", "given"),
    (sweep, "packet:P", "given_fen"),
    (sweep, "packet:P", "total_fen"),
    (sweep, "packet:P", "claim_end_at_ms"),
    (sweep, "wallet", "returned_fen"),
    (trim, "packet:P", "given"),
    (trim, "packet:P", "given_fen"),
    (trim, "packet:P", "total_fen"),
    (trim, "packet:P", "state"),
    (trim, "wallet", "returned_fen"),
    (trim, "clock", "speed"),
    (end, "packet:P", "given_fen"),
    (end, "packet:P", "claim_end_at_ms"),
    (end, "packet:P", "state"),
    (end, "wallet", "available_fen"),
    (void, "packet:P", "given_fen"),
    (void, "packet:P", "claim_end_at_ms"),
    (void, "packet:P", "state"),
    (void, "wallet", "available_fen"),
]


async def set_up(desk: Desk) -> PacketId:
    await desk.recharge(200)
    await desk.draft([4], packet_id=PacketId("c1.draft"))
    names = ["clock", "wallet", "transfers", "journal", "withdrawals", f"withdrawal:{WITHDRAWAL}"]
    args: list[str | bytes | int] = ["w", "c1", WITHDRAWAL, "alipay", "red_packet", 20]
    await desk.store.run("withdraw_request", [f"{{c1}}:{name}" for name in names], args)
    budget = ["clock", "wallet", "transfers", "journal", "coupon_budgets", "coupon_budget:b1"]
    await desk.store.run("coupon_fund", [f"{{c1}}:{name}" for name in budget], ["b", "c1", "b1", 20, 0])
    return await desk.open_packet([5, 6, 7])


@pytest.mark.parametrize(
    ("act", "key"),
    [(act, key) for act, names in WRONG_TYPES for key in names],
    ids=lambda it: getattr(it, "__name__", it),
)
async def test_a_key_of_the_wrong_type_changes_nothing(desk: Desk, act: Act, key: str) -> None:
    """If any key has another type, the script fails and changes nothing."""
    packet_id = await set_up(desk)
    if act is sweep:
        await desk.at(CLAIM_END_AT_MS)
    poisoned = f"{{c1}}:{key.replace('P', packet_id)}"
    await desk.store.redis.delete(poisoned)
    if key == "clock" or key.startswith(
        ("packet:", "wallet", "transfers", "claims", "staged", "withdrawal:", "coupon_budget:")
    ):
        await desk.store.redis.rpush(poisoned, "poison")
    else:
        await desk.store.redis.hset(poisoned, "poison", "poison")
    before = await desk.state()

    with pytest.raises((ResponseError, StoreBroken), match=r"WRONGTYPE|BROKEN"):
        await act(desk, packet_id)

    assert within(before, await desk.state())


@pytest.mark.parametrize(("act", "key", "field"), WRONG_FIELDS, ids=lambda it: getattr(it, "__name__", it))
async def test_a_field_that_is_no_number_changes_nothing(desk: Desk, act: Act, key: str, field: str) -> None:
    """Money, counters and instants are whole numbers that a double holds, or the script fails before it writes."""
    packet_id = await set_up(desk)
    if act is sweep:
        await desk.at(CLAIM_END_AT_MS)
    for poison in ("", "many", "1.5", "-3", str(2**53), "nan"):
        await desk.store.redis.hset(f"{{c1}}:{key.replace('P', packet_id)}", field, poison)
        before = await desk.state()

        with pytest.raises((ResponseError, StoreBroken), match="BROKEN"):
            await act(desk, packet_id)

        after = await desk.state()
        assert within(before, after), poison
        for staged in after.keys() - before.keys():
            await desk.store.redis.delete(staged)


@pytest.mark.parametrize("act", [recharge, create, claim, void, withdraw, withdraw_paid, withdraw_failed, coupon_fund])
async def test_without_a_clock_no_money_moves(desk: Desk, act: Act) -> None:
    """A missing clock is an error, not the year 1970."""
    packet_id = await set_up(desk)
    await desk.store.redis.delete(keys.clock_of(desk.creator_id))
    before = await desk.state()

    with pytest.raises((ResponseError, StoreBroken), match="BROKEN clock"):
        await act(desk, packet_id)

    assert within(before, await desk.state())


@pytest.mark.parametrize("poison", ["", "many", "-5", "5.5"])
async def test_a_share_that_is_no_amount_is_not_given(desk: Desk, poison: str) -> None:
    """A poisoned share stops the batch that would give it, and the batch alone."""
    packet_id = await set_up(desk)
    await desk.store.redis.lset(keys.shares(packet_id), 1, poison)
    before = await desk.state()

    with pytest.raises(ResponseError, match="BROKEN shares"):
        await claim(desk, packet_id)

    assert before == await desk.state()


async def test_a_schedule_that_is_none_is_refused_by_the_script_too(desk: Desk) -> None:
    """launch.lua does not take an opening after the end, whoever asks."""
    await set_up(desk)
    before = await desk.state()
    names = [f"{{c1}}:{key}" for key in ("clock", "wallet", "packet:c1.draft", "due", "feed:room-c1", "onair:room-c1")]

    with pytest.raises(ResponseError, match="BROKEN schedule"):
        await desk.store.run("launch", names, ["c1.draft", "room-c1", 5, 4, 6, "popup", 1, "{}", keys.BELL])

    assert before == await desk.state()


def within(before: dict[bytes, bytes], after: dict[bytes, bytes]) -> bool:
    """Tell whether nothing that was there has changed; only shares on their way in may have come."""
    new = {key for key in after if key not in before}
    staging = (b"{c1}:staging:c1.new", b"{c1}:staged:c1.new", b"{c1}:stagings")
    return new <= set(staging) and all(after.get(key) == value for key, value in before.items())
