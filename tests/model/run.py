"""Runs schedules by hand: `python -m tests.model.run --schedules 20000`, or tells how one goes: `--replay SEED`.

Beside those of all scenes, some of a crowd that reacts to one message; with `--planted`, the first seed that finds each
planted fault. Exit status 0: the promise was kept, and each planted fault found.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from tests.model.mutations import MUTATIONS, Mutation
from tests.model.scenes import REACTIONS, SCENES, Scene
from tests.model.schedule import Schedule, run

JOBS = os.cpu_count() or 1
SCENE_OF = {scene.name: scene for scene in (*SCENES, REACTIONS)}
REACTING_SHARE = 0.15  # so many more, of the crowd that reacts
PLANTED_WITHIN = 600


@dataclass
class Result:
    """What many schedules came to: how often each figure was met, and what broke the promise, by seed."""

    figures: Counter[str] = field(default_factory=Counter)
    broken: dict[int, str] = field(default_factory=dict)


def run_all(seeds: Sequence[int], scene: Scene | None = None, jobs: int = 1) -> Result:
    """Runs these schedules, in that scene if one is given; on so many processors."""
    if jobs == 1:
        return _run_some(scene, seeds)
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
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--schedules", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="the first one's; the next count on")
    parser.add_argument("--scene", choices=sorted(SCENE_OF), help="this scene alone")
    parser.add_argument("--planted", action="store_true", help="and look for each planted fault")
    parser.add_argument("--replay", type=int, help="run this seed alone and print everything that happens")
    options = parser.parse_args()
    scene = SCENE_OF[options.scene] if options.scene else None
    if options.replay is not None:
        return replay(options.replay, scene)
    broken = _run_and_tell(options.schedules, options.seed, scene)
    if scene is None:
        broken += _run_and_tell(round(REACTING_SHARE * options.schedules), options.seed, REACTIONS)
    missed = _look_for_planted() if options.planted else 0
    return 1 if broken or missed else 0


def _run_and_tell(schedules: int, seed: int, scene: Scene | None) -> int:
    """How many of these broke the promise."""
    began = time.monotonic()
    result = run_all(range(seed, seed + schedules), scene, min(JOBS, max(1, schedules)))
    for broken in result.broken.values():
        print(broken)
    print(f"{schedules:,} schedules of {scene.name if scene else 'all scenes'} from seed {seed}", end=" ")
    print(f"in {time.monotonic() - began:.0f} s:", end=" ")
    print(", ".join(f"{name} {value:,.0f}" for name, value in result.figures.items()))
    print(f"{len(result.broken)} broke the promise", flush=True)
    return len(result.broken)


def _look_for_planted() -> int:
    """How many of the planted faults no seed below PLANTED_WITHIN finds."""
    missed = 0
    with ProcessPoolExecutor(JOBS, multiprocessing.get_context("fork")) as pool:
        for mutation, seed in zip(MUTATIONS, pool.map(_first_seed, range(len(MUTATIONS))), strict=True):
            said = "NOT FOUND" if seed is None else f"seed {seed}"
            print(f"{said:10} {mutation.name}", flush=True)
            missed += seed is None
    print(f"{len(MUTATIONS) - missed} of {len(MUTATIONS)} planted faults found")
    return missed


def _first_seed(number: int) -> int | None:
    mutation: Mutation = MUTATIONS[number]
    found = mutation.found(range(PLANTED_WITHIN))
    return found[0] if found else None


def replay(seed: int, scene: Scene | None = None) -> int:
    """Prints the trace of a schedule and how it ended."""
    schedule = Schedule(seed, scene)
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
