"""The mutants still fit the code, and who is to notice them is there; whether they do says `make mutants`."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.mutants.run import ROOT
from tests.mutants.table import MUTANTS, Mutant

READ: dict[str, Callable[[str], Any]] = {".py": lambda source: ast.dump(ast.parse(source)), ".json": json.loads}
TELLS = {".py": "def {}", ".ts": "it(", ".tsx": "it("}  # what stands in a file with tests

each = pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)


def meaning(file: str, source: str) -> Any:
    """What a source says, whatever its form; of a language that nobody reads here, all but its spaces."""
    return READ.get(Path(file).suffix, str.split)(source)


@each
def test_a_mutant_is_other_code_than_ours(mutant: Mutant) -> None:
    source = (ROOT / mutant.file).read_text("utf-8")
    assert meaning(mutant.file, mutant.planted(source)) != meaning(mutant.file, source)


@each
def test_who_guards_against_it_is_there(mutant: Mutant) -> None:
    assert mutant.guards
    for guard in mutant.guards:
        path, _, name = guard.partition("::")
        assert TELLS[Path(path).suffix].format(name) in (ROOT / path).read_text("utf-8")


def test_each_has_a_name_of_its_own() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 20


@pytest.mark.parametrize("source", ["", "old old"])
def test_a_text_that_is_not_there_once_is_told(source: str) -> None:
    with pytest.raises(ValueError, match="its old text stands"):
        Mutant("one", "a.py", "old", "new", ("test.py",)).planted(source)
