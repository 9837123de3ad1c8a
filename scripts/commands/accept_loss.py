"""Shows what a store lacks of what a home's server has acknowledged, and accepts it if asked to."""

import asyncio
from pathlib import Path
from typing import Any

from loadtest.run.plain_console import plain
from loadtest.verdict.weigh import Exit
from scripts.output import console, failed, write_json
from server.app import store_in_use
from server.core.money.marks import Shortfall
from server.settings import Settings
from server.store.connection import Durability, Store, StoreUnavailable, StoreUnfit
from server.store.embedded.folder import StoreNotStarted
from server.store.witness import books_of, known_of, lacking
from server.store.witness_file import WitnessFile


def run_accept_loss(home: Path, json: str | None, *, accept: bool) -> int:
    """Compare the store with the home's witness; with *accept*, know the store as it is from now on."""
    settings = Settings(home=home)
    file = WitnessFile(home, settings.store_url)
    try:
        with store_in_use(settings) as url:
            behind = asyncio.run(_compare(url, file, accept=accept))
    except (StoreNotStarted, StoreUnavailable, StoreUnfit) as error:
        return failed(error, Exit.ENVIRONMENT)
    say = console(json)
    write_json(json, _as_json(behind, accepted=behind is not None and accept))
    if behind is None:
        say.print(f"nothing is missing of what {plain(str(file.path))} knows")
        return Exit.PASS
    for line in behind.lines():
        say.print(plain(line))
    if accept:
        say.print("accepted: the store counts as it is from now on; restart the servers of this home")
        return Exit.PASS
    say.print("nothing was changed: give the store its data back, or repeat this with --accept to go on without them")
    return Exit.ENVIRONMENT


async def _compare(url: str, file: WitnessFile, *, accept: bool) -> Shortfall | None:
    store = await Store.connect(url, durability=Durability.NONE)
    try:
        known = await known_of(store, file)
        if known is None:
            return None
        _, behind = await lacking(store, known)
        if behind is not None and accept:
            file.replace(await books_of(store))
        return behind
    finally:
        await store.close()


def _as_json(behind: Shortfall | None, *, accepted: bool) -> dict[str, Any]:
    if behind is None:
        return {"missing": False}
    creators = {
        creator_id: {"known": mark._asdict(), "found": found._asdict()}
        for creator_id, (mark, found) in sorted(behind.creators.items())
    }
    return {
        "missing": True,
        "accepted": accepted,
        "known_epoch": behind.known_epoch,
        "epoch": behind.epoch,
        "creators": creators,
    }
