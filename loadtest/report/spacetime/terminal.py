"""The diagram as text of a fixed width, for a terminal."""

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from loadtest.report.spacetime.packing import rows_of, ticks_of
from loadtest.report.spacetime.placing import Glyph, Trace
from loadtest.report.spacetime.scene import Exhibit, Scene

WIDTH = 100
_WIDTH_MIN = 60
_LABEL = 20
_ROWS_MAX = 3
_TONES = {"ok": "green", "fail": "yellow", "info": "magenta", "": "cyan"}
_STROKES = {Glyph.UNANSWERED: ("├", "╌", "?"), Glyph.LIFE: ("[", "·", "]")}


def drawn(scene: Scene, width: int = WIDTH) -> list[Text]:
    """Return the lines of the diagram; none is wider than *width*, and none interprets what a stranger wrote."""
    width = max(width, _WIDTH_MIN)
    lines = [Text.assemble((f"{scene.invariant} {scene.title}", "bold red"), f"   {scene.packet_id}")]
    lines += _wrapped(scene.caption, width)
    lines.append(Text())
    if scene.lanes:
        columns = width - _LABEL - 1
        lines.append(_axis(scene, columns))
        for lane in scene.lanes:
            lines += _lane(scene, lane, columns)
        lines += _wrapped(f"milliseconds from {scene.zero_text}; {_LEGEND}", width, style="dim")
        lines.append(Text())
    for exhibit in scene.exhibits:
        lines += _exhibit(scene, exhibit, width)
    lines += [line for told in scene.left_out for line in _wrapped(f"not drawn: {told}", width, style="dim")]
    for line in lines:
        line.truncate(width)
    return lines


_LEGEND = "├──┤ a tap and its answer, ├╌╌? no answer, ● an entry of the store, ╶╴ the error of its clock, ◆ a message"


def _axis(scene: Scene, columns: int) -> Text:
    cells = [" "] * columns
    marks = [(_column(scene, instant.t, columns), instant.text) for instant in scene.instants]
    for milliseconds in ticks_of(scene.ms(scene.t_from), scene.ms(scene.t_to), 6):
        at = _column(scene, scene.zero + round(milliseconds * 1e6), columns)
        marks.append((at, f"{milliseconds:,.10g}"))
    for at, text in marks:
        begins = max(0, min(at - len(text) // 2, columns - len(text)))
        if all(cell == " " for cell in cells[max(0, begins - 1) : begins + len(text) + 1]):
            cells[begins : begins + len(text)] = text
    return Text(" " * _LABEL + " " + "".join(cells), style="dim")


def _lane(scene: Scene, lane: str, columns: int) -> list[Text]:
    """Return the rows of one line: what surrounds the evidence first, then the evidence."""
    around = [trace for trace in scene.traces if trace.lane == lane and not trace.number]
    shown = [trace for trace in scene.traces if trace.lane == lane and trace.number]
    # The surroundings keep their three rows at most, and may cover each other; each record of the evidence is seen.
    upper = rows_of([_extent(scene, trace, columns) for trace in around], _ROWS_MAX)
    lower = rows_of([_extent(scene, trace, columns) for trace in shown], len(shown) or 1)
    offset = max(upper, default=-1) + 1
    count = offset + max(lower, default=-1) + 1
    edges = {_column(scene, instant.t, columns) for instant in scene.instants}
    blank = ["┊" if at in edges else " " for at in range(columns)]
    cells = [[(each, "dim") for each in blank] for _ in range(count)]
    for trace, row in zip(around, upper, strict=True):
        _draw(cells[row], scene, trace)
    for trace, row in zip(shown, lower, strict=True):
        _draw(cells[row + offset], scene, trace)
    lines = []
    for at, drawn_row in enumerate(cells):
        text = Text(set_cell_size(lane if at == 0 else "", _LABEL) + " ")
        for character, style in drawn_row:
            text.append(character, style)
        lines.append(text)
    return lines


def _extent(scene: Scene, trace: Trace, columns: int) -> tuple[int, int]:
    begins, ends = _column(scene, trace.t_from, columns), _column(scene, trace.t_to, columns)
    if not trace.number and trace.t is not None:
        begins = ends = _column(scene, trace.t, columns)
    label = len(_label(trace))
    return (begins - label, ends) if ends + label >= columns else (begins, ends + label)


def _label(trace: Trace) -> str:
    return f" {trace.number}" if trace.number else ""


def _draw(cells: list[tuple[str, str]], scene: Scene, trace: Trace) -> None:
    columns = len(cells)
    style = f"bold {_TONES[trace.tone]}" if trace.number else "dim"
    begins, ends = _column(scene, trace.t_from, columns), _column(scene, trace.t_to, columns)
    if trace.t is None:
        first, middle, last = _STROKES.get(trace.glyph, ("├", "─", "┤"))
        stroke = [first, *(middle for _ in range(ends - begins - 1)), last] if ends > begins else ["▪"]
        if trace.glyph is Glyph.UNANSWERED and ends == begins:
            stroke = ["?"]
    elif trace.number:
        at = _column(scene, trace.t, columns)
        stroke = ["─" for _ in range(ends - begins + 1)]
        stroke[0], stroke[-1] = "╶", "╴"
        stroke[at - begins] = _point(trace)
    else:
        begins = ends = _column(scene, trace.t, columns)
        stroke = [_point(trace)]
    for at, character in enumerate(stroke, start=begins):
        cells[at] = (character, style)
    label = _label(trace)
    start = ends + 1 if ends + len(label) < columns else max(0, begins - len(label))
    for at, character in enumerate(label if start > ends else f"{trace.number} ", start=start):
        if trace.number and at < columns:
            cells[at] = (character, "bold reverse" if character != " " else "")


def _point(trace: Trace) -> str:
    if trace.glyph is Glyph.MISSED:
        return "◇"
    if trace.glyph is Glyph.FACT:
        return "◆"
    return "●" if trace.number else "•"


def _column(scene: Scene, t: int, columns: int) -> int:
    """Return the column of an instant; what lies outside the picture is at its edge."""
    at = (t - scene.t_from) * (columns - 1) // (scene.t_to - scene.t_from)
    return max(0, min(columns - 1, at))


def _exhibit(scene: Scene, exhibit: Exhibit, width: int) -> list[Text]:
    where = f"{exhibit.lane}: " if exhibit.lane else ""
    return _wrapped(f"{exhibit.number:>2}  {where}{exhibit.text} ({scene.when(exhibit)})", width, indent=4)


def _wrapped(text: str, width: int, *, indent: int = 0, style: str = "") -> list[Text]:
    """Return a text in lines of at most *width* cells, broken between words where there is a place."""
    lines, line = [], ""
    for word in text.split(" "):
        while cell_len(line) + cell_len(word) + 1 > width and line.strip():
            lines.append(line)
            line = " " * indent
        line = word if not line and not lines else f"{line}{word}" if not line.strip() and lines else f"{line} {word}"
    return [Text(each, style=style) for each in (*lines, line)]
