"""Viewers with two shares (A3), untrue receipts (A4), lost shares (A5), and answers that change (A6)."""

from collections.abc import Sequence
from typing import Any

from server.core.packets.claim import HOLDS_SHARE, Claim, ClaimStatus, Grab
from server.core.rooms import messages
from server.gateway import grabs
from server.gateway.grabs import GrabDesk
from server.store.allocators.memory import Recollection
from tests.planted.plant import Plant, every, in_script, of, rewrite_claims

_NEW = "if held[i] or first then"
_STORED = "stored[2 * n - 1], stored[2 * n] = viewer, held[i]"
_WRITE = "redis.call('HSET', claims, unpack(stored))"
_WON = "== requests[i] and 'g' or 'r'"
_LINE = "lines[n] = viewer .. ',' .. index .. ',' .. taken[n] .. ',' .. request"


def tell_more() -> None:
    """Add a fen to the amount in every twentieth receipt that holds a share."""

    def told(claim: Claim) -> Claim:
        assert claim.share is not None
        return claim._replace(share=claim.share._replace(amount_fen=claim.share.amount_fen + 1))

    rewrite_claims(20, ClaimStatus.GRANTED, told)


def tell_the_next_index() -> None:
    """Name the share after its own to every second viewer that asks again."""

    def told(claim: Claim) -> Claim:
        assert claim.share is not None
        return claim._replace(share=claim.share._replace(index=claim.share.index + 1))

    rewrite_claims(2, ClaimStatus.REPEATED, told)


def name_another_claim() -> None:
    """Give every twentieth receipt with a share a claim id that no share has."""
    now = every(20)

    def planted(claim: Claim) -> bytes:
        text = messages.receipt(claim)
        if claim.status in HOLDS_SHARE and next(now):
            text = text.replace(b'"claim_id":"', b'"claim_id":"0')
        return text

    grabs.receipt = planted  # type: ignore[attr-defined]


def differ_the_second_time() -> None:
    """Write every tenth receipt with a share twice, the second time with a fen less."""
    hand_out, now = GrabDesk._hand_out, every(10)

    def planted(self: GrabDesk, requesters: list[Any], claims: list[Claim]) -> None:
        hand_out(self, requesters, claims)
        for requester, claim in zip(requesters, claims, strict=True):
            if claim.share is not None and next(now):
                requester._session._grabs_in_flight += 1
                less = claim.share._replace(amount_fen=claim.share.amount_fen - 1)
                hand_out(self, [requester], [claim._replace(share=less)])

    GrabDesk._hand_out = planted  # type: ignore[method-assign]


def forget_winners() -> None:
    """Answer from memory, once a packet is empty, as if nobody held a share of it."""
    answer = Recollection.answer

    def planted(self: Recollection, grabs: Sequence[Grab], refusal: ClaimStatus) -> list[Claim]:
        loser = Recollection(self.packet_id, self.room_id, self.edition, self.schedule, {}, self.sold_out)
        return answer(loser, grabs, refusal)

    Recollection.answer = planted  # type: ignore[method-assign]


PLANTS = [
    Plant(
        "one repeat in seven gets a second share",
        of("A3"),
        in_script("claim", (_NEW, "if (held[i] and given % 7 ~= 3) or first then")),
    ),
    Plant(
        "a repeat after an edit gets a second share",
        of("A3"),
        in_script("claim", (_NEW, "if (held[i] and edition_text == '1') or first then")),
        "changes",
    ),
    Plant(
        "the last shares are also given to who has one",
        of("A3"),
        in_script("claim", (_NEW, "if (held[i] and remaining > 12) or first then")),
    ),
    Plant("one receipt in twenty says a fen more", of("A4"), tell_more),
    Plant("one receipt in twenty names another claim", of("A4"), name_another_claim),
    Plant(
        "a repeat is answered as a fresh grant", of("A4"), in_script("claim", (_WON, "== requests[i] and 'g' or 'g'"))
    ),
    Plant(
        "every ninth share is written down for a tap that nobody made",
        of("A4"),
        in_script("claim", (_STORED, f"{_STORED} .. (given % 9 == 4 and '.x' or '')")),
    ),
    Plant(
        "one winner in nine is forgotten by the claims",
        of("A5"),
        in_script("claim", (_WRITE, f"{_WRITE}\n    if given % 9 == 4 then redis.call('HDEL', claims, stored[1]) end")),
    ),
    Plant(
        "the first winner loses its share when the last one is given",
        of("A5"),
        in_script(
            "claim",
            (
                _WRITE,
                f"{_WRITE}\n    if remaining == #winners then\n        local first = redis.call('LINDEX', owners, 0)\n"
                "        redis.call('HDEL', claims, string.match(first, '^[^:]+'))\n    end",
            ),
        ),
    ),
    Plant("a receipt that is written twice differs", of("A6"), differ_the_second_time),
    Plant("one repeat in two names the next share", of("A6"), tell_the_next_index),
    Plant("a winner that asks again when all is gone is told exhausted", of("A6"), forget_winners),
    Plant(
        "the journal gives one share in eight to another tap of its viewer",
        of("A10"),
        in_script("claim", (_LINE, f"{_LINE} .. (given % 8 == 5 and '.x' or '')")),
    ),
]
