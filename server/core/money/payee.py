"""The payee of a withdrawal: the account that the money is paid to (DY-ACC-7, AMB-57)."""

from dataclasses import dataclass

from server.core.refusal import Refused
from server.core.text import checked_text

NAME_LENGTH_MAX = 40
ACCOUNT_LENGTH_MAX = 64  # an e-mail address or a phone number
_SHOWN_BEFORE, _SHOWN_AFTER = 3, 4  # of a phone number, as payment pages print it
_MASK = "****"


@dataclass(frozen=True, slots=True)
class Payee:
    """The name of a payee, and its account with the payment provider. Raises Refused (``bad_field``) if not valid."""

    name: str
    account: str

    def __post_init__(self) -> None:
        checked_text("payee.name", self.name, length_max=NAME_LENGTH_MAX)
        checked_text("payee.account", self.account, length_max=ACCOUNT_LENGTH_MAX)
        if any(char.isspace() for char in self.account):
            raise Refused("bad_field", "must have no blanks", field="payee.account")

    def masked(self) -> "Payee":
        """Return the payee as it is shown: of its account at most three characters before and four behind the mask."""
        return Payee(self.name, self._masked_account())

    def _masked_account(self) -> str:
        local, at, domain = self.account.partition("@")
        if at:
            return f"{local[: min(_SHOWN_BEFORE, len(local) // 2)]}{_MASK}@{domain}"
        shown = len(local) // 3
        before, after = min(_SHOWN_BEFORE, shown), min(_SHOWN_AFTER, shown)
        return f"{local[:before]}{_MASK}{local[len(local) - after :]}"
