"""Space-time diagrams: one counterexample with viewers and store as lines, drawn in a terminal or as SVG."""

from loadtest.report.spacetime.scene import Scene, scenes_of
from loadtest.report.spacetime.svg import page_of
from loadtest.report.spacetime.terminal import drawn

__all__ = ["Scene", "drawn", "page_of", "scenes_of"]
