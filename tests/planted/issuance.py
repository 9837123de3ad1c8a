"""Packets that give more than they hold (A1), or say that nothing is left while something is (A2)."""

from server.core.packets.claim import Claim, ClaimStatus, Share
from tests.planted.plant import Plant, in_script, of, rewrite_claims

_POP = "redis.call('LPOP', shares, math.min(#winners, in_shares))"
_LEFT = "elseif #winners < remaining then"
_COUNT = "redis.call('HINCRBY', packet, 'given', #winners)"
_ADDED = "(added_wait and 0 or redis.call('LLEN', added))"


def promise_what_is_gone() -> None:
    """Tell every third viewer who comes too late for a share that it got one, of one fen."""
    share = Share(0, 1, 1, "")  # type: ignore[arg-type]

    def promised(claim: Claim) -> Claim:
        return claim._replace(status=ClaimStatus.GRANTED, share=share._replace(request_id=claim.request_id))

    rewrite_claims(3, ClaimStatus.EXHAUSTED, promised)


PLANTS = [
    Plant(
        "the last share is given again and again",
        of("A1"),
        in_script("claim", (_POP, _POP.replace("in_shares)", "math.max(0, in_shares - 1))"))),
    ),
    Plant(
        "every fifth share is not counted as given",
        of("A1"),
        in_script("claim", (_COUNT, _COUNT.replace("#winners)", "#winners - (given % 5 == 4 and 1 or 0))"))),
    ),
    Plant("losers are told of shares that do not exist", of("A1"), promise_what_is_gone),
    Plant(
        "exhausted is said one share early",
        of("A2"),
        in_script("claim", (_LEFT, _LEFT.replace("remaining", "remaining - 1"))),
    ),
    Plant(
        "the last share that an edit added is never given",
        of("A2"),
        in_script("claim", (_ADDED, "(added_wait and 0 or math.max(0, redis.call('LLEN', added) - 1))")),
        "changes",
    ),
    Plant(
        "the last share is refused to most viewers who come for it",
        of("A2", "A7", "A13"),
        in_script("claim", (_LEFT, f"{_LEFT[:-5]} and (#winners + 1 < remaining or at_ms % 16 == 0) then")),
    ),
]
