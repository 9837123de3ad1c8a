"""Codes mean what their descriptions say; what they do not say clearly is not guessed."""

import pytest

from scripts.adoption.outcomes import meanings_of, outcomes_of


@pytest.mark.parametrize(
    ("text", "meanings"),
    [
        ("Already has one", ["repeated"]),
        ("ALREADY_CLAIMED", ["repeated"]),
        ("Duplicate request", ["repeated"]),
        ("Conflict", ["repeated"]),
        ("Conflict: sold out", ["exhausted"]),
        ("Sold out", ["exhausted"]),
        ("The coupon is already sold out.", ["exhausted"]),
        ("All shares have already been claimed", ["exhausted"]),
        ("None left", ["exhausted"]),
        ("No more coupons left", ["exhausted"]),
        ("Gone", ["exhausted"]),
        ("Too many requests, try again later", ["rate_limited"]),
        ("Rate limit exceeded", ["rate_limited"]),
        ("The campaign has not started yet", ["too_early"]),
        ("Too early", ["too_early"]),
        ("The campaign has already ended", ["too_late"]),
        ("Closed", ["too_late"]),
        ("Too late", ["too_late"]),
        ("No such packet", ["not_found"]),
        ("The viewer has one already, or it is sold out", ["exhausted", "repeated"]),
        ("Not open: it has not started, or has ended", ["too_late", "too_early"]),
        ("Teapot", []),
        ("Validation Error", []),
        ("抢光了", ["exhausted"]),
    ],
)
def test_a_description_is_read(text: str, meanings: list[str]) -> None:
    assert meanings_of(text) == meanings


def test_codes_get_their_meaning_from_the_document() -> None:
    """A malformed request and a fault are nobody's outcome; ranges and successes are left alone."""
    told = outcomes_of({
        "200": {"description": "Granted"}, "409": {"description": "The viewer already has one"},
        "410": {"description": "Sold out"}, "422": {"description": "Validation Error"}, "500": {"description": "Oops"},
        "4XX": {"description": "sold out"}, "default": {"description": "sold out"}, "429": {"description": ""},
        "403": {"description": "The campaign has not started"}, "404": {"description": "Packet"},
    })  # fmt: skip
    assert told.http == {
        403: "too_early", 404: "not_found", 409: "repeated", 410: "exhausted", 429: "rate_limited", 503: "unavailable",
    }  # fmt: skip
    assert told.unclear == {}


def test_what_is_not_clear_is_not_guessed() -> None:
    """Two meanings, or none, whether the description or the body's words have them."""
    words = {"application/json": {"schema": {"properties": {"code": {"enum": ["SOLD_OUT", "ALREADY_CLAIMED"]}}}}}
    one_word = {"application/json": {"example": {"error": "sold_out"}}}
    told = outcomes_of({
        "409": {"description": "No", "content": words}, "410": {"description": "No", "content": one_word},
        "418": {"description": "Teapot"}, "429": {"description": "Sold out, or already claimed"},
    })  # fmt: skip
    assert told.http == {410: "exhausted", 503: "unavailable"}
    assert told.unclear == {
        409: "No SOLD_OUT ALREADY_CLAIMED", 418: "Teapot", 429: "Sold out, or already claimed",
    }  # fmt: skip
