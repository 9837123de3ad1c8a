"""Every page: both languages, every width, nothing on the console, no serious finding of axe-core."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import NewPage, pages_of, scrolls_sideways, serious_findings

PAGES = ("/", "/live/nobody-live", "/console", "/dashboard")


@pytest.fixture(scope="module")
def page(browser: Browser, page_server: str) -> Iterator[Page]:
    """Yield one page that goes from path to path: a new one costs more than most of what is asked of it."""
    with pages_of(browser, page_server) as open_page:
        yield open_page("/")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_speaks_both_languages(page: Page, path: str) -> None:
    """The document says which language it is in, and the title differs."""
    languages, titles = [], set()
    for lang in ("en", "zh"):
        page.goto(f"{path}?lang={lang}")
        languages.append(page.evaluate("document.documentElement.lang"))
        titles.add(page.title())
    assert languages == ["en", "zh-CN"]
    assert len(titles) == 2


@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_every_width(page: Page, path: str) -> None:
    page.goto(path)
    for width in (360, 768, 1920, 2560):
        page.set_viewport_size({"width": width, "height": 900})
        assert not scrolls_sideways(page), width


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_no_serious_finding(page: Page, path: str) -> None:
    page.goto(f"{path}?lang=en")
    assert serious_findings(page) == []


def test_the_browser_s_language_is_the_default(new_page: NewPage) -> None:
    assert new_page("/", locale="zh-CN").evaluate("document.documentElement.lang") == "zh-CN"
