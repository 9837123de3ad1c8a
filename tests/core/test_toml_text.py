"""TOML of strangers is read within bounds."""

import pytest

from server.core.toml_text import KEY_PARTS_MAX, TOML_CHARACTERS_MAX, BadToml, toml_tables

WRONG = {
    "nested lists": "a = " + "[" * 20_000,
    "nested tables": "a = " + "{b=" * 5_000 + "1" + "}" * 5_000,
    "a key of many parts": "a" + ".a" * 20_000 + " = 1",
    "a table of many parts": "[a" + ".a" * 20_000 + "]",
    "a key of many parts within": "x = {a" + " . a" * 20_000 + " = 1}",
    "too many digits": "a = " + "9" * 5_000,
    "too long": "#" * (TOML_CHARACTERS_MAX + 1),
    "no TOML": "a =",
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_what_would_take_the_parser_long_is_refused(text: str) -> None:
    """A key of 20,000 parts takes the parser a quarter of a minute; deep nesting ends it."""
    with pytest.raises(BadToml):
        toml_tables(text)


def test_what_people_write_is_read() -> None:
    """Dots in texts and lists count for themselves."""
    text = f"a.b.c = 1\nfloats = [{'1.5, ' * 500}]\nname = 'one... two... v1.2.3'\n" + "# " + "." * KEY_PARTS_MAX
    assert toml_tables(text)["a"] == {"b": {"c": 1}}
