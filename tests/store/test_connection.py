"""Tests of the connection: fit or refused, sent once, never out of step."""

import ast
import asyncio
import random
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.exceptions import ResponseError

from server.store import connection, keys
from server.store.connection import Durability, Store, StoreUnavailable, StoreUnfit, client_for, shown
from server.store.embedded.process import EmbeddedStore
from server.store.subscription import Subscription
from tests.conftest import free_port
from tests.waiting import until_so

CLOCK_KEY = "{c1}:some"


async def test_a_script_runs_and_runs_again_after_the_store_forgot_it(store: Store) -> None:
    """NOSCRIPT makes us send the text; the effect is there once."""
    await store.run("open_clock", [CLOCK_KEY], [5, 6, 1])
    await store.redis.script_flush()

    assert await store.run("open_clock", [CLOCK_KEY], [7, 8, 2]) == [b"5", b"6", b"1"]


async def test_an_error_of_a_script_is_not_mistaken_for_an_unknown_script(store: Store) -> None:
    """A script that fails is not run a second time by its text."""
    await store.run("open_clock", [CLOCK_KEY], [5, 6, 1])
    await store.redis.set("{c1}:text", "no hash")
    await store.redis.config_resetstat()

    with pytest.raises(ResponseError, match="WRONGTYPE"):
        await store.run("open_clock", ["{c1}:text"], [5, 6, 1])
    calls = await store.redis.info("commandstats")
    assert "cmdstat_eval" not in calls
    assert calls["cmdstat_evalsha"]["calls"] == 1


async def test_a_script_that_touches_two_slots_is_refused_by_a_cluster(embedded_cluster: EmbeddedStore) -> None:
    """The cluster node of the tests is there to notice exactly this, before anything is written."""
    store = await Store.connect(embedded_cluster.url, durability=Durability.NONE, cluster_node=True)
    with pytest.raises(ResponseError, match="same slot"):
        await store.run("open_clock", ["{c1}:two-slots", "{c2}:two-slots"], [5, 6, 1])
    assert await store.redis.exists("{c1}:two-slots") == 0
    await store.close()


async def test_no_command_is_repeated(store: Store) -> None:
    """The library's default sends a script up to ten times (F02)."""
    retry = store.redis.get_retry()

    assert retry is not None
    assert retry.get_retries() == 0
    assert store.redis.connection_pool.connection_kwargs["retry"].get_retries() == 0


def test_no_client_is_built_without_saying_that_it_does_not_retry() -> None:
    """Every client in the server is built with retries disabled in the same call (F02)."""
    built = [
        (path.name, call)
        for path in Path(connection.__file__).parents[1].rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and ast.unparse(call.func).endswith((".from_url", "Redis"))
    ]

    assert len(built) >= 2
    for name, call in built:
        said = {word.arg: ast.unparse(word.value) for word in call.keywords}
        assert said.get("retry") == "Retry(NoBackoff(), 0)", name


async def test_a_command_whose_reply_is_lost_was_sent_once(embedded: EmbeddedStore) -> None:
    """The caller hears that the outcome is unknown; the store saw one command, and did it (F01, F02)."""
    async with proxy(embedded.url.removeprefix("unix://"), swallow_after="PUSHED") as (url, sent):
        redis = client_for(url)
        await redis.delete("lost-reply")
        with pytest.raises(StoreUnavailable):
            await redis.rpush("lost-reply", "PUSHED")
        assert await redis.llen("lost-reply") == 1
        await redis.aclose()
    assert b"".join(sent).count(b"PUSHED") == 1


async def test_a_cancelled_caller_leaves_no_connection_out_of_step(store: Store) -> None:
    """Scripts and commands cancelled anywhere: whoever asks next gets its own answer, no cancel is lost (F03)."""
    rng = random.Random(3)

    async def ask(number: int) -> None:
        key = f"{{c1}}:clock{number}"
        assert await store.run("open_clock", [key], [number, 0, 1]) == [str(number).encode(), b"0", b"1"]
        assert await store.redis.hget(key, "origin_ms") == str(number).encode()

    for start in range(0, 2_000, 50):
        asking = [asyncio.create_task(ask(number)) for number in range(start, start + 50)]
        cancelled = set()
        for task in rng.sample(asking, 25):
            for _ in range(rng.randrange(12)):
                await asyncio.sleep(0)
            if task.cancel():
                cancelled.add(task)
        results = await asyncio.gather(*asking, return_exceptions=True)
        for task, result in zip(asking, results, strict=True):
            assert type(result) is (asyncio.CancelledError if task in cancelled else type(None))


async def test_a_cancelled_script_still_takes_place(store: Store) -> None:
    """Cancelling a caller takes nothing back, so nothing is half done."""
    call = asyncio.create_task(store.run("open_clock", [CLOCK_KEY], [5, 6, 1]))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await store.close()  # waits for what is in flight

    assert await store.redis.exists(CLOCK_KEY)


async def test_more_callers_than_connections_wait_their_turn(store: Store) -> None:
    """A stampede of callers opens no socket each, and none of them is turned away."""
    answers = await asyncio.gather(*(store.run("open_clock", [CLOCK_KEY], [n, 0, 1]) for n in range(500)))

    assert len({tuple(answer) for answer in answers}) == 1


async def test_a_store_out_of_reach_is_named_without_its_password() -> None:
    """The message says where, what happened and what to do, and keeps the secret."""
    with pytest.raises(StoreUnavailable) as caught:
        await Store.connect(f"redis://:open-sesame@127.0.0.1:{free_port()}/0")

    assert "redis://127.0.0.1:" in str(caught.value)
    assert "REDRAIN_STORE_URL" in str(caught.value)
    assert "open-sesame" not in str(caught.value)


@pytest.mark.parametrize("url", ["", "127.0.0.1:6379", "http://127.0.0.1:6379", "redis://host:port"])
async def test_what_is_no_address_is_refused(url: str) -> None:
    """A slip in a setting is told apart from a store that is down."""
    with pytest.raises(StoreUnfit, match=r"is not a store's address"):
        await Store.connect(url)


def test_a_url_is_shown_without_secrets() -> None:
    """Neither of the two places a password may stand in is shown."""
    assert shown("rediss://me:secret@host:6379/0?password=secret") == "rediss://host:6379/0"


async def test_a_store_that_stops_in_between_is_unavailable(tmp_path: Path) -> None:
    """Scripts, commands and pipelines all say so in the one word that callers know."""
    running = EmbeddedStore.start(tmp_path)
    store = await Store.connect(running.url)
    pipeline = store.redis.pipeline(transaction=False)
    pipeline.get("a")
    running.stop()

    with pytest.raises(StoreUnavailable):
        await store.run("open_clock", [CLOCK_KEY], [1, 2, 3])
    with pytest.raises(StoreUnavailable):
        await store.redis.get("a")
    with pytest.raises(StoreUnavailable):
        await pipeline.execute()
    await store.close()


async def test_a_store_without_memory_is_unavailable_and_unchanged(tmp_path: Path) -> None:
    """A full store refuses a script before its first write (F06)."""
    running = EmbeddedStore.start(tmp_path, more={"maxmemory": "1"})
    store = await Store.connect(running.url)
    with pytest.raises(StoreUnavailable, match="maxmemory"):
        await store.run("open_clock", [CLOCK_KEY], [1, 2, 3])
    assert await store.redis.exists(CLOCK_KEY) == 0
    await store.close()
    running.stop()


async def test_a_store_that_evicts_is_refused_on_connecting(embedded: EmbeddedStore, store: Store) -> None:
    """The judgement is made on the real configuration."""
    await store.redis.config_set("maxmemory-policy", "allkeys-lru")
    url = store.redis.connection_pool.connection_kwargs
    try:
        with pytest.raises(StoreUnfit, match="noeviction"):
            await Store.connect(_url(url), durability=Durability.NONE)
    finally:
        await store.redis.config_set("maxmemory-policy", "noeviction")


async def test_more_durability_than_the_store_gives_is_refused_on_connecting(store: Store) -> None:
    """The stores of the tests write once a second; a promise of more is not made on them."""
    with pytest.raises(StoreUnfit, match="appendfsync is everysec"):
        await Store.connect(_url(store.redis.connection_pool.connection_kwargs), durability=Durability.DURABLE)


UNPERMITTED = {
    "no channels": "resetchannels",
    "no information": "-info",
    "no configuration": "-config",
    "no scripts": "-evalsha",
    "no texts of scripts": "-eval",
    "no streams": "-xadd",
    "no publishing": "-publish",
    "other keys only": "resetkeys ~app:*",
    "no way in": "-@all",
}


@pytest.mark.parametrize("rule", UNPERMITTED.values(), ids=UNPERMITTED)
async def test_a_user_without_a_needed_permission_is_refused(rule: str, embedded: EmbeddedStore) -> None:
    """The sentence says what is missing and how to grant it, before a launch is half done."""
    admin = client_for(embedded.url)
    await admin.execute_command("ACL", "SETUSER", "guest", "reset", "on", ">pass", "+@all", "~*", "&*", *rule.split())
    try:
        with pytest.raises(StoreUnfit, match=r"CONFIG GET|does not permit .*ACL SETUSER NAME \+@all"):
            await Store.connect(embedded.url.replace("unix://", "unix://guest:pass@"), durability=Durability.RELAXED)
    finally:
        await admin.execute_command("ACL", "DELUSER", "guest")
        await admin.aclose()


async def test_a_user_with_the_needed_permissions_is_let_in(embedded: EmbeddedStore) -> None:
    """It needs our keys and channels only, and no dangerous command."""
    rules = (
        "reset on >pass -@all +@read +@write +@connection +@scripting +@pubsub +@transaction +info +time +config|get"
    )
    admin = client_for(embedded.url)
    await admin.execute_command(
        "ACL", "SETUSER", "guest", *rules.split(), "~redrain:*", "~{*", "&redrain:*", "-acl", "-flushall"
    )
    url = embedded.url.replace("unix://", "unix://guest:pass@")
    await (await Store.connect(url, durability=Durability.RELAXED)).close()
    await admin.execute_command("ACL", "DELUSER", "guest")
    await admin.aclose()


async def test_a_database_that_the_store_does_not_have_is_refused(embedded: EmbeddedStore) -> None:
    """The store has sixteen."""
    with pytest.raises(StoreUnfit, match="has no database of that number"):
        await Store.connect(f"{embedded.url}?db=16", durability=Durability.RELAXED)


async def test_a_node_of_a_cluster_is_refused(embedded_cluster: EmbeddedStore) -> None:
    """It would answer for its own slots only."""
    with pytest.raises(StoreUnfit, match="is a node of a cluster"):
        await Store.connect(embedded_cluster.url, durability=Durability.RELAXED)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("redis://127.0.0.1:1/abc", "its path must be the number of a database"),
        ("redis://127.0.0.1:1/0/1", "its path must be the number of a database"),
        ("redis://127.0.0.1:1/0?foo=bar", "it has no option foo; use only db"),
        ("redis://127.0.0.1:1?protocol=2&max_connections=1", "it has no option max_connections, protocol"),
        ("redis://127.0.0.1:1?ssl_ca_certs=x", "it has no option ssl_ca_certs"),
        ("unix:///tmp/none.sock?db=first", "the option db must be the number"),
    ],
)
async def test_a_url_with_something_unknown_is_refused(url: str, sentence: str) -> None:
    """The library would pass over a path that is no number, and take any option, even ours away."""
    with pytest.raises(StoreUnfit, match="is not a store's address") as caught:
        await Store.connect(url)
    assert sentence in str(caught.value)


def test_every_command_sent_is_checked_at_the_start() -> None:
    """Whatever the server calls on a client or a pipeline is among the commands whose permission is asked for."""
    texts = [
        path.read_text("utf-8") for path in Path(keys.__file__).parent.rglob("*.py") if "embedded" not in path.parts
    ]
    called = {name.upper() for text in texts for name in re.findall(r"\b(?:redis|together|pipe)\.([a-z]+)\(", text)}
    called |= {"HSCAN"} if any("hscan_iter(" in text for text in texts) else set()
    of_the_client = {"ACLOSE", "ASK", "EXECUTE", "PIPELINE", "PUBSUB", "WATCH", "MULTI", "INCR"}  # the last three: labs
    in_scripts = {
        name for script in connection._scripts().values() for name in connection._COMMANDS.findall(script.text)
    }
    assert called - of_the_client <= {*keys.COMMANDS, *in_scripts}


async def test_two_databases_do_not_hear_each_other(embedded: EmbeddedStore) -> None:
    """Pub/sub knows no database: each database has channels of its own, database 0 those without a number."""
    zero, one = [
        await Store.connect(f"{embedded.url}?db={number}", durability=Durability.RELAXED) for number in range(2)
    ]
    heard: dict[str, list[bytes]] = {name: [] for name in keys.CHANNELS}
    listening = [Subscription(zero, name) for name in keys.CHANNELS]
    for each, said in zip(listening, heard.values(), strict=True):
        each.start(said.append)
    names = [zero.channel(name) for name in keys.CHANNELS]

    async def all_listen() -> bool:
        return sum(count for _, count in await zero.redis.pubsub_numsub(*names)) >= len(names)

    await until_so(all_listen)
    for store in (one, zero):
        for name in keys.CHANNELS:
            await store.redis.publish(store.channel(name), store.channel(name))
    await until_so(lambda: all(heard.values()))
    for each in listening:
        await each.stop()
    assert heard == {name: [name.encode()] for name in keys.CHANNELS}
    assert all(one.channel(name).endswith(":1") for name in keys.CHANNELS)
    await zero.close()
    await one.close()


def _url(reached: dict[str, str]) -> str:
    return f"unix://{reached['path']}" if "path" in reached else f"valkey://{reached['host']}:{reached['port']}"


@asynccontextmanager
async def proxy(path: str, *, swallow_after: str) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Stand before the store at *path*: hang up instead of passing on the reply to a command with that word."""
    sent: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        store_reader, store_writer = await asyncio.open_unix_connection(path)
        while command := await reader.read(65_536):
            sent.append(command)
            store_writer.write(command)
            reply = await store_reader.read(65_536)
            if swallow_after.encode() in command:
                break
            writer.write(reply)
        store_writer.close()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}", sent
