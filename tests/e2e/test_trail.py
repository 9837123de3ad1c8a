"""A trail over two servers on one store: the buyer hears it wherever it is connected."""

from pathlib import Path

import pytest
from redis import Redis

from server.store import keys
from tests.api.caller import Caller
from tests.api.test_trail import Buyer, live, told_until
from tests.e2e.test_two_servers import SERVER, a_store, two_servers
from tests.waiting import until


@pytest.mark.rule("LT-3")
@pytest.mark.rule("LT-6")
def test_a_buyer_at_the_other_server_hears_each_event_once(tmp_path: Path) -> None:
    """Posted at one server and again at the other, an event is told once to the buyer at either of them."""
    with (
        a_store(tmp_path / "store") as store_url,
        two_servers(SERVER, tmp_path, store_url) as urls,
        Caller(urls[0]) as one,
        Caller(urls[1]) as other,
    ):
        with Redis.from_url(store_url) as store:
            until(lambda: store.pubsub_numsub(keys.TRAILS)[0][1] == 2)
        buyer = Buyer(one)
        with live(one, buyer.viewer_id) as here, live(other, buyer.viewer_id) as there:
            for step in ("paid", "accepted", "packed"):
                for api in (one, other):
                    assert api.post(buyer.events, buyer.event(step))["shown"]
            for socket in (here, there):
                told = told_until(socket, "packed")
                assert told == [(buyer.order_id, step) for step in ("paid", "accepted", "packed")]
        assert one.get(f"/api/trails/{buyer.order_id}") == other.get(f"/api/trails/{buyer.order_id}")
