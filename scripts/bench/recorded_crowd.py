"""A recorded run of any length, written to disk packet by packet: what ``redrain bench audit`` judges."""

import gzip
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, BinaryIO, NamedTuple

import orjson

from loadtest.record.run_folder import CHECKED, RunFacts, RunFolder
from loadtest.verdict.committed_shares import SEED_BYTES, commitment_of, shares_of
from server.core.ids import PacketId, claim_id_of
from server.core.packets.packet import Denomination, Terms

SEATS = 10_000
"""The viewers, each with one connection; each packet has as many taps."""

PROCESSES = 2
BATCH = 50  # claims that the server wrote at once
_PACKET_MS = 2_500  # from one launch to the next
_WARMUP_MS, _OPENS_MS, _ENDS_MS = 100, 700, 2_000  # after the launch
_ORIGIN_MS, _ORIGIN_NS = 1_800_000_000_000, 50_000_000_000_000
_CREATOR, _ROOM, _EPOCH = "anna", "anna-live", "9e85f7046a08f9e8"
_NS_PER_MS = 1_000_000
_MEAN_FEN = 100

Row = dict[str, Any]


class TapMix(NamedTuple):
    """The taps for one packet: how many win, how many of these ask again, and how many come too early."""

    winners: int
    repeats: int
    early: int


MIXED = TapMix(winners=SEATS // 10, repeats=SEATS // 100, early=SEATS // 20)
ALL_WIN = TapMix(winners=SEATS, repeats=0, early=0)


def write_run(path: Path, crowd: TapMix, packets: int) -> None:
    """Write a folder of a run in which nothing is wrong, with ``SEATS`` taps for each of so many packets."""
    path.mkdir(parents=True)
    folder = RunFolder(path)
    rng = Random(packets)
    parts = [path / f"books-{name}" for name in ("packets", "journal", "claims", "left")]
    with ExitStack() as files:
        books = [files.enter_context(part.open("wb")) for part in parts]
        heard = [
            files.enter_context(gzip.open(path / f"history-{process + 1}.jsonl.gz", "wb", compresslevel=3))
            for process in range(PROCESSES)
        ]
        for file in heard:
            _write(file, [{"kind": "reading", "server_ms": _ORIGIN_MS, "t": _ORIGIN_NS, "rtt_ns": 200_000}])
        grabs = [0] * PROCESSES
        for number in range(packets):
            packet = _Recorded(crowd, number, packets, rng)
            _packet(packet, books, heard)
            for seat, row in _taps(packet):
                grabs[seat % PROCESSES] += 1
                _write(heard[seat % PROCESSES], [row])
        for process, file in enumerate(heard):
            _write(file, _ends(process, packets, grabs[process]))
    _books(folder.books, parts, crowd, packets)
    folder.write_facts(_facts(packets))


def _write(file: Any, rows: Sequence[Row] | Iterator[Row]) -> None:
    for row in rows:
        file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))


def _name(number: int) -> PacketId:
    return PacketId(f"{_CREATOR}.{number:010x}")


class _Recorded:
    """One packet of the run: its schedule, its shares and who got them."""

    def __init__(self, crowd: TapMix, number: int, packets: int, rng: Random) -> None:
        self.crowd, self.number, self.packets, self.rng = crowd, number, packets, rng
        self.packet_id = _name(number)
        self.launched_ms = _ORIGIN_MS + (number + 1) * _PACKET_MS
        self.opens_ms = self.launched_ms + _OPENS_MS
        total_fen = crowd.winners * _MEAN_FEN
        self.terms = Terms(Denomination.RANDOM, crowd.winners, total_fen, 1, total_fen)
        self.seed = rng.randbytes(SEED_BYTES)
        self.shares = shares_of(self.terms, self.seed)
        self.seats = rng.sample(range(SEATS), SEATS)
        self.batch_ms = min(10, 600 * BATCH // crowd.winners)
        self.sold_out_ms = self.given_ms(crowd.winners - 1)

    def given_ms(self, index: int) -> int:
        """Return when a share was given."""
        return self.opens_ms + 60 + (index // BATCH + 1) * self.batch_ms

    def request(self, seat: int, *, again: bool = False) -> str:
        """Return the id of a viewer's tap, or of its other one."""
        return f"{seat:x}-{self.number * 2 + again}"


def _packet(packet: _Recorded, books: Sequence[BinaryIO], heard: Sequence[Any]) -> None:
    in_packets, in_journal, in_claims, in_left = books
    _write(in_packets, [_packet_row(packet)])
    _write(in_journal, _journal(packet))
    winners = enumerate(packet.seats[: packet.crowd.winners])
    _write(
        in_claims,
        (
            {
                "kind": "claim",
                "packet_id": packet.packet_id,
                "viewer_id": f"v{seat}",
                "index": index,
                "amount_fen": packet.shares[index],
                "edition": 1,
                "request_id": packet.request(seat),
            }
            for index, seat in winners
        ),
    )
    _write(in_left, [{"kind": "left", "packet_id": packet.packet_id, "amounts": []}])
    for process, file in enumerate(heard):
        _write(file, _healths(packet))
        _write(file, _facts_heard(packet, process))


def _packet_row(packet: _Recorded) -> Row:
    commitment, seed = commitment_of(packet.terms, packet.seed), packet.seed.hex()
    count, total_fen = packet.terms.share_count, packet.terms.total_fen
    nothing = ["ended_at_ms", "use_start_at_ms", "use_end_at_ms", "use_for_ms", "product_ids"]
    zero = "remaining remaining_fen returned returned_fen reversal_delay_ms locked locked_fen redeemed redeemed_fen"
    return {
        "kind": "packet",
        "packet_id": packet.packet_id,
        "creator_id": _CREATOR,
        "room_id": _ROOM,
        "name": f"packet {packet.number}",
        "platform": "lab",
        "allocator": "default",
        "edition": 1,
        "denomination": packet.terms.denomination,
        "share_count": count,
        "total_fen": total_fen,
        "min_share_fen": packet.terms.min_share_fen,
        "max_share_fen": packet.terms.max_share_fen,
        "warmup_at_ms": packet.launched_ms + _WARMUP_MS,
        "grab_at_ms": packet.opens_ms,
        "claim_end_at_ms": packet.launched_ms + _ENDS_MS,
        "state": "settled",
        "surface": "popup",
        "commitment": commitment,
        "seed": seed,
        "given": count,
        "given_fen": total_fen,
        "editions": [
            {
                "edition": 1,
                "first_index": 0,
                "share_count": count,
                "total_fen": total_fen,
                "commitment": commitment,
                "seed": seed,
            }
        ],
        **dict.fromkeys(nothing),
        **dict.fromkeys(f"{zero} expired expired_fen final final_fen".split(), 0),
    }


def _entry(packet: _Recorded, at_ms: int, movement: str, transfer_id: str, amount_fen: int) -> Row:
    accounts = {"fund": ("funds", "escrow"), "claim": ("escrow", "assets")}[movement]
    debit, credit = (f"{kind}:{_CREATOR if kind == 'funds' else packet.packet_id}" for kind in accounts)
    nothing = [
        "claims",
        "edition",
        "fee_fen",
        "balance_fen",
        "withdrawal_id",
        "shares",
        "reversals",
        "order_id",
        "postings",
    ]
    return {
        "kind": "journal",
        "creator_id": _CREATOR,
        **dict.fromkeys(nothing),
        "entry_id": f"{at_ms}-0",
        "transfer_id": transfer_id,
        "packet_id": packet.packet_id,
        "debit": debit,
        "credit": credit,
        "amount_fen": amount_fen,
        "at_ms": at_ms,
        "movement": movement,
    }


def _journal(packet: _Recorded) -> Iterator[Row]:
    total_fen = packet.terms.total_fen
    funded = _entry(packet, packet.launched_ms, "fund", f"create:{packet.packet_id}", total_fen)
    yield {**funded, "balance_fen": (packet.packets - packet.number - 1) * total_fen}
    winners = iter(enumerate(packet.seats[: packet.crowd.winners]))
    while batch := list(islice(winners, BATCH)):
        first = batch[0][0]
        claims = [[f"v{seat}", index, packet.shares[index], packet.request(seat)] for index, seat in batch]
        given_fen = sum(claim[2] for claim in claims)  # type: ignore[misc]
        at_ms = packet.given_ms(first)
        given = _entry(packet, at_ms, "claim", f"claim:{packet.packet_id}:{first}", given_fen)
        yield {**given, "claims": claims, "edition": 1}


def _ns(room_ms: int) -> int:
    return _ORIGIN_NS + (room_ms - _ORIGIN_MS) * _NS_PER_MS


def _healths(packet: _Recorded) -> Iterator[Row]:
    for at_ms in range(packet.launched_ms, packet.launched_ms + _PACKET_MS, 250):
        yield {"kind": "health", "t": _ns(at_ms), "lag_ms": 0.4, "cpu": 0.31, "steal": 0.0, "descriptors": SEATS + 20}


def _facts_heard(packet: _Recorded, process: int) -> Iterator[Row]:
    best = sorted(range(packet.crowd.winners), key=lambda index: (-packet.shares[index], index))[:10]
    luck = [
        {"viewer_id": f"v{packet.seats[index]}", "amount_fen": packet.shares[index], "index": index} for index in best
    ]
    ends_ms = packet.launched_ms + _ENDS_MS
    result = {"result": {"granted_count": packet.crowd.winners, "best_luck": luck}}
    instants: list[tuple[str, int, Row]] = [
        ("warmup", packet.launched_ms + _WARMUP_MS, {}),
        ("open", packet.opens_ms, {}),
        ("sold_out", packet.sold_out_ms, {}),
        ("closed", ends_ms, {}),
        ("result", ends_ms + 50, result),
    ]
    for place, (kind, at_ms, more) in enumerate(instants, start=1):
        yield {
            "kind": "fact",
            "room": _ROOM,
            "epoch": _EPOCH,
            "t_first": _ns(at_ms) + 2 * _NS_PER_MS + process,
            "t_last": _ns(at_ms) + 20 * _NS_PER_MS + process,
            "count": SEATS // PROCESSES,
            "seq": packet.number * len(instants) + place,
            "type": kind,
            "packet": packet.packet_id,
            "hash": f"{packet.number:012x}{place:04x}",
            "at_ms": at_ms + 1,
            **more,
        }


def _taps(packet: _Recorded) -> Iterator[tuple[int, Row]]:
    """Yield each tap with its seat, roughly in the order of the answers."""
    crowd, seats = packet.crowd, packet.seats
    early_ms, late_ms = packet.opens_ms - 300, packet.sold_out_ms + 5
    for seat in seats[crowd.winners : crowd.winners + crowd.early]:
        yield seat, _tap(packet, seat, _ns(early_ms), None, "too_early")
    for index, seat in enumerate(seats[: crowd.winners]):
        given_ms = packet.given_ms(index)
        sent_ns = _ns(given_ms - packet.batch_ms) + index % BATCH * 1_000
        yield seat, _tap(packet, seat, sent_ns, index, "granted")
    for index, seat in enumerate(seats[: crowd.repeats]):
        yield seat, _tap(packet, seat, _ns(late_ms), index, "repeated")
    losers = SEATS - crowd.winners - crowd.repeats - crowd.early
    for place, seat in enumerate(seats[crowd.winners : crowd.winners + losers]):
        yield seat, _tap(packet, seat, _ns(late_ms) + place * 40_000, None, "exhausted")


def _tap(packet: _Recorded, seat: int, sent_ns: int, index: int | None, status: str) -> Row:
    jitter_ns = packet.rng.randrange(_NS_PER_MS)
    return {
        "kind": "grab",
        "i": packet.number,
        "conn": f"{seat:x}.0",
        "viewer": f"v{seat}",
        "packet": packet.packet_id,
        "request_id": packet.request(seat, again=status in ("too_early", "repeated")),
        "behaviour": "eager",
        "t_intended": sent_ns - jitter_ns,
        "t_sent": sent_ns,
        "t_reply": sent_ns + packet.batch_ms * _NS_PER_MS + jitter_ns,
        "type": "fail" if index is None else "ok",
        "status": status,
        "amount_fen": None if index is None else packet.shares[index],
        "index": index,
        "claim_id": None if index is None else claim_id_of(packet.packet_id, index),
        "edition": 1,
        "receipt": f"{packet.rng.getrandbits(64):016x}",
        "t_gave_up": None,
        "again": None,
    }


def _ends(process: int, packets: int, grabs: int) -> Iterator[Row]:
    """Yield what a process writes when its viewers leave."""
    over_ns, seats = _ns(_ORIGIN_MS + (packets + 2) * _PACKET_MS), range(process, SEATS, PROCESSES)
    for seat in seats:
        yield {"kind": "run", "conn": f"{seat:x}.0", "epoch": _EPOCH, "first_seq": 1, "last_seq": packets * 5}
        yield {
            "kind": "conn",
            "conn": f"{seat:x}.0",
            "viewer": f"v{seat}",
            "room": _ROOM,
            "t_open": _ORIGIN_NS + seat * 1_000,
            "t_welcome": _ORIGIN_NS + seat * 1_000 + _NS_PER_MS,
            "epoch": _EPOCH,
            "seq": 0,
            "resumed_from": None,
            "resync": False,
            "t_close": over_ns,
            "code": 1000,
            "patience_ms": 5_000,
        }
    yield {"kind": "end", "grabs": grabs, "conns": len(seats)}


def _books(path: Path, parts: Sequence[Path], crowd: TapMix, packets: int) -> None:
    """Join the parts of the books, between the creator and the end."""
    paid_fen, at_ms = packets * crowd.winners * _MEAN_FEN, _ORIGIN_MS
    last = _Recorded(crowd, packets - 1, packets, Random(0))
    batch = (crowd.winners - 1) // BATCH * BATCH
    wallet = {"available_fen": 0, "recharged_fen": paid_fen, "returned_fen": 0, "withdrawn_fen": 0}
    with path.open("wb") as books:
        _write(books, [{"kind": "clock", "origin_ms": at_ms, "started_ms": at_ms, "speed": 1}])
        creator = {
            "kind": "creator",
            "creator_id": _CREATOR,
            "cut_ms": last.launched_ms + 2 * _PACKET_MS,
            "journal_last_id": f"{last.given_ms(batch)}-0",
            "wallet": {**wallet, "spent_fen": paid_fen, "reversing_fen": 0},
        }
        recharge = _entry(last, at_ms, "fund", "recharge:1", paid_fen)
        recharge |= {"packet_id": "", "debit": "psp:bank", "credit": f"funds:{_CREATOR}", "movement": "recharge"}
        _write(books, [creator, {**recharge, "balance_fen": paid_fen}])
        for part in parts:
            with part.open("rb") as lines:
                shutil.copyfileobj(lines, books)
            part.unlink()
        _write(books, [{"kind": "end", "final": True}])


def _facts(packets: int) -> RunFacts:
    return RunFacts(
        scenario="recorded crowd",
        seed=packets,
        engine="swarm",
        durability="relaxed",
        speed=1,
        limits="load",
        allocator="default",
        viewers=SEATS,
        seats=SEATS,
        repeat_command="redrain bench audit",
        started_at="2027-01-15T08:00:00+00:00",
        environment={},
        packet_ids=[_name(number) for number in range(packets)],
        processes=PROCESSES,
        server_log=CHECKED,
    )
