"""Runs schedules by hand: `python -m tests.model.run --schedules 20000`, or tells how one goes: `--replay SEED`."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from tests.model.scenes import Scene
from tests.model.schedule import Schedule, run


@dataclass
class Result:
    """What many schedules came to: how often each figure was met, and what broke the promise, by seed."""

    figures: Counter[str] = field(default_factory=Counter)
    broken: dict[int, str] = field(default_factory=dict)


def run_all(seeds: Sequence[int], scene: Scene | None = None) -> Result:
    """Runs these schedules, in that scene if one is given, on all processors."""
    jobs = min(os.cpu_count() or 1, len(seeds))
    result = Result()
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("fork")) as pool:
        for part in pool.map(partial(_run_some, scene), [seeds[start::jobs] for start in range(jobs)]):
            result.figures += part.figures
            result.broken |= part.broken
    return result


def _run_some(scene: Scene | None, seeds: Sequence[int]) -> Result:
    result = Result()
    for seed in seeds:
        try:
            result.figures.update(vars(run(seed, scene)))
        except AssertionError as error:
            result.broken[seed] = str(error)
    del result.figures["seed"]
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schedules", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=0, help="the first one's; the next have the next")
    parser.add_argument("--replay", type=int, help="run this seed alone and print everything that happens")
    options = parser.parse_args()
    if options.replay is not None:
        return replay(options.replay)
    began = time.monotonic()
    result = run_all(range(options.seed, options.seed + options.schedules))
    for broken in result.broken.values():
        print(broken)
    taken_s = time.monotonic() - began
    print(f"{options.schedules:,} schedules from seed {options.seed} in {taken_s:.0f} s:", end=" ")
    print(", ".join(f"{name} {value:,.0f}" for name, value in result.figures.items()))
    print(f"{len(result.broken)} broke the promise")
    return 1 if result.broken else 0


def replay(seed: int) -> int:
    """Prints the trace of a schedule and how it ended."""
    schedule = Schedule(seed)
    schedule.scheduler.tracing = True
    try:
        schedule.run()
    except Exception:
        ended = traceback.format_exc()
    else:
        ended = "the promise was kept"
    for at, who, what in schedule.scheduler.trace:
        print(f"{at:9.4f} {who:12} {what}")
    print(ended)
    return 0


if __name__ == "__main__":
    sys.exit(main())
