"""The checkers of the browser tests themselves: each is seen to find what is planted."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import pages_of, scrolls_sideways, serious_findings


def test_an_error_on_the_console_fails_a_test(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "broken.html"
    page.write_text("<script>console.error('oh'); throw new Error('ah')</script>", "utf-8")
    with pytest.raises(AssertionError) as failed, pages_of(browser, tmp_path.as_uri()) as open_page:
        open_page(page.as_uri())
    assert "error: oh" in str(failed.value)
    assert "uncaught: ah" in str(failed.value)


def test_a_finding_and_a_wide_page_are_found(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "wide.html"
    page.write_text("<title>x</title><input><p style='width: 4000px'>wide</p>", "utf-8")
    with pages_of(browser, tmp_path.as_uri()) as open_page:
        opened = open_page(page.as_uri())
        assert any(found.startswith("label:") for found in serious_findings(opened))
        assert scrolls_sideways(opened)
