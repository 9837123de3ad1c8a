"""A refusal of a request. Nothing has changed when one is raised."""

from typing import NewType

RuleId = NewType("RuleId", str)
"""A rule's id as shown to users. ``Rulebook.rule`` makes it from the source's id, by platform."""

NO_RULE = RuleId("")


class Refused(Exception):  # noqa: N818 - a refusal is an answer, not an error of ours
    """
    Say why a request was not carried out.

    ``code`` is a stable word for programs, ``detail`` a sentence for people, ``field`` the name of the input that was
    wrong (or ""), ``rule`` the id of the business rule that refused (or ""; see docs/rules.md).
    """

    def __init__(self, code: str, detail: str, *, field: str = "", rule: RuleId = NO_RULE) -> None:
        super().__init__(f"{field}: {detail}" if field else detail)
        self.code = code
        self.detail = detail
        self.field = field
        self.rule = rule


class Raced(Refused):
    """A concurrent change has made the decision outdated; decide again."""
