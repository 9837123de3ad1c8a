"""The texts of all codes, for pages: one language at a time, kept by caches until they change."""

import hashlib
from typing import Annotated

import orjson
from fastapi import APIRouter, Header, Response
from pydantic import BaseModel

from server.api.catalogue import TEXTS, Language, language_of
from server.api.errors import problems

router = APIRouter(prefix="/api/texts", tags=["texts"])

KEPT_S = 300  # a page that is reloaded sooner does not ask again


class TextsShown(BaseModel):
    """The texts of one language: of each group of codes, by code."""

    lang: Language
    texts: dict[str, dict[str, str]]


_BODIES = {language: orjson.dumps({"lang": language, "texts": texts}) for language, texts in TEXTS.items()}
_TAGS = {language: f'"{hashlib.sha256(body).hexdigest()[:16]}"' for language, body in _BODIES.items()}


@router.get("", response_model=TextsShown, responses=problems(422))
async def texts(
    lang: Language | None = None,
    accept_language: Annotated[str, Header()] = "",
    if_none_match: Annotated[str, Header()] = "",
) -> Response:
    """Return what the codes of the server mean, in the language of ``lang`` or else of ``Accept-Language``."""
    language = lang or language_of(accept_language)
    headers = {
        "ETag": _TAGS[language],
        "Cache-Control": f"public, max-age={KEPT_S}",
        "Content-Language": language,
        "Vary": "Accept-Language",
    }
    if _TAGS[language] in if_none_match:
        return Response(status_code=304, headers=headers)
    return Response(_BODIES[language], media_type="application/json", headers=headers)
