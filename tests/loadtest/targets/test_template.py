"""Templates: places that are known, values that stay what they are, and no value that changes a URL's form."""

import pytest

from loadtest.targets.port import BadTarget
from loadtest.targets.template import Document, Template

KNOWN = {"viewer", "amount", "user.token"}


def a_template(text: str) -> Template:
    return Template(text, field="target.grab.body", known=KNOWN)


def test_values_stand_in_their_places_and_doubled_braces_are_braces() -> None:
    template = a_template('{{"user": "{viewer}", "of": {amount}}}')
    assert template.text({"viewer": "v1", "amount": 5}) == '{"user": "v1", "of": 5}'
    assert template.names == {"viewer", "amount"}


def test_a_value_is_never_a_template() -> None:
    """A viewer who is called like a place does not get that place's value."""
    assert a_template("{viewer}").text({"viewer": "{user.token}", "user.token": "secret"}) == "{user.token}"


@pytest.mark.parametrize("text", ["{nobody}", "{}", "{0}", "{viewer!r}", "{viewer:>9}", "{viewer.name}", "{viewer[0]}"])
def test_an_unknown_place_is_named_with_the_field_and_those_there_are(text: str) -> None:
    with pytest.raises(BadTarget, match=r"target\.grab\.body: \{.*\} has no value here; there are amount, user\.token"):
        a_template(text)


@pytest.mark.parametrize("text", ["{viewer", "viewer}", "{"])
def test_a_single_brace_is_refused_with_the_way_out(text: str) -> None:
    with pytest.raises(BadTarget, match=r"target\.grab\.body: .*a brace is written \{\{ or \}\}"):
        a_template(text)


def test_values_cannot_change_the_form_of_a_url() -> None:
    template = a_template("/p/{viewer}/抢?of={amount}&x=%20")
    assert template.url({"viewer": "a/../b?c#d&e é", "amount": "1&2"}) == (
        "/p/a%2F..%2Fb%3Fc%23d%26e%20%C3%A9/%E6%8A%A2?of=1%262&x=%20"
    )


def test_a_place_alone_keeps_the_kind_of_its_value() -> None:
    """Numbers stay numbers in JSON, also in lists and tables; a place in a longer text is text."""
    document = Document({"n": "{amount}", "of": ["{amount}", "n{amount}"], "plain": 1.5}, field="f", known=KNOWN)
    assert document.value({"amount": 7}) == {"n": 7, "of": [7, "n7"], "plain": 1.5}
    assert document.names == {"amount"}


def test_a_document_names_the_place_of_what_is_wrong() -> None:
    with pytest.raises(BadTarget, match=r"target\.grab\.json\.of\.1"):
        Document({"of": ["{amount}", "{nobody}"]}, field="target.grab.json", known=KNOWN)


def test_braces_are_braces_in_documents_too() -> None:
    assert Document(["{{amount}}"], field="f", known=KNOWN).value({}) == ["{amount}"]


def test_a_known_place_without_a_value_is_said() -> None:
    with pytest.raises(BadTarget, match=r"\{viewer\} has no value here"):
        a_template("{viewer}").text({})
