"""A server with a planted bug: ``python -m tests.planted.server NAME ARGUMENT...``, then as ``redrain``."""

import sys

from scripts.cli import main
from tests.planted.plants import PLANTS

if __name__ == "__main__":
    next(plant for plant in PLANTS if plant.name == sys.argv[1]).plant()
    main(sys.argv[2:])
