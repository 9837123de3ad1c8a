"""All planted bugs, by what they break; each module beside this one has a list of its own."""

from itertools import chain

from tests.planted import (
    answers,
    creators,
    fanout,
    issuance,
    money,
    payouts,
    prices,
    publications,
    realtime,
    receipts,
    refusals,
    shares,
    told,
)
from tests.planted.plant import Plant

_OF_MONEY = (money, prices, payouts)
_BY_INVARIANT = (
    issuance, receipts, creators, realtime, shares, fanout, *_OF_MONEY, answers, refusals, publications, told,
)  # fmt: skip
PLANTS: list[Plant] = list(chain.from_iterable(module.PLANTS for module in _BY_INVARIANT))
