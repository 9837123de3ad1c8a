"""``redrain bench quotes``: the CPU of quotes for viewers with many packets, and how long one holds the event loop."""

import asyncio
import gc
import time
from collections.abc import Generator
from random import Random
from typing import Any

from rich.console import Console
from rich.table import Table

from server.commands.quote_order import in_turn
from server.core.ids import CreatorId, ViewerId
from server.core.orders.asset import Asset
from server.core.orders.pricing import Quote
from server.core.orders.purchase import App, Entrance, Line, Purchase
from server.core.orders.stacking import Choice, quoting
from server.core.rulebooks.platforms import DOUYIN, KUAISHOU, LAB

DRAWS = 2_000  # of a round, with the round's number for seed
CPU_TARGET_MS = 50
STALL_TARGET_MS = 20
NOW_MS = 1_000
OURS, OTHER = CreatorId("ours"), CreatorId("other")
FACES = ((1, 20_000), (1_000, 1_100), (10_000, 20_000), (1, 60))  # from all sums possible to hardly any that fit

Search = Generator[None, None, tuple[Quote, Choice]]


class QuoteBench:
    """Rounds of draws made to be hard: many packets, overlapping scopes, prices that some of them just pay."""

    def run(self, rounds: int, say: Console) -> dict[str, Any]:
        """Measure, show a table, and return what ``--json`` gives."""
        cpu_ms: list[float] = []
        stalls_ms: list[float] = []
        approximate = 0
        gc.freeze()  # what the command itself has loaded is not what a quote costs
        with say.status("") as status:
            for number in range(1, rounds + 1):
                status.update(f"bench quotes: round {number} of {rounds}, {DRAWS} draws")
                rng = Random(number)
                for _ in range(DRAWS):
                    slices_ms: list[float] = []
                    choice = asyncio.run(_quoted(_draw(rng), slices_ms))
                    cpu_ms.append(sum(slices_ms))
                    stalls_ms.append(max(slices_ms))
                    approximate += choice.approximate
        figures = {"cpu of a quote": (cpu_ms, CPU_TARGET_MS), "longest slice": (stalls_ms, STALL_TARGET_MS)}
        table = Table("ms of CPU", "median", "p99", "worst", "target")
        for name, (found, target) in figures.items():
            found.sort()
            shown = [found[len(found) // 2], found[len(found) * 99 // 100], found[-1]]
            table.add_row(name, *(f"{each:.1f}" for each in shown), f"{target}")
        say.print(table)
        say.print(f"{approximate} of {len(cpu_ms)} quotes are approximate")
        targets = [
            {"name": f"worst ms of {name}", "value": found[-1], "limit": most, "met": found[-1] <= most}
            for name, (found, most) in figures.items()
        ]
        return {"benchmark": "quotes", "rounds": rounds, "subjects": [], "targets": targets}


async def _quoted(search: Search, slices_ms: list[float]) -> Choice:
    """Run a search as the server does, and note the CPU of each of its slices, between which others may run."""

    def timed() -> Search:
        while True:
            began = time.process_time()
            try:
                next(search)
            except StopIteration as ended:
                found: tuple[Quote, Choice] = ended.value
                return found
            finally:
                slices_ms.append((time.process_time() - began) * 1_000)
            yield

    _, choice = await in_turn(asyncio.Lock(), timed())
    return choice


def _draw(rng: Random) -> Search:
    """Make the packets of a viewer and an order, and return the search for its quote."""
    count, lines = rng.choice([11, 20, 20, 40, 60, 200, 400]), rng.choice([1, 2, 3, 3, 4, 6, 10, 24, 40, 100])
    low, high = rng.choice(FACES)
    widest = rng.choice([1, 2, max(1, lines // 3), lines])
    scopes = [
        frozenset(f"p{i}" for i in rng.sample(range(lines), rng.randint(1, min(lines, widest))))
        for _ in range(rng.choice([1, 3, 7, 19, count]))
    ]
    rulebook = rng.choice([DOUYIN, DOUYIN, LAB, KUAISHOU])
    creators = [OURS, OURS, OURS, *rng.choice([[], [None, None]]), *rng.choice([[], [OTHER]])]
    assets = [
        Asset(
            f"a{i:03}",
            ViewerId("v"),
            rng.choice(creators),
            rng.randint(low, high),
            0,
            NOW_MS + rng.randint(1, 40),
            rng.choice(scopes),
        )
        for i in range(count)
    ]
    fill_fen = rng.choice([1, 2, 4, 6, 8, 10, 12]) * (low + high) / 2
    goods = tuple(
        Line(
            f"l{i}",
            f"p{i}",
            max(1, int(fill_fen / lines * rng.uniform(0.3, 1.7))),
            creator_id=OURS if rulebook is DOUYIN else rng.choice([OURS, OURS, OTHER]),
            entrance=Entrance.LIVE_ROOM,
        )
        for i in range(lines)
    )
    client = App.KUAISHOU if rulebook is KUAISHOU else App.DOUYIN
    return quoting(Purchase(goods, client), [], assets, NOW_MS, rulebook)


def benchmark() -> QuoteBench:
    """Return the benchmark."""
    return QuoteBench()
