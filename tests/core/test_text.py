"""Text that people write: what can be read is taken, and what nobody can see is not."""

import unicodedata

import pytest

from server.core.refusal import Refused
from server.core.text import checked_text, is_readable, masked, visible


@pytest.mark.parametrize("text", ["红包", "a b", " rain ", "👨‍👩‍👧", "❤️", "می‌خواهم", "é", "!"])
def test_what_can_be_read_is_taken(text: str) -> None:
    """Every script and emoji, joined ones too."""
    assert is_readable(text)
    assert checked_text("name", text, length_max=20) == text


@pytest.mark.parametrize(
    "text",
    ["", " ", "\t", "\u3000", "\u200d", "a\n", "a\x00b", "\x7f", "\u202eabc", "\ufeff", "a\u2028b", "a" * 21],
)
def test_what_cannot_be_read_is_refused(text: str) -> None:
    """Blanks alone, control characters, turned directions, private and unpaired code points, and too many."""
    with pytest.raises(Refused) as refused:
        checked_text("name", text, length_max=20)
    assert (refused.value.code, refused.value.field) == ("bad_field", "name")


@pytest.mark.parametrize(
    ("name", "shown"), [("vera", "v**a"), ("小满", "小**满"), ("x", "*"), ("", "*"), ("v17", "v**7")]
)
def test_others_see_the_ends_of_a_name(name: str, shown: str) -> None:
    """However long it is, so that its length tells nothing."""
    assert masked(name) == shown


def test_a_terminal_obeys_no_text() -> None:
    """Every character that controls is an escape that shows it; what can be read stays, and so do lines if they may."""
    controls = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) in ("Cc", "Cs", "Zl", "Zp")]
    turned = "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
    assert visible("".join([*controls, turned]), one_line=True).isascii()
    assert visible("".join([*controls, turned]), one_line=True).isprintable()
    assert visible("\x1b[31m\x9b\u202e") == r"\x1b[31m\x9b\u202e"
    for text in ("红包\n\tb", "👨\u200d👩", "é ✓ ⠋"):
        assert visible(text) == text
    assert visible("a\nb", one_line=True) == r"a\x0ab"
