"""The places of entries on a platform's pages are data, in the words of the sources."""

import pytest

from server.core.rulebooks.page import DOUYIN_PAGE, KUAISHOU_PAGE, Operation, PlatformPage


@pytest.mark.rule("DY-UI-1")
@pytest.mark.rule("DY-UI-2")
@pytest.mark.rule("DY-UI-3")
@pytest.mark.rule("KS-UI-1")
@pytest.mark.rule("KS-UI-2")
@pytest.mark.parametrize(
    ("page", "what", "where", "rule"),
    [
        (DOUYIN_PAGE, "entry", "营销管理–红包管理", "DY-UI-1"),
        (DOUYIN_PAGE, "entry", "直播管理–直播中控台–直播工具–发红包", "DY-UI-1"),
        (DOUYIN_PAGE, "create", "半屏抽屉式", "DY-UI-2"),
        (DOUYIN_PAGE, "withdraw", "红包管理", "DY-UI-3"),
        (KUAISHOU_PAGE, "entry", "电脑端：快手小店–营销中心–全部工具–宠爱红包", "KS-UI-1"),
        (KUAISHOU_PAGE, "recharge", "【充值】", "KS-UI-2"),
    ],
    ids=lambda value: None if isinstance(value, PlatformPage) else value,
)
def test_a_place_is_told_in_the_words_of_the_source(page: PlatformPage, what: str, where: str, rule: str) -> None:
    """Each place has the rule that names it."""
    assert [place for place in page.places if (place.what, place.rule) == (what, rule) and where in place.where]


@pytest.mark.rule("DY-UI-3")
@pytest.mark.rule("KS-UI-2")
def test_each_list_has_the_operations_that_its_source_names() -> None:
    """Douyin's column launches, copies and voids; Kuaishou's list edits and ends."""
    assert (DOUYIN_PAGE.list_column, DOUYIN_PAGE.list_rule) == ("操作", "DY-UI-3")
    assert DOUYIN_PAGE.list_operations == (Operation.LAUNCH, Operation.COPY, Operation.VOID)
    assert (KUAISHOU_PAGE.list_operations, KUAISHOU_PAGE.list_rule) == ((Operation.EDIT, Operation.END), "KS-UI-2")
