"""`python -m deploy.local`: what `make cloud` executes. Ctrl-C ends it, and the end of whoever started it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

from deploy.local.cloud import Cloud
from deploy.local.processes import ROOT, CloudError

LOOK_EVERY_S = 1.0


def main() -> int:
    """Exit code: 0 when asked to stop, 1 when a part of it failed."""
    parent = os.getppid()
    asked = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: _stop(asked))
    try:
        with Cloud(
            Path(os.environ.get("CLOUD_DIR", ROOT / "data" / "cloud")), int(os.environ.get("PORT", "8000"))
        ) as cloud:
            print(f"{cloud.url}\nAUTH_BASE={cloud.api_url}\nAWS_ENDPOINT_URL={cloud.stack.endpoint}", flush=True)
            while os.getppid() == parent and not asked.wait(LOOK_EVERY_S):
                if child := cloud.ended():
                    raise CloudError(f"{child.name} ended ({child.ended}), see {child.log}.")
    except CloudError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def _stop(asked: threading.Event) -> None:
    asked.set()
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
