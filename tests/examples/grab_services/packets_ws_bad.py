"""A packet room over WebSocket that remembers the next share, saves, and then moves on: others come in between."""

import asyncio
import os
import sqlite3

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

DATABASE = os.environ["COUPONS_DB"]
SHARES = [50 + n for n in range(100)]

app = FastAPI()
owners: dict[str, int] = {}
state = {"next": 0}


def save(user: str, index: int) -> None:
    with sqlite3.connect(DATABASE, timeout=30) as db:
        db.execute("CREATE TABLE IF NOT EXISTS claims (user TEXT, share INTEGER, cents INTEGER)")
        db.execute("INSERT INTO claims VALUES (?, ?, ?)", (user, index, SHARES[index]))


async def take(user: str) -> dict:
    if user in owners:
        return {"result": "again", "share": owners[user], "cents": SHARES[owners[user]]}
    index = state["next"]
    if index >= len(SHARES):
        return {"result": "empty"}
    await asyncio.to_thread(save, user, index)
    state["next"] = index + 1
    owners[user] = index
    return {"result": "won", "share": index, "cents": SHARES[index]}


@app.websocket("/room")
async def room(socket: WebSocket):
    await socket.accept()
    try:
        hello = await socket.receive_json()
        user = hello["user"]
        await socket.send_json({"type": "joined", "user": user})
        await socket.send_json({"type": "go", "packet": "rain"})
        while True:
            asked = await socket.receive_json()
            answer = await take(user)
            await socket.send_json({"type": "grab_result", "id": asked["id"], **answer})
    except WebSocketDisconnect:
        pass


@app.get("/claims.csv")
def claims():
    from fastapi.responses import PlainTextResponse

    with sqlite3.connect(DATABASE) as db:
        rows = db.execute("SELECT user, share, cents FROM claims").fetchall()
    lines = ["packet,user,share,cents", *(f"rain,{user},{share},{cents}" for user, share, cents in rows)]
    return PlainTextResponse("\n".join(lines) + "\n", media_type="text/csv")
