"""Siblings ask each other over sockets of theirs; one that is silent, or talks rubbish, holds nobody up."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from server.api.siblings import Siblings
from server.core.ids import RoomId
from server.core.packets.claim import ClaimStatus
from server.gateway.gateway import Gateway
from server.gateway.metrics import Metrics
from server.store.connection import Durability, Store, StoreUnavailable
from server.store.embedded.process import EmbeddedStore


@dataclass
class Counting:
    """The counters that siblings read from a gateway."""

    viewers: int
    metrics: Metrics = field(default_factory=Metrics)

    def audience(self, room_id: RoomId) -> int:
        """Return the viewers of the one room."""
        return self.viewers if room_id == "r1" else 0


async def _silent(_: Any, writer: asyncio.StreamWriter) -> None:
    writer.write(b"what?\n")
    writer.close()


async def test_one_answers_for_all(embedded: EmbeddedStore, tmp_path: Path) -> None:
    """Counters, statuses and viewers are summed; who is away is not counted, and makes the server not ready."""
    store = await Store.connect(embedded.url, durability=Durability.RELAXED)
    here, there = Counting(2), Counting(3)
    here.metrics.grabs[ClaimStatus.GRANTED], there.metrics.grabs[ClaimStatus.GRANTED] = 5, 7
    here.metrics.frames_in, there.metrics.frames_in = 1, 10
    paths = [tmp_path / "0.sock", tmp_path / "1.sock"]
    asked = Siblings(cast(Gateway, here), store, socket=paths[0], others=paths[1:])
    other = Siblings(cast(Gateway, there), store, socket=paths[1], others=paths[:1])
    paths[1].touch()  # as somebody who was killed leaves it
    await asked.start()
    await other.start()

    total, workers = await asked.metrics()
    assert (workers, total.frames_in, total.grabs[ClaimStatus.GRANTED]) == (2, 11, 12)
    assert here.metrics.frames_in == 1
    assert await asked.audience(RoomId("r1")) == 5
    await asked.check_ready()

    await other.stop()
    total, workers = await asked.metrics()
    assert (workers, total.frames_in) == (1, 1)
    with pytest.raises(StoreUnavailable, match="1 of 2 workers"):
        await asked.check_ready()
    rubbish = await asyncio.start_unix_server(_silent, paths[1])
    assert await asked.audience(RoomId("r1")) == 2
    rubbish.close()
    await asked.stop()
    await store.close()
