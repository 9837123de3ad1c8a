"""Asks what nobody can read from a service's description, and says what is left to edit."""

import re
from collections.abc import Callable, Iterator

from loadtest.scenarios.crowd_scenario import VIEWERS_MAX
from loadtest.scenarios.target_spec import REQUEST
from scripts.adoption.drafts import ACTION, SCENARIO, STANDARD, WORKFLOW, Adoption, RequestDraft
from scripts.adoption.names import VIEWER
from scripts.adoption.openapi import Described, DescribedOperation, sure
from server.core.packets.claim import ClaimStatus

Ask = Callable[[str, str], str]
"""Returns the answer to a question, by default the second text."""

EXAMPLES = {"granted": "OK", "repeated": "ALREADY", "exhausted": "SOLD_OUT"}
NONE = "-"
STATUSES = [each.value for each in ClaimStatus]
KINDS = ("http", "websocket")
NUMBER_MAX = 1_000_000
OFFERED_MAX = 9


def adoption_of(ask: Ask, kind: str, described: Described | None) -> Adoption:
    """Return what the files are to say, by the service's description, if there is one, and by answers."""
    known = kind or ("http" if described else "")
    it = Adoption(known or _valid(ask, "How is the service spoken to, http or websocket?", "http", KINDS.__contains__))
    if it.kind == "websocket":
        it.base_url = it.base_url.replace("http", "ws", 1)
    it.base_url = ask("Where does it listen?", (described and described.base_url) or it.base_url).rstrip("/")
    it.start = ask("Which shell command starts it?", it.start)
    if it.kind == "http":
        _ask_requests(it, ask, described)
    it.packet_id = ask("Which packet (coupon) is there to grab once it has started?", it.packet_id)
    it.share_count = _number(ask, "How many shares does that have?", it.share_count, NUMBER_MAX)
    most = min(VIEWERS_MAX, max(it.viewers, 2 * it.share_count))
    it.viewers = _number(ask, "How many viewers come?", most, VIEWERS_MAX)
    it.action = ask("Where on GitHub is Redrain, as OWNER/NAME@REF?", it.action)
    return it


def edits(it: Adoption) -> Iterator[str]:
    """Yield what to look at next: file, place, and what belongs there."""
    if not it.names_viewer:
        yield f"{SCENARIO}, [target.grab]: EDIT: {{viewer}} where your service expects a name, or a [target.login]"
    for name in it.not_texts:
        yield (
            f"{SCENARIO}, [target.grab] {name}: EDIT: it is no free text, and our viewers are called v0, v1, ...: "
            'name a file of [target] users, and write "{user.COLUMN}" there'
        )
    if it.kind == "websocket":
        yield f"{SCENARIO}, [target.connect], [target.grab], [target.receipt]: your own messages; these are examples"
    elif not it.receipt.status:
        yield f"{SCENARIO}, [target.receipt]: the words of your answers; now every 2xx means that a share was given"
    yield from _edits_of_codes(it)
    if it.kind == "http" and not it.receipt.claim_id:
        yield f"{SCENARIO}, [target.receipt] claim_id: where the share's id is, to tell repeats from seconds"
    yield f"{SCENARIO}, [target.books]: where your service's own books are, to find lost and invented shares"
    yield f"{it.start}: starts with fresh data each time, as in the empty folder that it finds in LEG_FOLDER"
    yield f"{it.start}: listens at the port in PORT, so that base and head can run at the same time"
    yield f"{WORKFLOW}: the steps that build the service, in the folder of the job and in .base"
    if it.action == ACTION:
        yield f"{WORKFLOW}, {ACTION}: where Redrain is on GitHub"


def _edits_of_codes(it: Adoption) -> Iterator[str]:
    if it.kind != "http":
        return
    for code, text in it.unclear.items():
        yield f"{SCENARIO}, http: EDIT: what {code} means, whose description is not clear: {text!r}"
    if not it.tells_exhausted:
        yield f"{SCENARIO}, http: EDIT: the code that says that nothing is left, unless a word of the answer does"
    if it.http != STANDARD:
        told = ", ".join(f"{code} {status}" for code, status in it.http.items())
        yield f"{SCENARIO}, http: {told}: as we read the descriptions; look whether it is right"


def _ask_requests(it: Adoption, ask: Ask, described: Described | None) -> None:
    grab = _chosen(ask, described.grabs()) if described else None
    if described is None or grab is None:
        request = _valid(ask, "Which request grabs?", it.grab.request, REQUEST.match)
        it.grab = it.grab._replace(request=request)
        login = _valid(ask, "Which request logs a viewer in? (- for none)", NONE, _none_or_request)
        if login != NONE:
            it.login, it.token = RequestDraft(login, {}, {"user": "{viewer}"}), ""
    else:
        logins = described.logins()
        if logins and described.wants_token(grab):
            it.login, it.token = described.login_request(logins[0]), described.token_path(logins[0])
        it.grab = described.grab_request(grab, has_token=it.login is not None)
        it.receipt = described.receipt(grab)
        it.http, it.unclear = described.outcomes(grab)
        it.not_texts = described.not_texts(grab)
    if it.login:
        it.token = it.token or ask("Where in the login's answer is the token (JMESPath)?", "token")
        if "{token}" not in str(it.grab):
            it.grab = it.grab._replace(headers={**it.grab.headers, "Authorization": "Bearer {token}"})
    if not it.names_viewer:
        header = ask("In which header does a grab say who the viewer is? (- if it is elsewhere: edit the file)", NONE)
        if header != NONE:
            it.grab = it.grab._replace(headers={**it.grab.headers, header: VIEWER})
    _ask_codes(it, ask)
    _ask_receipt(it, ask)


def _ask_codes(it: Adoption, ask: Ask) -> None:
    """Ask for the meaning of each code whose description does not say it."""
    statuses = ", ".join(STATUSES)
    for code, text in list(it.unclear.items()):
        question = f"What does {code} mean, of which the document says {text!r}? ({statuses}; - to edit it later)"
        status = _valid(ask, question, NONE, (NONE, *STATUSES).__contains__)
        if status != NONE:
            it.http = dict(sorted({**it.http, code: status}.items()))
            it.unclear = {each: said for each, said in it.unclear.items() if each != code}


def _ask_receipt(it: Adoption, ask: Ask) -> None:
    if not it.receipt.status:
        status = ask("Where does the grab's answer say how it ended? (JMESPath; - for the HTTP status alone)", NONE)
        if status != NONE:
            words = {name: [_word(ask(f"By which word is a grab {name}?", word))] for name, word in EXAMPLES.items()}
            it.receipt = it.receipt._replace(status=status, words=words)
    if not (it.receipt.status or it.tells_exhausted):
        code = _valid(ask, "Which HTTP code says that nothing is left? (- for none)", NONE, _none_or_code)
        it.http = it.http if code == NONE else dict(sorted({**it.http, int(code): "exhausted"}.items()))
    if not it.receipt.claim_id:
        claim_id = ask("Where does it have the id of the share? (JMESPath; - for nowhere)", NONE)
        it.receipt = it.receipt._replace(claim_id="" if claim_id == NONE else claim_id)


def _word(text: str) -> str | int:
    return int(text) if re.fullmatch(r"-?\d{1,9}", text) else text


def _chosen(ask: Ask, found: list[DescribedOperation]) -> DescribedOperation | None:
    """Return the operation that grabs: the one that stands out, or the one that is chosen."""
    if not found or sure(found):
        return found[0] if found else None
    offered = [str(each) for each in found[:OFFERED_MAX]]
    listed = "".join(f"\n  {number} {each}" for number, each in enumerate(offered, 1))
    return found[_number(ask, f"Which of these grabs?{listed}\n ", 1, len(offered)) - 1]


def _number(ask: Ask, question: str, default: int, most: int) -> int:
    def fits(text: str) -> bool:
        return text.isascii() and text.isdecimal() and len(text) < 10 and 0 < int(text) <= most

    return int(_valid(ask, question, str(default), fits))


def _none_or_request(text: str) -> object:
    return text == NONE or REQUEST.match(text)


def _none_or_code(text: str) -> object:
    return text == NONE or re.fullmatch("[2-5][0-9][0-9]", text)


def _valid(ask: Ask, question: str, default: str, fits: Callable[[str], object]) -> str:
    """Ask until the answer fits, as the default does."""
    while not fits(answer := ask(question, default)):
        question = f"{answer} does not fit. {question.removeprefix(f'{answer} does not fit. ')}"
    return answer
