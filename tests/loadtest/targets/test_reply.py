"""Replies: words of any kind, HTTP codes, amounts to the fen, and everything else is not understood."""

from typing import Any

import pytest

from loadtest.scenarios.target_spec import Match, ReceiptSpec
from loadtest.targets.port import BadTarget
from loadtest.targets.reply import TEXT_SHOWN_MAX, JsonPath, Matcher, NotUnderstood, ReplyReader, fen_of


def read(spec: dict[str, Any], document: Any, http_status: int | None = 200) -> Any:
    return ReplyReader(ReceiptSpec.model_validate(spec)).read(document, http_status)


def status_of(spec: dict[str, Any], document: Any, http_status: int | None = 200) -> Any:
    reply = read(spec, document, http_status)
    return reply.reason if isinstance(reply, NotUnderstood) else reply["status"]


@pytest.mark.parametrize(
    ("said", "means"),
    [("OK", "granted"), (0, "granted"), (True, "granted"), ("ALREADY", "repeated"), (40_001, "exhausted"),
     (-1.5, "too_late")],
)  # fmt: skip
def test_a_word_may_be_text_number_or_truth(said: Any, means: str) -> None:
    words = {"granted": ["OK", 0, True], "repeated": ["ALREADY"], "exhausted": [40_001], "too_late": [-1.5]}
    assert status_of({"status": "code", "words": words}, {"code": said}) == means


@pytest.mark.parametrize("document", [{"code": "SOLD OUT"}, {"code": None}, {}, None, [], {"code": False}])
def test_an_unknown_word_is_not_understood(document: Any) -> None:
    """The outcome of the grab is unknown then: neither a share nor a refusal."""
    reply = read({"status": "code", "words": {"granted": ["OK"]}}, document, 500)
    assert isinstance(reply, NotUnderstood)
    assert "(HTTP 500) is in none of target.receipt.words" in reply.reason


def test_a_long_reply_is_not_repeated_in_full() -> None:
    reply = read({"status": "code", "words": {"granted": ["OK"]}}, {"code": "x" * 9_999})
    assert isinstance(reply, NotUnderstood)
    assert len(reply.reason) == TEXT_SHOWN_MAX


def test_an_http_code_that_is_listed_decides_before_the_words() -> None:
    spec = {"status": "code", "words": {"granted": ["OK"]}, "http": {409: "exhausted", 503: "unavailable"}}
    assert status_of(spec, {"code": "OK"}, 409) == "exhausted"
    assert status_of(spec, None, 503) == "unavailable"
    assert status_of(spec, {"code": "OK"}, 500) == "granted"


def test_without_words_2xx_is_granted_and_the_rest_is_not_understood() -> None:
    assert status_of({}, None, 204) == "granted"
    assert status_of({}, {"id": 1}, None) == "granted"
    assert status_of({"http": {404: "not_found"}}, None, 404) == "not_found"
    assert status_of({}, None, 500) == "HTTP 500 is not in target.receipt.http"


def test_a_share_has_amount_index_and_claim_id_and_a_refusal_none() -> None:
    spec = {
        "status": "r", "words": {"granted": ["won"], "exhausted": ["empty"]},
        "amount_fen": "d.cents", "index": "d.n", "claim_id": "d.id",
    }  # fmt: skip
    share = {"d": {"cents": 5, "n": "07", "id": 9}}
    assert read(spec, {"r": "won", **share}) == {"status": "granted", "amount_fen": 5, "index": 7, "claim_id": "9"}
    assert read(spec, {"r": "won"}) == {"status": "granted", "amount_fen": None, "index": None, "claim_id": None}
    nothing = {"amount_fen": None, "index": None, "claim_id": None}
    assert read(spec, {"r": "empty", **share}) == {"status": "exhausted", **nothing}


@pytest.mark.parametrize("index", [1.5, True, "x", "-1", "²"])
def test_an_index_that_is_no_whole_number_is_not_understood(index: Any) -> None:
    assert status_of({"index": "n"}, {"n": index}) == f"index {index!r} is no whole number"


@pytest.mark.parametrize(
    ("value", "unit", "fen"),
    [(5, "fen", 5), ("5", "fen", 5), (5.0, "fen", 5), (0.29, "yuan", 29), ("1.10", "yuan", 110), (4.35, "yuan", 435),
     (" 8 ", "yuan", 800), (None, "fen", None), (1.1e3, "yuan", 110_000)],
)  # fmt: skip
def test_yuan_become_fen_exactly(value: object, unit: str, fen: int | None) -> None:
    """0.29 * 100 is 28.999999999999996 in binary; nobody may lose a fen by that."""
    assert fen_of(value, unit) == fen


@pytest.mark.parametrize(
    ("value", "unit"),
    [(0.5, "fen"), (0.001, "yuan"), ("x", "fen"), (True, "fen"), ([1], "fen"), ("NaN", "fen"), ("sNaN", "fen"),
     ("Infinity", "yuan"), ("1e999999999", "yuan"), (1 << 60, "fen"), ("", "fen")],
)  # fmt: skip
def test_what_is_no_amount_is_not_understood(value: object, unit: str) -> None:
    with pytest.raises(ValueError, match=r"amount .* is no "):
        fen_of(value, unit)
    amount = {"amount": {"path": "a", "unit": unit}}
    assert status_of(amount, {"a": value}).startswith(f"amount {value!r}"[:TEXT_SHOWN_MAX])


def test_a_path_that_is_none_is_refused_with_its_field() -> None:
    with pytest.raises(BadTarget, match=r"target\.receipt\.status: 'a\[' is no JMESPath"):
        ReplyReader(ReceiptSpec.model_validate({"status": "a[", "words": {"granted": ["OK"]}}))


def test_a_function_that_does_not_go_with_a_reply_finds_nothing() -> None:
    assert JsonPath("length(items)", field="f").search({"items": [1, 2]}) == 2
    assert JsonPath("length(items)", field="f").search({"items": 7}) is None


@pytest.mark.parametrize(
    ("equals", "document", "fits"),
    [("go", {"type": "go"}, True), ("go", {"type": "stop"}, False), (True, {"type": True}, True),
     (1, {"type": 1}, True), ("go", None, False), ("go", {}, False)],
)  # fmt: skip
def test_a_match_compares_as_words_do(equals: Any, document: Any, fits: bool) -> None:
    assert Matcher(Match(path="type", equals=equals), field="f").fits(document) is fits


@pytest.mark.parametrize(
    ("spec", "document", "http_status", "what", "mend"),
    [
        ({}, {"error": "sold_out"}, 410, "HTTP 410", ".http"),
        ({}, None, 404, "HTTP 404", ".http, or mend [target.grab].request"),
        ({"status": "code"}, {"detail": "Not Found"}, 404, "HTTP 404", ".http, or mend [target.grab].request"),
        ({"status": "code"}, {"error": "x"}, 200, "HTTP 200", ".status"),
        ({"status": "code"}, {"code": "GONE"}, 410, 'HTTP 410 with code "GONE"', ".words"),
        ({"status": "code"}, {"code": "GONE"}, None, 'a message with code "GONE"', ".words"),
        ({"status": "code"}, {}, None, "a message without code", ".status"),
        ({"amount_fen": "cents"}, {"cents": "x"}, 200, "HTTP 200 with an amount or index that is no number",
         ".amount_fen or .index"),
    ],
)  # fmt: skip
def test_what_is_not_understood_says_what_it_is_and_where_to_explain_it(
    spec: dict[str, Any], document: Any, http_status: int | None, what: str, mend: str
) -> None:
    words = {"words": {"granted": ["OK"]}} if "status" in spec else {}
    reply = read(spec | words, document, http_status)
    assert isinstance(reply, NotUnderstood)
    assert (reply.what, reply.mend) == (what, f"[target.receipt]{mend}")
