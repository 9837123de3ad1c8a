"""The texts over HTTP, and the language of errors."""

import re
from typing import Any

import pytest
import requests

from server.core.credential import Role
from tests.api.caller import TIMEOUT_S, Caller, terms
from tests.api.conftest import Guarded


def _asked(url: str, path: str, **headers: str) -> requests.Response:
    return requests.get(
        url + path, headers={name.replace("_", "-"): value for name, value in headers.items()}, timeout=TIMEOUT_S
    )


def test_pages_get_the_texts_of_their_language(guarded: Guarded) -> None:
    """Whoever they are; what they have already is not sent again."""
    chosen = _asked(guarded.url, "/api/texts?lang=zh", Accept_Language="en")
    assert chosen.json()["lang"] == "zh"
    assert chosen.json()["texts"]["phase"]["warming"] == "预热中"
    by_header = _asked(guarded.url, "/api/texts", Accept_Language="zh-CN")
    assert by_header.content == chosen.content
    english = _asked(guarded.url, "/api/texts")
    assert english.json()["texts"]["phase"]["warming"] == "Warming up"
    assert "max-age" in english.headers["Cache-Control"]
    tag = english.headers["ETag"]
    assert tag != chosen.headers["ETag"]
    again = _asked(guarded.url, "/api/texts", If_None_Match=tag)
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    assert _asked(guarded.url, "/api/texts", If_None_Match=chosen.headers["ETag"]).status_code == 200
    assert _asked(guarded.url, "/api/texts?lang=fr").status_code == 422


@pytest.mark.parametrize("path", ["/api/orders", "/api/clock?x=1", "/api/packets/a.none", "/api/nowhere"])
def test_errors_are_told_in_the_callers_language(guarded: Guarded, path: str) -> None:
    """Also those that come before a route is known: no credential, no such path, a field that is missing."""
    with guarded.calls(Role.CREATOR, "anna") as anna:
        answers: list[Any] = [
            _asked(guarded.url, path, Accept_Language="zh"),
            requests.get(
                guarded.url + path, headers={**anna._http.headers, "Accept-Language": "zh"}, timeout=TIMEOUT_S
            ),
        ]
    for answer in answers:
        if not answer.ok:
            assert re.search(r"[\u4e00-\u9fff]", answer.json()["detail"]), answer.json()
            assert answer.headers["Content-Language"] == "zh"
    assert not answers[0].ok


def test_a_refused_field_is_named_in_either_language(api: Caller) -> None:
    """The code and the rule are the same; English is the default."""
    creator_id = api.creator(100)
    body = terms(creator_id, total_fen=9)

    def detail(**headers: str) -> Any:
        answer = requests.post(f"{api.url}/api/packets", json=body, headers=headers, timeout=TIMEOUT_S)
        assert (answer.status_code, answer.json()["rule"]) == (422, "ALL-CRE-2")
        return answer.json()["detail"]

    assert detail(**{"Accept-Language": "zh-CN"}).startswith("total_fen: 无法按此面额拆分总金额")
    assert detail() == detail(**{"Accept-Language": "fr"})
    assert "10 shares of 1 to" in detail()
    in_chinese = {"Accept-Language": "zh", "Content-Type": "application/json"}
    wrong = requests.post(f"{api.url}/api/packets", data=b"{", headers=in_chinese, timeout=TIMEOUT_S)
    assert (wrong.status_code, wrong.json()["detail"]) == (400, "请求内容不是有效的 JSON")
    blank = requests.post(f"{api.url}/api/packets", json={}, headers=in_chinese, timeout=TIMEOUT_S)
    assert blank.json()["detail"] == "creator_id, share_count, total_fen, name: 字段填写有误"
