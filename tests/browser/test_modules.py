"""The pure modules that pages share, each in the browser that runs them: money, clock, words, elements."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import pages_of


@pytest.fixture(scope="module")
def page(browser: Browser, page_server: str) -> Iterator[Page]:
    with pages_of(browser, page_server) as open_page:
        yield open_page("/?lang=en")


def run(page: Page, module: str, script: str) -> Any:
    """Run *script*, the body of a function, with a module of ``shared`` as ``m``."""
    return page.evaluate(f"async () => {{ const m = await import('/static/x/shared/{module}.js'); {script} }}")


@pytest.mark.parametrize(
    ("fen", "text"),
    [(0, "0.00"), (5, "0.05"), (1234567, "12,345.67"), (-1, "−0.01"), (100_000_000_00, "100,000,000.00")],
)
def test_money_is_exact_to_the_fen(page: Page, fen: int, text: str) -> None:
    assert run(page, "money", f"return m.yuan({fen})") == text


@pytest.mark.parametrize(
    ("text", "fen"),
    [("12.34", 1234), ("0.1", 10), ("¥1,000", 100_000), (" 5 ", 500), ("1.234", None), ("-1", None), ("", None),
     ("1e3", None), ("0.29", 29), ("9007199254740993", None)],
)  # fmt: skip
def test_typed_money_is_read_exactly_or_not_at_all(page: Page, text: str, fen: int | None) -> None:
    assert run(page, "money", f"return m.fenOf({text!r})") == fen


def test_the_clock_takes_the_sample_of_the_shortest_trip(page: Page) -> None:
    """Half of the round trip is taken off, a worse sample changes nothing, a better one wins."""
    script = """
      let local = 1000; const clock = new m.RoomClock(() => local);
      const seen = [clock.known];
      clock.sample(50000, 60); seen.push(clock.now());
      local = 1100; clock.sample(60000, 60, 1000); seen.push(clock.now());   // trip 100: 50 ms ago it was 60000
      local = 1400; clock.sample(0, 60, 1200); seen.push(clock.now());       // trip 200: not taken
      local = 1410; clock.sample(80000, 60, 1400); seen.push(clock.now());   // trip 10
      seen.push(clock.realMsUntil(80300 + 600));
      return seen;
    """
    assert run(page, "clock", script) == [False, 50_000, 63_000, 81_000, 80_300, 10]


def test_two_devices_show_the_same_second_whatever_their_clocks(page: Page) -> None:
    """A device's own clock stands 2 s off and its frames come at other instants; the seconds shown are equal."""
    script = """
      const at = [0, 0]; const clocks = [0, 1].map((n) => new m.RoomClock(() => at[n]));
      const offset = [0, 2000];
      clocks.forEach((clock, n) => { at[n] = offset[n] + 40; clock.sample(20 * 60, 60, offset[n]); });
      const unequal = [];
      for (let real = 100; real < 12000; real += 37) {
        clocks.forEach((_, n) => { at[n] = offset[n] + real; });
        const [a, b] = clocks.map((clock) => m.secondsShown(clock.realMsUntil(10000 * 60)));
        if (a !== b) unequal.push([real, a, b]);
      }
      return unequal;
    """
    assert run(page, "clock", script) == []


@pytest.mark.parametrize(("real_ms", "seconds"), [(10_000, 10), (9_001, 10), (9_000, 9), (1, 1), (0, 0), (-5, 0)])
def test_a_countdown_shows_whole_seconds(page: Page, real_ms: int, seconds: int) -> None:
    assert run(page, "clock", f"return m.secondsShown({real_ms})") == seconds


@pytest.mark.parametrize(("seconds", "text"), [(0, "00:00"), (69, "01:09"), (3600 + 9, "1:00:09")])
def test_minutes_and_seconds(page: Page, seconds: int, text: str) -> None:
    assert run(page, "clock", f"return m.minutesAndSeconds({seconds})") == text


def test_values_fill_their_places_only(page: Page) -> None:
    script = "return m.filled('{a} of {b}, {c}', {a: 1, b: '{a}'})"
    assert run(page, "words", script) == "1 of {a}, {c}"


def test_text_never_becomes_markup(page: Page) -> None:
    """A name that holds a tag stays a text, and an attribute cannot bring a script or a style."""
    script = """
      const hostile = '<img src=x onerror=alert(1)>\\u202e';
      const made = m.el('p', {title: hostile}, hostile, null, false, 0);
      const thrown = [];
      for (const attributes of [{onclick: 'alert(1)'}, {style: 'color:red'}]) {
        try { m.el('p', attributes); } catch (error) { thrown.push(error.message); }
      }
      return [made.children.length, made.textContent === hostile + '0', thrown.length];
    """
    assert run(page, "dom", script) == [0, True, 2]


def test_a_name_is_no_markup_in_a_plot(page: Page) -> None:
    """Plotly reads tags in every text that it is given, but ours in templates; a colour stays one."""
    script = """
      const ours = "%{x}<br>%{y}<extra></extra>";
      const shown = m.literal(
        { name: "<a href='x'>&</a>", x: ["<b>1</b>"], hovertemplate: ours, marker: { color: "--c-text" } });
      return [shown.name, shown.x[0], shown.hovertemplate === ours, shown.marker.color !== "--c-text"];
    """
    escaped = "&lt;a href='x'&gt;&amp;&lt;/a&gt;"
    assert run(page, "plots", script) == [escaped, "&lt;b&gt;1&lt;/b&gt;", True, True]
