"""The credential that a viewer connects with: pure, and the same for every shell."""


class Admission:
    """
    Choose a seat's credential: its resume token, else its ticket, else its name.

    ``resume`` is the token of its last ``welcome``, ``ticket`` the one that the shell fetched; "" means none.
    """

    __slots__ = ("resume", "ticket")

    def __init__(self) -> None:
        self.resume = ""
        self.ticket = ""

    @property
    def lacks_resume_token(self) -> bool:
        """Tell whether there is no resume token: a target that does not accept names then needs a new ticket."""
        return not self.resume

    def query(self, viewer_id: str) -> str:
        """Return the first part of the query string, which holds the credential."""
        shown = (("resume", self.resume), ("ticket", self.ticket), ("viewer", viewer_id))
        return next(f"{name}={value}" for name, value in shown if value)

    def rejected(self) -> None:
        """Drop the credential that a server has rejected."""
        self.resume = self.ticket = ""
