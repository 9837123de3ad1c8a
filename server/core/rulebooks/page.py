"""A platform's own pages: where each entry stands, in the words of the source, and the operations of its list."""

from dataclasses import dataclass
from enum import StrEnum


class Operation(StrEnum):
    """An operation of a creator on a packet of the list."""

    LAUNCH = "launch"
    COPY = "copy"
    VOID = "void"
    EDIT = "edit"
    END = "end"


@dataclass(frozen=True, slots=True)
class PagePlace:
    """The place of an entry: ``what`` in our words, ``where`` in the source's, and its rule."""

    what: str
    where: str
    rule: str


@dataclass(frozen=True, slots=True)
class Advice:
    """A sentence for creators that forbids nothing, and the rule it comes from."""

    text: str
    rule: str


@dataclass(frozen=True, slots=True)
class PlatformPage:
    """
    The places of entries on a platform's pages. No rule depends on it; the API passes it on to user interfaces.

    ``list_column`` is the source's name of the packet list's column of operations, ``list_operations`` are those it
    names there, by ``list_rule``.
    """

    places: tuple[PagePlace, ...] = ()
    list_column: str = ""
    list_operations: tuple[Operation, ...] = ()
    list_rule: str = ""
    advice: tuple[Advice, ...] = ()


DOUYIN_PAGE = PlatformPage(
    places=(
        PagePlace("entry", "达人身份登录百应：营销管理–红包管理", "DY-UI-1"),
        PagePlace("entry", "达人身份登录百应：直播管理–直播中控台–直播工具–发红包", "DY-UI-1"),
        PagePlace("create", "【新建红包】（半屏抽屉式）", "DY-UI-2"),
        PagePlace("create", "发红包", "DY-UI-2"),
        PagePlace("withdraw", "红包管理", "DY-UI-3"),
    ),
    list_column="操作",
    list_operations=(Operation.LAUNCH, Operation.COPY, Operation.VOID),
    list_rule="DY-UI-3",
    advice=(
        Advice("launch early, in step with the show, and have the host announce it before it opens", "DY-LAU-10"),
        Advice("what warms up as soon as it is launched can never be voided", "DY-VOI-2"),  # AMB-11
    ),
)

KUAISHOU_PAGE = PlatformPage(
    places=(
        PagePlace("entry", "电脑端：快手小店–营销中心–全部工具–宠爱红包", "KS-UI-1"),
        PagePlace("recharge", "【充值】", "KS-UI-2"),
    ),
    list_column="宠爱红包活动列表",
    list_operations=(Operation.EDIT, Operation.END),
    list_rule="KS-UI-2",
)
