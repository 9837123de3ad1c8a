"""Every page: both languages, every width, nothing on the console, no serious finding of axe-core."""

import pytest

from tests.browser.conftest import NewPage, scrolls_sideways, serious_findings

PAGES = ("/", "/live/nobody-live", "/console", "/dashboard")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_speaks_both_languages(new_page: NewPage, path: str) -> None:
    """The document says which language it is in, and the title differs."""
    english, chinese = new_page(f"{path}?lang=en"), new_page(f"{path}?lang=zh")
    languages = [page.evaluate("document.documentElement.lang") for page in (english, chinese)]
    assert languages == ["en", "zh-CN"]
    assert english.title() != chinese.title()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_every_width(new_page: NewPage, path: str) -> None:
    page = new_page(path)
    for width in (360, 768, 1920, 2560):
        page.set_viewport_size({"width": width, "height": 900})
        assert not scrolls_sideways(page), width


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_no_serious_finding(new_page: NewPage, path: str) -> None:
    assert serious_findings(new_page(path)) == []


def test_the_browser_s_language_is_the_default(new_page: NewPage) -> None:
    assert new_page("/", locale="zh-CN").evaluate("document.documentElement.lang") == "zh-CN"
