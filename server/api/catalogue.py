"""The catalogue of texts: what each code that the server can say means, in English and Chinese."""

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from importlib.resources import files

from server.core.refusal import Refused


class Language(StrEnum):
    """A language of the texts, in the order in which texts.toml has them."""

    EN = "en"
    ZH = "zh"


Texts = Mapping[str, Mapping[str, str]]
"""The texts of one language: of each group, by code."""

_READ: Mapping[str, Mapping[str, list[str]]] = tomllib.loads(
    files("server.api").joinpath("texts.toml").read_text("utf-8")
)
TEXTS: Mapping[Language, Texts] = {
    language: {group: {code: both[place] for code, both in codes.items()} for group, codes in _READ.items()}
    for place, language in enumerate(Language)
}


def language_of(accepted: str) -> Language:
    """Return the language that an ``Accept-Language`` header prefers; English if it names neither."""
    best, best_weight = Language.EN, 0.0
    for part in accepted.split(","):
        tag, _, weight = part.strip().partition(";")
        language = tag.strip().lower().partition("-")[0]
        if language in set(Language) and _weight(weight) > best_weight:
            best, best_weight = Language(language), _weight(weight)
    return best


def _weight(text: str) -> float:
    """Return the weight of a part, 1 if it has none, 0 if it cannot be read."""
    name, _, value = text.strip().partition("=")
    if not name:
        return 1.0
    try:
        return float(value) if name.strip() == "q" else 0.0
    except ValueError:
        return 0.0


def told(code: str, detail: str, language: Language, *, field: str = "", rule: str = "") -> str:
    """
    Return the sentence of an error in a language: in English *detail*, which has the values.

    In another it is the field, the text of the code, and that of the rule that refuses, if it says more.
    """
    texts = TEXTS[language]
    if language is Language.EN or code not in texts["refusal"]:
        return detail
    said, by_rule = texts["refusal"][code], texts["rule"].get(rule, "")
    sentence = f"{said}({by_rule})" if by_rule and by_rule != said else said
    return f"{field}: {sentence}" if field else sentence


def refusal_told(refusal: Refused, language: Language, detail: str = "") -> str:
    """Return the sentence of a refusal in a language; *detail* is its English one if that is not its own."""
    return told(refusal.code, detail or str(refusal), language, field=refusal.field, rule=refusal.rule)
