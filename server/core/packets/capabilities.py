"""Capabilities of an allocator besides answering grabs. A packet is created with those of its allocator."""

from dataclasses import dataclass, fields
from typing import Self


@dataclass(frozen=True, slots=True)
class Capabilities:
    """
    Each one is a promise that the server relies on; without it the server does less and still works.

    ``one_step`` takes a share off the packet's list and writes it into the books in one step, so that the list says at
    any instant what remains. ``keeps_owners`` lists the owners in the order of their claims, so that what they hold can
    expire and a shop may sell for it. ``edits`` goes on correctly when the number of shares is changed.
    """

    one_step: bool = False
    keeps_owners: bool = False
    edits: bool = False

    def text(self) -> str:
        """Return the names of the capabilities present, as a packet's record keeps them."""
        return ",".join(field.name for field in fields(self) if getattr(self, field.name))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return the capabilities that ``text()`` wrote."""
        return cls(**dict.fromkeys(filter(None, text.split(",")), True))


ALL_CAPABILITIES = Capabilities(one_step=True, keeps_owners=True, edits=True)
