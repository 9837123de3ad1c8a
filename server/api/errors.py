"""Error responses, always ``{code, detail, rule}``."""

from functools import partial
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from server.api.catalogue import Language, language_of, refusal_told, told
from server.core.refusal import Refused
from server.store.connection import StoreUnavailable
from server.store.transfers import StoreBroken
from server.store.unavailable import BooksBehind

_NOT_NOW = (
    "below_claimed",
    "blackout",
    "edit_raced",
    "event_conflict",
    "expired",
    "incomplete",
    "insufficient_funds",
    "launch_raced",
    "not_available",
    "not_cancellable",
    "not_draft",
    "not_eligible",
    "not_final_yet",
    "not_paid",
    "not_payable",
    "not_pending",
    "not_refundable",
    "not_yet_valid",
    "packet_taken",
    "price_changed",
    "raced",
    "recharge_required",
    "invoice_overlaps",
    "no_fees",
    "refund_conflict",
    "room_taken",
    "settled",
    "too_late",
    "too_many_at_once",
    "too_much",
    "trail_full",
    "trail_taken",
    "transfer_conflict",
    "unchanged",
    "voided",
)
"""Codes of requests that are valid, but not in the present state."""

_NEVER = (
    "bad_field",
    "bad_id",
    "channel_not_offered",
    "grab_not_whole_second",
    "infeasible_denomination",
    "missing_field",
    "mode_not_offered",
    "not_editable",
    "not_endable",
    "not_configurable",
    "not_yours",
    "other_creator",
    "other_goods",
    "other_platform",
    "out_of_bounds",
    "out_of_range",
    "repeated",
    "too_many",
    "too_many_lines",
    "unexpected_field",
    "unknown_step",
    "withdraw_unsupported",
    "wrong_source",
)
"""Codes of requests that break a rule in any state."""

_STRANGER = ("bad_credential", "credential_expired", "credential_needed", "wrong_audience")
"""Codes of requests whose caller is not identified."""

STATUS: dict[str, int] = {
    **dict.fromkeys(_STRANGER, 401),
    "guests_off": 403,
    "not_allowed": 403,
    "not_found": 404,
    **dict.fromkeys(_NOT_NOW, 409),
    **dict.fromkeys(_NEVER, 422),
    "too_many_guests": 429,
}
"""The HTTP status of each refusal code."""

_REFUSED = 422
RETRY_AFTER_S = "1"  # a store that is unavailable is usually back within seconds
_DETAILS = {
    "transfer_conflict": "Idempotency-Key: this key belongs to another request; use a new key"
}  # the store's transfer id
_HTTP_CODES = {400: "malformed_json", 404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}


class Problem(BaseModel):
    """The body of every error response. ``rule`` is the business rule that refused, or empty."""

    code: str
    detail: str
    rule: str = ""


_MEANINGS = {
    400: "the body is not JSON",
    401: "the credential is missing or not valid",
    403: "the credential does not allow it",
    404: "not found",
    409: "not in this state",
    413: "the body is too large",
    422: "a field breaks a rule",
    429: "too many of this address",
    503: "the store is unavailable and the outcome unknown; retry with the same key",
}

ANY_PROBLEM: dict[int | str, dict[str, Any]] = {
    "default": {"model": Problem, "description": "every other error has the same form"}
}

_PROBLEM_SHOWN = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
"""A reference to the one above: a model at each status of each route would cost a tenth of a server's start."""


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return a route's declaration of its error responses."""
    return {status: {"description": _MEANINGS[status], "content": _PROBLEM_SHOWN} for status in statuses}


def install(app: FastAPI) -> None:
    """Make every error response of *app* a Problem."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(StoreUnavailable, _unavailable)
    app.add_exception_handler(BooksBehind, partial(_failed, 503, "books_behind"))
    app.add_exception_handler(StoreBroken, partial(_failed, 500, "store_broken"))
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _mistake)


def _answer(status: int, problem: Problem, language: Language) -> JSONResponse:
    headers = {"Content-Language": language, "Vary": "Accept-Language"}
    return JSONResponse(problem.model_dump(), status, headers)


def _of(request: Request) -> Language:
    """Return the language that a caller prefers."""
    return language_of(request.headers.get("accept-language", ""))


WithLanguage = Annotated[Language, Depends(_of)]


def problem_of(refusal: Refused, language: Language) -> Problem:
    """Return the body that says why something is refused."""
    detail = refusal_told(refusal, language, _DETAILS.get(refusal.code, ""))
    return Problem(code=refusal.code, detail=detail, rule=refusal.rule)


def refusal_answer(refusal: Refused, language: Language) -> JSONResponse:
    """Return the HTTP response of a refusal."""
    answer = _answer(STATUS.get(refusal.code, _REFUSED), problem_of(refusal, language), language)
    if answer.status_code == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


async def _refused(request: Request, refusal: Exception) -> JSONResponse:
    assert isinstance(refusal, Refused)
    return refusal_answer(refusal, _of(request))


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    problems = error.errors()
    for problem in problems:
        if problem["type"] == "json_invalid":
            detail = f"{problem['ctx']['error']}, at character {problem['loc'][-1]}"
            return await _failed(400, "malformed_json", request, detail)
    fields = [".".join(map(str, each["loc"][1:] or each["loc"])) for each in problems]
    sentences = [f"{field}: {_said(each)}" for field, each in zip(fields, problems, strict=True)]
    return await _failed(_REFUSED, "bad_field", request, "; ".join(sentences), field=", ".join(fields))


async def _unavailable(request: Request, error: Exception) -> JSONResponse:
    answer = await _failed(503, "unavailable", request, error)
    answer.headers["Retry-After"] = RETRY_AFTER_S
    return answer


def _said(problem: dict[str, Any]) -> str:
    """Return what a validator of ours said, without pydantic's words before it, or what pydantic says."""
    return str(problem["ctx"]["error"] if problem["type"] == "value_error" else problem["msg"])


async def _failed(status: int, code: str, request: Request, error: Exception | str, *, field: str = "") -> JSONResponse:
    language = _of(request)
    return _answer(status, Problem(code=code, detail=told(code, str(error), language, field=field)), language)


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = _HTTP_CODES.get(error.status_code, "http_error")
    answer = await _failed(error.status_code, code, request, str(error.detail))
    answer.headers.update(error.headers or {})
    return answer


async def _mistake(request: Request, _: Exception) -> JSONResponse:
    """Answer an internal error, whose details go to the log only."""
    return await _failed(500, "internal", request, "internal server error; see the server's log")
