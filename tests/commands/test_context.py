"""The context of commands: a platform is judged by this process's rulebook, or by none."""

import pytest

from server.commands.context import CommandContext
from server.core.refusal import Refused
from server.core.rulebooks.platforms import KUAISHOU


async def test_a_platform_has_the_rulebook_of_this_process(at: CommandContext) -> None:
    """An unknown platform is refused, and the refusal names those there are."""
    assert at.rulebook("kuaishou") is KUAISHOU
    with pytest.raises(Refused, match="lab") as refused:
        at.rulebook("taobao")
    assert (refused.value.code, refused.value.field) == ("bad_field", "platform")
