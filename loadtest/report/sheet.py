"""A sheet: a small page of tables and plots, which opens from disk and needs no network."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from loadtest.report.figure import Figure
from loadtest.report.inlined import inlined, templates


@dataclass(frozen=True, slots=True)
class SheetTable:
    """A table of texts; the columns after the first *words* hold numbers and are set to the right."""

    title: str
    lead: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: int = 1


@dataclass(frozen=True, slots=True)
class SheetPlot:
    """A plot under its title, with a sentence that says how to read it."""

    title: str
    lead: str
    figure: Figure


@dataclass(frozen=True, slots=True)
class ReportSheet:
    """A page: its title, a sentence below it, and its sections in order."""

    title: str
    lead: str
    sections: Sequence[SheetTable | SheetPlot] = field(default_factory=list)


def render_sheet(sheet: ReportSheet) -> str:
    """Return the page as HTML."""
    figures = [section.figure for section in sheet.sections if isinstance(section, SheetPlot)]
    return templates().get_template("sheet.html").render(sheet=sheet, **inlined(figures))
