"""A coupon service whose database decides who gets one: the look and the taking are one transaction."""

import os
import sqlite3
import time

from fastapi import FastAPI, Header, HTTPException
from pydantic import BaseModel

DATABASE = os.environ["COUPONS_DB"]
STOCK, CENTS = 100, 100

app = FastAPI()


class Login(BaseModel):
    user: str


class Grab(BaseModel):
    user: str
    request_id: str


def check_risk(user: str) -> None:
    """Ask the risk service about a user: some milliseconds on the network."""
    time.sleep(0.02)


def connect() -> sqlite3.Connection:
    db = sqlite3.connect(DATABASE, timeout=30, isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=OFF")
    db.execute("CREATE TABLE IF NOT EXISTS claims (id INTEGER PRIMARY KEY, packet_id TEXT, user TEXT, cents INTEGER)")
    return db


@app.post("/login")
def login(body: Login):
    return {"data": {"token": f"t-{body.user}"}}


@app.post("/packets/{packet_id}/grab")
def grab(packet_id: str, body: Grab, authorization: str = Header()):
    if authorization != f"Bearer t-{body.user}":
        raise HTTPException(401)
    check_risk(body.user)
    db = connect()
    try:
        db.execute("BEGIN IMMEDIATE")
        had = db.execute("SELECT id FROM claims WHERE packet_id=? AND user=?", (packet_id, body.user)).fetchone()
        if had:
            return {"code": "ALREADY", "data": {"cents": CENTS, "id": f"c{had[0]}"}}
        (given,) = db.execute("SELECT COUNT(*) FROM claims WHERE packet_id=?", (packet_id,)).fetchone()
        if given >= STOCK:
            return {"code": "SOLD_OUT", "data": None}
        added = db.execute(
            "INSERT INTO claims (packet_id, user, cents) VALUES (?, ?, ?)", (packet_id, body.user, CENTS)
        )
        db.execute("COMMIT")
        return {"code": "OK", "data": {"cents": CENTS, "id": f"c{added.lastrowid}"}}
    finally:
        db.close()


@app.get("/admin/claims")
def claims():
    db = connect()
    rows = db.execute("SELECT packet_id, user, cents, id FROM claims").fetchall()
    return {"data": [{"packet_id": p, "user": u, "cents": c, "id": f"c{n}"} for p, u, c, n in rows]}
