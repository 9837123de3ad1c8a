"""How a service's reply reads: which status it means, and where amount, index and claim id stand (JMESPath)."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from http import HTTPStatus
from typing import Any

import jmespath
import orjson
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult

from loadtest.scenarios.target_spec import Match, ReceiptSpec, Scalar
from loadtest.targets.port import BadTarget
from server.core.packets.claim import ClaimStatus

TEXT_SHOWN_MAX = 200  # of a reply that is not understood
SECTION = "[target.receipt]"  # of a scenario
_WRONG_PATH = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED})
AMOUNT_MAX = 1 << 56  # far more than there is, and its fen are still whole numbers of 64 bits


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """
    A reply that says nothing that the scenario explains: whether the grab won is not known.

    ``what`` was answered, in a word by which such replies are counted; ``mend`` names where to explain it.
    """

    reason: str
    what: str = ""
    mend: str = ""


class JsonPath:
    """A JMESPath expression, compiled. Raises BadTarget, which names the *field*."""

    __slots__ = ("_compiled",)

    def __init__(self, expression: str, *, field: str) -> None:
        try:
            self._compiled: ParsedResult = jmespath.compile(expression)
        except JMESPathError as error:
            raise BadTarget(f"{field}: {expression!r} is no JMESPath: {error}") from None

    def search(self, document: Any) -> Any:
        """Return what stands there; None if nothing does, or if a function of it does not go with what does."""
        try:
            return self._compiled.search(document)
        except JMESPathError:
            return None


class Matcher:
    """Tells whether a message has the value of a ``Match``."""

    def __init__(self, match: Match, *, field: str) -> None:
        self._name = match.path
        self._path = JsonPath(match.path, field=f"{field}.path")
        self._equals = word_of(match.equals)

    def fits(self, document: Any) -> bool:
        """Tell whether *document* has it."""
        return word_of(self._path.search(document)) == self._equals

    def told(self, document: Any) -> str:
        """Return what *document* has there instead."""
        return word_at(self._name, self._path.search(document))


class ReplyReader:
    """Reads receipts out of replies, as the ``[target.receipt]`` of a scenario says."""

    def __init__(self, spec: ReceiptSpec) -> None:
        self._named = spec.status or ""
        self._status = None if spec.status is None else JsonPath(spec.status, field="target.receipt.status")
        self._words = {word_of(value): status for status, values in spec.words.items() for value in values}
        self._http = spec.http
        self._unit = "fen" if spec.amount is None else spec.amount.unit
        amount = spec.amount_fen if spec.amount is None else spec.amount.path
        self._amount = None if amount is None else JsonPath(amount, field="target.receipt.amount")
        self._index = None if spec.index is None else JsonPath(spec.index, field="target.receipt.index")
        self._claim_id = None if spec.claim_id is None else JsonPath(spec.claim_id, field="target.receipt.claim_id")

    def read(self, document: Any, http_status: int | None = None) -> Mapping[str, Any] | NotUnderstood:
        """Return ``status, amount_fen, index, claim_id`` of a reply; *http_status* is None over a WebSocket."""
        status = self._status_of(document, http_status)
        if isinstance(status, NotUnderstood):
            return status
        if status not in (ClaimStatus.GRANTED, ClaimStatus.REPEATED):
            return {"status": status.value, "amount_fen": None, "index": None, "claim_id": None}
        try:
            amount = None if self._amount is None else fen_of(self._amount.search(document), self._unit)
            index = None if self._index is None else _whole(self._index.search(document))
        except ValueError as error:
            what = f"{_of(http_status)} with an amount or index that is no number"
            return NotUnderstood(str(error)[:TEXT_SHOWN_MAX], what, f"{SECTION}.amount_fen or .index")
        claim_id = None if self._claim_id is None else self._claim_id.search(document)
        return {
            "status": status.value,
            "amount_fen": amount,
            "index": index,
            "claim_id": None if claim_id is None else str(claim_id),
        }

    def _status_of(self, document: Any, http_status: int | None) -> ClaimStatus | NotUnderstood:
        if http_status is not None and http_status in self._http:
            return self._http[http_status]
        if self._status is not None:
            value = self._status.search(document)
            status = self._words.get(word_of(value))
            if status is not None:
                return status
            of = "" if http_status is None else f" (HTTP {http_status})"
            reason = f"status {value!r}{of} is in none of target.receipt.words"[:TEXT_SHOWN_MAX]
            if value is None and http_status is not None:
                return NotUnderstood(reason, _of(http_status), _mend_http(http_status, word="status"))
            where = "status" if value is None else "words"
            return NotUnderstood(
                reason, f"{_of(http_status)} {word_at(self._named, value)}".strip(), f"{SECTION}.{where}"
            )
        if http_status is None or 200 <= http_status < 300:
            return ClaimStatus.GRANTED
        reason = f"HTTP {http_status} is not in target.receipt.http"
        return NotUnderstood(reason, _of(http_status), _mend_http(http_status))


def _of(http_status: int | None) -> str:
    return "a message" if http_status is None else f"HTTP {http_status}"


def _mend_http(http_status: int, word: str = "") -> str:
    """Return where to explain an HTTP status; where there is no such path, the request may be what is wrong."""
    place = f"{SECTION}.http"
    if word and 200 <= http_status < 300:
        return f"{SECTION}.{word}"
    if http_status in _WRONG_PATH:
        return f"{place}, or mend [target.grab].request"
    return place


def word_at(name: str, value: object) -> str:
    """Return the *value* that stands at the path *name*, as it is told."""
    return f"without {name}" if value is None else f"with {name} {orjson.dumps(value, default=str).decode()}"


def fen_of(value: object, unit: str) -> int | None:
    """Return an amount in fen; None stays None. Raises ValueError if it is no whole number of fen."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"amount {value!r} is no number")
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        raise ValueError(f"amount {value!r} is no number") from None
    if not amount.is_finite() or not -AMOUNT_MAX < amount < AMOUNT_MAX:
        raise ValueError(f"amount {value!r} is no number below 2^56")
    fen = amount * (100 if unit == "yuan" else 1)
    if fen != fen.to_integral_value():
        raise ValueError(f"amount {value!r} {unit} is no whole number of fen")
    return int(fen)


def word_of(value: Scalar | None) -> str:
    """Return a value as it is compared: ``true`` and ``True`` of JSON and TOML are the same word."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _whole(value: object) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    raise ValueError(f"index {value!r} is no whole number")
