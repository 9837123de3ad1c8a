"""Space-time diagrams: one counterexample with viewers and store as lines, drawn in a terminal or as SVG."""

from loadtest.report.spacetime.placing import Glyph
from loadtest.report.spacetime.scene import Scene, scenes_of
from loadtest.report.spacetime.svg import WIDTH, page_of, placed
from loadtest.report.spacetime.terminal import drawn

__all__ = ["WIDTH", "Glyph", "Scene", "drawn", "page_of", "placed", "scenes_of"]
