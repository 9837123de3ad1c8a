"""The dashboard in a real browser: a run that is green, then red with its proof, in two languages and three widths."""

import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from loadtest.engines.crowd import SilentView
from loadtest.watch.diary import DIARY, Diary
from loadtest.watch.run_source import RunSource
from loadtest.watch.site import WatchSite
from tests.browser.conftest import NewPage, pages_of, scrolls_sideways, serious_findings
from tests.loadtest.test_watch import snapshot, written
from tests.loadtest.written_run import WrittenRun, a_run

HOSTILE = '<img src=x onerror="alert(1)">' + "\u202etxt \U0001f9e7" + "x" * 180


class Watched:
    """A written run on a dashboard of its own, which a test may let go on."""

    def __init__(self, run: WrittenRun, path: Path) -> None:
        self.run = run
        self.folder = written(run, path)
        self.site = WatchSite(report=self.folder.report)
        self.site.start(RunSource(self.folder))
        self.url = self.site.url.removesuffix("/dashboard")

    def take_cut(self) -> None:
        """Take the books once more, as a storm does every three seconds."""
        lines = [line for line in self.run.books if line["kind"] not in {"claim", "left", "end"}]
        snapshot(self.folder, lines)

    def end(self, verdict: str, *reasons: str) -> None:
        self.folder.report.write_text("<h1>the report</h1>", "utf-8")
        with (self.folder.path / DIARY).open("ab") as file:
            Diary(file, SilentView()).end(verdict, list(reasons), 10, report=True)


@pytest.fixture
def correct(tmp_path: Path) -> Iterator[Watched]:
    watched = Watched(a_run(packets=2, share_count=6), tmp_path)
    yield watched
    watched.site.close()


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[Watched]:
    run = a_run(flaw="check then act", packets=1, share_count=6, viewers=30)
    for line in run.of("packet"):
        line["name"] = HOSTILE
    watched = Watched(run, tmp_path)
    yield watched
    watched.site.close()


def test_a_correct_run_is_green_with_its_figures(browser: Browser, correct: Watched) -> None:
    """The figures on the page are those of the folder, and the badge says by what it is green."""
    with pages_of(browser, correct.url) as open_page:
        page = open_page("/dashboard")
        expect(page.locator(".badge.green")).to_be_visible()
        expect(page.locator(".badge p").first).to_contain_text("Computed from the books and")
        assert page.locator(".badge b").all_text_contents() == ["0", "0", "0"]
        expect(page.locator(".top .right")).to_contain_text("connected 12")
        expect(page.locator(".figures .p99 b")).to_have_text("8.0ms")
        expect(page.locator(".packets li").first).to_contain_text("6 / 6")
        expect(page.locator(".money em")).to_have_text("sums match ✓")
        expect(page.locator(".log")).to_contain_text("evening: sold out")
        assert page.locator(".grabs svg, .latency svg, .money svg").count() == 3
        assert serious_findings(page) == []


def test_a_planted_over_issue_turns_it_red_with_two_receipts(browser: Browser, broken: Watched) -> None:
    """Two owners of one share stand side by side; at the end there are the verdict and a link to the report."""
    with pages_of(browser, broken.url) as open_page:
        page = open_page("/dashboard")
        expect(page.locator(".badge.red")).to_be_visible()
        assert int(page.locator(".badge .broken b").first.inner_text()) > 0
        expect(page.locator(".proof h2")).to_contain_text("One share, two owners")
        receipts = page.locator(".receipt")
        expect(receipts).to_have_count(2)
        assert len(set(receipts.locator("mark").all_text_contents())) == 2, "the same index and the same amount, twice"
        owners = [receipt.locator("dd").first.inner_text() for receipt in receipts.all()]
        assert len(set(owners)) == 2
        expect(page.locator(".money em")).to_contain_text("more than funded")
        assert serious_findings(page) == []
        broken.end("fail", "invariant")
        expect(page.locator(".verdict strong")).to_have_text("FAIL")
        expect(page.locator(".verdict small")).to_have_text("an invariant is violated")
        page.locator(".verdict a").click()
        expect(page.locator("h1")).to_have_text("the report")


def test_what_two_sides_say_is_amber_until_the_next_cut(browser: Browser, tmp_path: Path) -> None:
    """A receipt whose share the books do not have may be young; the next cut decides."""
    run = a_run(packets=1, share_count=6)
    claimed = [line for line in run.books if line["kind"] == "journal" and line["movement"] == "claim"]
    lost = claimed[-1]["claims"].pop()
    watched = Watched(run, tmp_path)
    with pages_of(browser, watched.url) as open_page:
        page = open_page("/dashboard?lang=zh")
        expect(page.locator(".badge")).to_have_class("badge red ")  # the books alone contradict themselves at once
        assert page.locator(".badge b").nth(2).inner_text() == "0"
        time.sleep(0.01)
        watched.take_cut()
        expect(page.locator(".badge b").nth(2)).to_have_text("1")
        expect(page.locator(".badge span").nth(2)).to_have_text("丢失")
    watched.site.close()
    assert lost


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_it_fits_every_width_in_both_languages(browser: Browser, broken: Watched, lang: str) -> None:
    """Nothing scrolls sideways, even with a hostile name, which stays text."""
    with pages_of(browser, broken.url) as open_page:
        page = open_page(f"/dashboard?lang={lang}", viewport={"width": 360, "height": 1080})
        for width in (360, 768, 1920):
            page.set_viewport_size({"width": width, "height": 1080})
            expect(page.locator(".badge.red")).to_be_visible()
            assert not scrolls_sideways(page), width
            assert page.locator("img").count() == 0
            assert untranslated(page) == []


def untranslated(page: Page) -> list[str]:
    """Return the texts that look like keys of the words table."""
    found = page.evaluate(
        "[...document.querySelectorAll('main *')].filter((one) => !one.children.length).map((one) => one.textContent)"
        ".filter((text) => /^(state|log|why|step|store|reason|verdict|invariant|money|light)_/.test(text))"
    )
    assert isinstance(found, list)
    return found


def test_a_page_that_lost_its_run_says_so_and_comes_back(browser: Browser, correct: Watched, tmp_path: Path) -> None:
    """The next run may have the same port: the page waits for it."""
    port = int(correct.url.rpartition(":")[2])
    with pages_of(browser, correct.url) as open_page:
        page = open_page("/dashboard")
        expect(page.locator(".badge.green")).to_be_visible()
        page.evaluate("console.error = console.warn = () => {}")
        correct.site.close()
        expect(page.locator(".top .pill")).to_contain_text("No connection")
        again = WatchSite(port=port)
        again.start(RunSource(correct.folder))
        expect(page.locator(".top .pill")).to_contain_text("All rules hold")
        again.close()


def test_a_server_alone_says_how_to_get_a_dashboard(new_page: NewPage) -> None:
    page = new_page("/dashboard")
    expect(page.locator(".explain")).to_contain_text("redrain storm --watch")
    expect(page.locator(".explain")).to_contain_text("redrain watch --target http://127.0.0.1:")
    assert serious_findings(page) == []


def test_the_words_are_the_same_in_both_languages(new_page: NewPage) -> None:
    page = new_page("/dashboard")
    script = """async () => {
      const file = document.querySelector('script[type=module]').src.replace('main.js', 'words.js');
      const { WORDS } = await import(file);
      const holes = (text) => (text.match(/\\{\\w+\\}/g) ?? []).sort().join();
      const { en, zh } = WORDS;
      const keys = Object.keys({ ...en, ...zh });
      return keys.filter((key) => !(key in en) || !(key in zh) || holes(en[key]) !== holes(zh[key]));
    }"""
    assert page.evaluate(script) == []


def test_axes_and_the_flow_of_money_are_laid_out_without_a_page(new_page: NewPage) -> None:
    """Axes end at round numbers, times are those of UTC+8, and no label of the money covers another."""
    page = new_page("/dashboard")
    script = """async () => {
      const beside = (name) => document.querySelector('script[type=module]').src.replace('main.js', name);
      const { niceTop, short, milliseconds, clockTime } = await import(beside('scale.js'));
      const { flowOf } = await import(beside('flow.js'));
      const money = { funded_fen: 1000, claimed_fen: 400, redeemed_fen: 1, hands_fen: 398, expired_fen: 1,
        escrow_fen: 590, returned_fen: 10, gap_fen: 0 };
      const { bars, ribbons } = flowOf(money, 260);
      return {
        tops: [niceTop(0), niceTop(5), niceTop(24200)], short: [short(28000), short(950)],
        ms: [milliseconds(null), milliseconds(1.84), milliseconds(1834)], time: clockTime(0),
        names: bars.map((bar) => bar.name), ribbons: ribbons.length,
        labels: bars.filter((bar) => bar.column === 2).map((bar) => bar.labelY),
      };
    }"""
    found = page.evaluate(script)
    assert (found["tops"], found["short"]) == ([4, 5, 30_000], ["28k", "950"])
    assert (found["ms"], found["time"]) == (["\u2013", "1.8", "1,830"], "08:00:00")
    assert found["names"][:3] == ["funded", "claimed", "unclaimed"]
    assert found["ribbons"] == 7
    labels = found["labels"]
    assert all(lower - upper >= 44 for upper, lower in pairwise(labels))
    assert labels[-1] <= 260 - 44
