"""The API's page works without a network: everything in it comes from this server."""

import re
from urllib.parse import urljoin

import requests

TIMEOUT_S = 30


def test_the_page_names_no_other_host(base_url: str) -> None:
    """Script, style, icon and document are relative, so that a prefix of a proxy stays, and all are there."""
    page = requests.get(f"{base_url}/docs", timeout=TIMEOUT_S)
    assert "//" not in page.text
    named = re.findall(r"""(?:src|href)="([^"]+)"|url: '([^']+)'""", page.text)
    found = {first or second for first, second in named}
    assert {each.rpartition(".")[2] for each in found} == {"js", "css", "png", "json"}
    for each in found:
        answer = requests.get(urljoin(page.url, each), timeout=TIMEOUT_S)
        assert answer.ok
        assert answer.content


def test_the_page_asks_nobody_to_validate_the_document(base_url: str) -> None:
    """Swagger UI would send the document's URL to a validator on another host."""
    assert '"validatorUrl": null' in requests.get(f"{base_url}/docs", timeout=TIMEOUT_S).text
