"""By what a viewer comes in: pure, and the same for every shell."""


class Admission:
    """
    A seat's resume token, else a ticket, else its name.

    ``resume`` is what its last ``welcome`` gave it, ``ticket`` what the shell got for it; both are "" without one.
    """

    __slots__ = ("resume", "ticket")

    def __init__(self) -> None:
        self.resume = ""
        self.ticket = ""

    @property
    def stranger(self) -> bool:
        """Whether there is no token to come back with: where names do not do, a new ticket is wanted."""
        return not self.resume

    def query(self, viewer_id: str) -> str:
        """Return the first part of the query that asks to be let in."""
        shown = (("resume", self.resume), ("ticket", self.ticket), ("viewer", viewer_id))
        return next(f"{name}={value}" for name, value in shown if value)

    def turned_away(self) -> None:
        """Take note that a server does not accept what was shown."""
        self.resume = self.ticket = ""
