"""The state machine of all that moves money, run on the real store against the pure ledger."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from server.store.connection import Durability, Store
from server.store.embedded.process import EmbeddedStore
from tests.store.shop_machine import Shopping
from tests.store.straight_on import straight_on

EXAMPLES, STEPS = 260, 40  # for each kind of store: 20,800 steps in all
SETTINGS = settings(
    max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.rule("DY-ACC-1")
@pytest.mark.rule("DY-ACC-5")
@pytest.mark.rule("DY-ACC-6")
@pytest.mark.rule("DY-REV-8")
@pytest.mark.rule("ALL-CLM-3")
@pytest.mark.parametrize("kind", ["embedded", "embedded_cluster"])
async def test_money_moves_as_the_ledger_says(kind: str, request: pytest.FixtureRequest) -> None:
    """After any steps in any order, balances and journal of the store match the model, step by step."""
    running: EmbeddedStore = request.getfixturevalue(kind)
    store = await Store.connect(running.url, durability=Durability.NONE, cluster_node=True)
    machine = type("MoneyOn" + kind, (Shopping,), {"store": store})
    await straight_on(lambda: run_state_machine_as_test(machine, settings=SETTINGS))
    await store.close()
