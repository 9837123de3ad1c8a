"""All planted bugs, by what they break; each module beside this one has a list of its own."""

from itertools import chain

from tests.planted import answers, publications, realtime, refusals, shares, told
from tests.planted.plant import Plant

PLANTS: list[Plant] = [
    *chain.from_iterable(module.PLANTS for module in (answers, realtime, shares, refusals, publications, told))
]
