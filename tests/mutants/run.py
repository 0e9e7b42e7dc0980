"""Whether the tests notice each mutant: `python -m tests.mutants.run`; `--only NAME` for one, `--tree DIR` elsewhere.

Each is planted in a copy of the tracked files, so nothing here changes; one of the page is built there when a browser
is to meet it. Exits with 1 when one is not noticed, 2 when the tests fail without any.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.mutants.table import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[2]
WITHIN_S = 300.0  # a mutant that makes a test hang is not noticed
FAILED = re.compile(r"^(?:FAILED (.+?)(?: - .*)?| FAIL +(\S+ > .+))$", re.MULTILINE)  # as pytest and vitest say it
TESTS_FAILED = 1  # their exit code; others say that the tests could not run
PAGE = "frontend/"
PYTEST = (sys.executable, "-m", "pytest", "-x", "-q", "-rf", "--tb=short", "-p", "no:cacheprovider")
VITEST = ("node_modules/.bin/vitest", "run", "--bail=1", "--no-cache")
BUILD = ("node_modules/.bin/vite", "build", "--logLevel=error")


@dataclass(frozen=True)
class Ended:
    """How a run of tests ended: `code` is pytest's or vitest's, None when it hung."""

    code: int | None
    output: str
    took_s: float

    @property
    def failed(self) -> str | None:
        """The first test that failed. An error in a fixture, or a file that cannot be imported, is none."""
        found = FAILED.search(self.output) if self.code == TESTS_FAILED else None
        return found[1] or found[2] if found else None


@contextmanager
def copied(tree: Path) -> Iterator[Path]:
    """A copy of the files that git tracks there, and the modules of the page."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=tree, check=True, capture_output=True, text=True).stdout
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        copy = Path(folder, "tree")
        for name in filter(None, listed.split("\0")):
            if (tree / name).is_file():
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(tree / name, copy / name)
        (copy / PAGE / "node_modules").symlink_to((tree / PAGE / "node_modules").resolve())
        yield copy


def ended(copy: Path, tests: Sequence[str], within_s: float) -> Ended:
    """Runs these tests until one fails: those of the page first, which take less."""
    began = time.monotonic()
    of_page = [test.removeprefix(PAGE) for test in tests if test.startswith(PAGE)]
    others = [test for test in tests if not test.startswith(PAGE)]
    code: int | None = 0
    output = ""
    if of_page:
        code, output = said(copy / PAGE, [*VITEST, *of_page], within_s)
    if others and code == 0:
        code, output = said(copy, [*PYTEST, "--basetemp", str(copy.parent / "t"), *others], within_s)
    return Ended(code, output, time.monotonic() - began)


def said(folder: Path, argv: Sequence[str], within_s: float) -> tuple[int | None, str]:
    """The exit code, None when it hung, and the output of a command there."""
    process = subprocess.Popen(
        argv,
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")} | {"NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output = process.communicate(timeout=within_s)[0]
    except subprocess.TimeoutExpired:
        return None, "it hung"
    else:
        return process.returncode, output
    finally:
        with suppress(ProcessLookupError):  # also what it started and did not end
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def plant(copy: Path, mutant: Mutant) -> None:
    """Also in the bundle, where the page is changed and others than its own tests are asked. Raises: ValueError when it
    cannot be planted."""
    file = copy / mutant.file
    file.write_text(mutant.planted(file.read_text("utf-8")), "utf-8")
    if mutant.file.startswith(PAGE + "src/") and not all(guard.startswith(PAGE) for guard in mutant.guards):
        code, output = said(copy / PAGE, BUILD, WITHIN_S)
        if code != 0:
            raise ValueError(f"{mutant.name}: it cannot be built\n{output}")


def noticed(tree: Path, mutant: Mutant) -> bool:
    """Whether a test fails because of this mutant; prints its row. Raises: ValueError when it cannot be planted."""
    with copied(tree) as copy:
        plant(copy, mutant)
        end = ended(copy, mutant.guards, WITHIN_S)
    outcome = end.failed or ("SURVIVED" if end.code == 0 else f"NO ANSWER (exit {end.code})")
    print(f"| {mutant.name} | {outcome.replace('|', '/')} | {end.took_s:.1f} |", flush=True)
    if end.code not in (0, TESTS_FAILED) or (end.code and not end.failed):
        print(end.output, file=sys.stderr)
    return end.failed is not None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", metavar="NAME", help="the mutants in whose name this stands")
    parser.add_argument("--tree", type=Path, default=ROOT, help="the checkout whose tests are to notice them")
    parser.add_argument("--jobs", type=int, default=1, help="so many at once")
    options = parser.parse_args()
    chosen = [mutant for mutant in MUTANTS if options.only is None or options.only in mutant.name]
    if not chosen:
        parser.error(f"there is no mutant {options.only!r}")
    guards = sorted({guard for mutant in chosen for guard in mutant.guards})
    with copied(options.tree) as copy:
        sound = ended(copy, guards, WITHIN_S * len(guards))
    if sound.code != 0:
        print(sound.output, "Without any mutant the tests already fail.", sep="\n", file=sys.stderr)
        return 2
    print(f"| mutant | noticed by | s |\n|---|---|---|\n| (none) | nothing | {sound.took_s:.1f} |", flush=True)
    with ThreadPoolExecutor(options.jobs) as pool:
        found = list(pool.map(partial(noticed, options.tree), chosen))
    print(f"{sum(found)} of {len(found)} noticed")
    return 0 if all(found) else 1


if __name__ == "__main__":
    sys.exit(main())
