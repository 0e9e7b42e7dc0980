"""Seeds that are others in each run of the tests, so that many runs try what one could not."""

from __future__ import annotations

import os
import secrets


def drawn() -> int:
    """This run's seed: one that is drawn, or `TEST_SEED` of the environment, which plays a failed test again. It is
    printed, and what a test prints stands with its failure."""
    seed = int(os.environ.get("TEST_SEED") or secrets.randbelow(10**8))
    print(f"TEST_SEED={seed}")
    return seed
