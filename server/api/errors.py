"""How a request that was not carried out is answered: always ``{code, detail, rule}``."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from server.core.refusal import Refused
from server.store.connection import StoreUnavailable

_STATUS = {
    "not_found": 404,
    "insufficient_funds": 409,
    "transfer_conflict": 409,
    "room_taken": 409,
    "not_draft": 409,
    "launch_raced": 409,
    "not_voidable": 409,
    "too_late": 409,
    "already_voided": 409,
    "already_settled": 409,
}
_REFUSED = 422  # what was asked for breaks a rule as such


class Problem(BaseModel):
    """The body of every answer that is not a success. ``rule`` is the business rule that refused, or empty."""

    code: str
    detail: str
    rule: str = ""


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": text}
    for status, text in {
        400: "the body is not JSON",
        404: "there is no such thing",
        409: "not in this state",
        422: "a field breaks a rule",
        503: "the store is away; the outcome is unknown, ask again with the same key",
    }.items()
}


def install(app: FastAPI) -> None:
    """Make every error of *app* answer in the one shape."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(StoreUnavailable, _unavailable)
    app.add_exception_handler(HTTPException, _http)


def _answer(status: int, code: str, detail: str, rule: str = "") -> JSONResponse:
    return JSONResponse(Problem(code=code, detail=detail, rule=rule).model_dump(), status)


async def _refused(_: Request, refusal: Exception) -> JSONResponse:
    assert isinstance(refusal, Refused)
    return _answer(_STATUS.get(refusal.code, _REFUSED), refusal.code, str(refusal), refusal.rule)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    problems = error.errors()
    if any(problem["type"] == "json_invalid" for problem in problems):
        return _answer(400, "malformed_json", "; ".join(str(each.get("ctx", each["msg"])) for each in problems))
    sentences = [f"{'.'.join(str(part) for part in problem['loc'][1:])}: {problem['msg']}" for problem in problems]
    return _answer(_REFUSED, "bad_field", "; ".join(sentences))


async def _unavailable(_: Request, error: Exception) -> JSONResponse:
    return _answer(503, "unavailable", str(error))


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http_error")
    return _answer(error.status_code, code, str(error.detail))
