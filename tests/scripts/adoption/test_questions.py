"""Only what is not known is asked, and an answer that does not fit is asked for again."""

from scripts.adoption.drafts import ACTION, SCENARIO, Adoption, RequestDraft
from scripts.adoption.openapi import Described
from scripts.adoption.questions import adoption_of, edits
from tests.scripts.adoption.test_openapi import DOCUMENT


class Person:
    """Answers by the beginnings of questions, else takes the default; remembers what was asked."""

    def __init__(self, **answers: list[str]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def __call__(self, question: str, default: str) -> str:
        self.asked.append(question)
        given = next((said for part, said in self.answers.items() if part.replace("_", " ") in question and said), None)
        return given.pop(0) if given else default


def test_defaults_make_an_example() -> None:
    """Whoever answers nothing gets an HTTP service without a login."""
    assert adoption_of(Person(), "", None) == Adoption()
    it = adoption_of(Person(), "websocket", None)
    assert (it.kind, it.base_url) == ("websocket", "ws://127.0.0.1:8000")


def test_a_description_saves_questions() -> None:
    """Requests, words and ids come from it; where the service listens is asked all the same."""
    person = Person()
    it = adoption_of(person, "", Described(DOCUMENT))
    assert it.login is not None
    assert (it.token, it.receipt.status, it.base_url) == ("data.access_token", "result", "http://localhost:8080")
    assert not [each for each in person.asked if "JMESPath" in each or "Which request" in each or "http or" in each]


def test_a_grab_that_does_not_stand_out_is_asked_for() -> None:
    """The choice is offered by number, and a number that is none is asked for again."""
    service = Described({"paths": {"/coupon/claim": {"post": {}}, "/packet/grab": {"post": {}}}})
    person = Person(Which_of_these=["3", "two", "2"])
    assert adoption_of(person, "", service).grab.request == "POST /packet/grab"
    asked = [each for each in person.asked if "POST /coupon/claim" in each]
    assert [each.startswith(f"{wrong} does not fit") for each, wrong in zip(asked[1:], ("3", "two"), strict=True)] == [
        True, True,
    ]  # fmt: skip


def test_answers_go_where_they_belong() -> None:
    """A login brings its token into the grab; numbers among words are numbers, as JSON has them."""
    person = Person(
        Which_request_grabs=["grab it", "PUT /grab"], logs_a_viewer_in=["POST /login"], token=["data.jwt"],
        how_it_ended=["code"], grab_granted=["0"], grab_exhausted=["-1001"], id_of_the_share=["data.id"],
        How_many_shares=["0", "2000"], starts_it=["make run"],
    )  # fmt: skip
    it = adoption_of(person, "http", None)
    assert (it.login, it.token) == (RequestDraft("POST /login", {}, {"user": "{viewer}"}), "data.jwt")
    assert (it.grab.request, it.grab.headers) == ("PUT /grab", {"Authorization": "Bearer {token}"})
    assert it.receipt == ("code", {"granted": [0], "repeated": ["ALREADY"], "exhausted": [-1001]}, "", "data.id")
    assert (it.share_count, it.viewers, it.start) == (2000, 4000, "make run")


def test_what_is_left_to_edit_is_named() -> None:
    """An answer takes its line away."""
    assert any("every 2xx" in each for each in edits(Adoption()))
    assert any(ACTION in each for each in edits(Adoption()))
    done = Adoption(action="us/redrain@v1", receipt=Described(DOCUMENT).receipt(Described(DOCUMENT).grabs()[0]))
    assert not [each for each in edits(done) if "receipt" in each or ACTION in each]
    assert any("examples" in each for each in edits(Adoption("websocket")))


NAMELESS = {"openapi": "3.0.0", "paths": {"/packets/{packet_id}/grab": {"post": {
    "parameters": [{"in": "header", "name": "X-Device", "required": True, "schema": {"type": "string"}}],
    "responses": {"409": {"description": "No"}, "410": {"description": "Sold out"}},
}}}}  # fmt: skip


def test_a_grab_without_a_name_is_said_first() -> None:
    """It is marked in the file as well; whoever can be asked says the header."""
    it = adoption_of(Person(), "", Described(NAMELESS))
    first = next(iter(edits(it)))
    assert "[target.grab]: EDIT: {viewer}" in first
    assert "# EDIT: nothing below says which viewer grabs" in it.files()[SCENARIO]
    told = adoption_of(Person(In_which_header=["X-Who"]), "", Described(NAMELESS))
    assert told.grab.headers == {"X-Device": "1", "X-Who": "{viewer}"}
    assert not [each for each in edits(told) if "[target.grab]" in each]
    assert "which viewer grabs" not in told.files()[SCENARIO]


def test_a_name_that_is_no_text_is_to_be_edited() -> None:
    assert [each for each in edits(Adoption(not_texts=["X-User-Id"])) if "[target.grab] X-User-Id: EDIT" in each]


def test_a_code_that_is_not_clear_is_asked_for_or_marked() -> None:
    """The map has those that are clear, and they are named to be looked at."""
    it = adoption_of(Person(), "", Described(NAMELESS))
    assert it.http == {410: "exhausted", 429: "rate_limited", 503: "unavailable"}
    assert [each for each in edits(it) if "http: EDIT: what 409 means" in each]
    assert [each for each in edits(it) if "410 exhausted" in each]
    assert '# EDIT: 409 is not in `http` yet; its description is not clear to us: "No"' in it.files()[SCENARIO]
    told = adoption_of(Person(What_does_409_mean=["perhaps", "repeated"]), "", Described(NAMELESS))
    assert told.http[409] == "repeated"
    assert not [each for each in edits(told) if "EDIT: what" in each]
    assert "EDIT: 409" not in told.files()[SCENARIO]


def test_no_code_is_said_to_mean_that_nothing_is_left() -> None:
    """Without a document only what HTTP itself defines is in the map."""
    assert 409 not in adoption_of(Person(), "http", None).http
    assert [each for each in edits(Adoption()) if "http: EDIT: the code" in each]
    assert adoption_of(Person(nothing_is_left=["410"]), "http", None).http[410] == "exhausted"
