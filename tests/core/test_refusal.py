"""A refusal: readable by people, and by programs."""

from server.core.refusal import Refused


def test_a_refusal_reads_as_a_sentence_about_its_field() -> None:
    """The text names the field, if there is one; the parts stay apart for programs."""
    refused = Refused("out_of_range", "must be positive", field="amount_fen", rule="DY-ACC-6")
    assert str(refused) == "amount_fen: must be positive"
    assert (refused.code, refused.detail, refused.field, refused.rule) == (
        "out_of_range",
        "must be positive",
        "amount_fen",
        "DY-ACC-6",
    )
    assert str(Refused("not_found", "no such packet")) == "no such packet"
