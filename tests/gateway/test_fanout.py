"""Fan-out reaches everybody once and in order, and is fair."""

import asyncio
import random
from collections import Counter
from dataclasses import replace

import pytest

from server.gateway.fanout import SLICE, RoomSubscribers, Write
from server.gateway.limits import PRODUCTION
from server.gateway.metrics import Metrics
from tests.waiting import until_so


class StubSubscriber:
    """A connection that keeps what is written to it, and notes its turn in a common log."""

    def __init__(self, name: int, log: list[int]) -> None:
        self.name = name
        self.log = log
        self.position = -1
        self.got: list[bytes] = []
        self.gone = False
        self.write: Write = self._keep

    def _keep(self, data: bytes) -> None:
        if self.gone:
            raise RuntimeError("the handler is closed")
        self.got.append(data)
        self.log.append(self.name)


def an_audience(size: int, window_ms: int = 20) -> tuple[RoomSubscribers, list[StubSubscriber], Metrics]:
    metrics, log = Metrics(), list[int]()
    audience = RoomSubscribers(
        asyncio.get_running_loop(),
        random.Random(7),
        limits=replace(PRODUCTION, window_ms=window_ms),
        metrics=metrics,
    )
    seats = [StubSubscriber(name, log) for name in range(size)]
    for position in seats:
        audience.join(position)
    return audience, seats, metrics


async def written_out(audience: RoomSubscribers) -> None:
    for _ in range(1_000):
        await asyncio.sleep(0)
        if not audience.busy:
            return
    pytest.fail("the broadcast does not end")


@pytest.mark.parametrize("size", [1, 2, 60, 61, 62, SLICE, SLICE + 1, 3 * SLICE + 7])
async def test_everybody_gets_everything_once_and_in_order(size: int) -> None:
    """Each fact reaches each viewer once, in order, whatever the size of the room."""
    audience, seats, metrics = an_audience(size)
    facts = [b"fact %d" % number for number in range(5)]
    for fact in facts:
        audience.publish(fact)
    await written_out(audience)
    assert {tuple(position.got) for position in seats} == {tuple(facts)}
    assert metrics.frames_out == 5 * size
    assert metrics.bytes_out == size * sum(map(len, facts))


async def test_who_comes_in_during_a_broadcast_gets_exactly_the_later_facts() -> None:
    """A newcomer between two slices gets no earlier message, and all later ones."""
    audience, seats, _ = an_audience(3 * SLICE)
    audience.publish(b"1")
    audience.publish(b"2")
    await asyncio.sleep(0)
    newcomer = StubSubscriber(-1, [])
    audience.join(newcomer)
    assert audience.busy
    audience.publish(b"3")
    await written_out(audience)
    assert newcomer.got == [b"3"]
    assert {tuple(position.got) for position in seats} == {(b"1", b"2", b"3")}


async def test_who_leaves_during_a_broadcast_disturbs_nobody() -> None:
    """Viewers that vanish between two slices are skipped; the others miss nothing."""
    audience, seats, _ = an_audience(3 * SLICE)
    audience.publish(b"1")
    for position in seats[::2]:
        audience.leave(position)
        position.gone = True
    audience.publish(b"2")
    await written_out(audience)
    assert {tuple(position.got) for position in seats[1::2]} == {(b"1", b"2")}
    assert all(b"2" not in position.got for position in seats[::2])
    assert sorted(position.position for position in seats[1::2]) == list(range(len(audience)))


async def test_messages_that_are_no_facts_wait_for_company() -> None:
    """Messages published within a window go out in one write, and are counted as the frames it holds."""
    audience, seats, metrics = an_audience(3, window_ms=1)
    for number in range(4):
        audience.publish_soon(b"%d" % number)
    assert seats[0].got == []
    await until_so(lambda: bool(seats[0].got))
    assert seats[0].got == [b"0123"]
    assert metrics.frames_out == 12


async def test_a_fact_takes_what_waits_along() -> None:
    """A fact is written at once, joined with the pending messages."""
    audience, seats, _ = an_audience(2, window_ms=60_000)
    audience.publish_soon(b"progress ")
    audience.publish(b"closed")
    assert [position.got for position in seats] == [[b"progress closed"]] * 2
    audience.flush()
    assert [len(position.got) for position in seats] == [1, 1]


async def test_who_is_behind_is_spared_what_it_may_miss() -> None:
    """A slow consumer gets facts and must-deliver messages in their places, and everything again once it has read."""
    audience, seats, metrics = an_audience(SLICE + 100, window_ms=60_000)
    sleeper, quitter, *others = seats
    audience.fall_behind(sleeper)
    audience.fall_behind(quitter)
    audience.publish_soon(b"comments ")
    audience.publish_soon(b"popup ", must_deliver=True)
    audience.publish(b"open ")
    audience.publish_soon(b"progress ")
    audience.flush()
    audience.leave(quitter)
    audience.publish(b"closed ")
    await written_out(audience)
    audience.catch_up(sleeper)
    audience.publish_soon(b"audience ")
    audience.flush()
    await written_out(audience)
    assert b"".join(sleeper.got) == b"popup open closed audience "
    assert b"".join(quitter.got) == b"popup open "
    assert {b"".join(position.got) for position in others} == {b"comments popup open progress closed audience "}
    assert metrics.messages_dropped == 4
    assert metrics.frames_out == 6 * len(others) + 4 + 2


async def test_falling_behind_during_a_broadcast_loses_no_fact() -> None:
    """A viewer that becomes slow or catches up between slices gets each fact once and in order."""
    audience, seats, _ = an_audience(3 * SLICE)
    for number in range(6):
        audience.publish_soon(b"comments ")
        audience.publish(b"%d " % number)
        for position in seats[number :: 2 + number]:
            audience.fall_behind(position)
        audience.publish(b"%d' " % number)
        for position in seats[number :: 3 + number]:
            audience.catch_up(position)
        await asyncio.sleep(0)
    await written_out(audience)
    facts = b"".join(b"%d %d' " % (number, number) for number in range(6))
    assert {b"".join(position.got).replace(b"comments ", b"") for position in seats} == {facts}


async def test_an_empty_room_is_no_work() -> None:
    """Facts of a room without viewers are dropped: newcomers learn them from their welcome."""
    audience, _, _ = an_audience(0)
    audience.publish(b"1")
    late = StubSubscriber(0, [])
    audience.join(late)
    audience.publish(b"2")
    await written_out(audience)
    assert late.got == [b"2"]


async def test_nobody_is_always_last() -> None:
    """Over many broadcasts every viewer is early and late about as often as the others."""
    size, rounds = 200, 400
    audience, seats, _ = an_audience(size)
    log = seats[0].log
    places: Counter[int] = Counter()
    last_tenth: Counter[int] = Counter()
    for _ in range(rounds):
        log.clear()
        audience.publish(b"popup")
        await written_out(audience)
        assert sorted(log) == list(range(size))
        places.update({name: place for place, name in enumerate(log)})
        last_tenth.update(log[-size // 10 :])
    assert max(places.values()) < 1.2 * rounds * size / 2
    assert min(places.values()) > 0.8 * rounds * size / 2
    assert max(last_tenth.values()) < 3 * rounds / 10


async def test_the_loop_breathes_between_slices() -> None:
    """A broadcast to a large room lets other work run before it is done."""
    audience, seats, _ = an_audience(4 * SLICE)
    reached: list[int] = []
    audience.publish(b"1")
    audience.publish(b"2")
    assert len(seats[0].log) == SLICE
    asyncio.get_running_loop().call_soon(lambda: reached.append(len(seats[0].log)))
    await written_out(audience)
    assert reached[0] <= 2 * SLICE
