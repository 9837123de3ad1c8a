"""The way to a terminal: what others have written is shown as it stands, and never tells the terminal what to do."""

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment

from server.core.text import visible


def plain(text: str) -> str:
    """Return *text* of others for a marked-up line: in one line, without markup and control characters."""
    return escape(visible(text, one_line=True))


class PlainConsole(Console):
    """A console through which no control character passes, whoever wrote it; colours and redrawing are its own."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render to segments; everything that is printed comes through here, the live display too."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                yield Segment(visible(segment.text), segment.style)
