"""An example service that is slower: ``python -m tests.gate_aa.slow_service PERCENT MODULE PORT``."""

import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import uvicorn

from tests.gate_aa.slower import Spinner

SERVICES = Path(__file__).parents[1] / "examples/grab_services"


def main(percent: str, module: str, port: str) -> None:
    """Serve the application of a module with a spin before each thing that it is told."""
    sys.path.insert(0, str(SERVICES))
    app = import_module(module).app
    spinner = Spinner(int(percent) / 100)

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        async def received() -> Any:
            message = await receive()
            spinner.used_s = time.process_time() - spinner.spun_s
            spinner.spin()
            return message

        await app(scope, received, send)

    uvicorn.run(slow, port=int(port), log_level="warning")


if __name__ == "__main__":
    main(*sys.argv[1:])
