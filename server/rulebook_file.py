"""Read the file in which a deployment overrides limits of the rulebooks."""

from collections.abc import Mapping
from pathlib import Path

from server.core.rulebooks.overrides import BadRulebooks, overridden
from server.core.rulebooks.platforms import RULEBOOKS
from server.core.rulebooks.rulebook import Rulebook
from server.core.toml_text import BadToml, read_toml, toml_tables


def load_rulebooks(path: Path | None) -> Mapping[str, Rulebook]:
    """
    Return the rulebooks by platform, with the overrides of the TOML file at *path*, if it is not None.

    Raises BadRulebooks, which names file, table and field.
    """
    if path is None:
        return RULEBOOKS
    try:
        return overridden(RULEBOOKS, toml_tables(read_toml(path)))
    except BadToml as error:
        raise BadRulebooks(f"{path}: not TOML: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadRulebooks(f"{path}: cannot be read: {error}") from None
    except BadRulebooks as bad:
        raise BadRulebooks(f"{path}: {bad}") from None
