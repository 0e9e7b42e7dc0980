"""What goes into a function's zip: enough to run, and nothing that it does not need."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from deploy import package
from tests.conftest import ROOT

LIBRARIES = {
    "register": {"bcrypt", "msgspec"},
    "login": {
        "bcrypt",
        "msgspec",
        "redis",
        "async-timeout",
        "limits",
        "deprecated",
        "wrapt",
        "packaging",
        "typing-extensions",
    },
    "logout": {"redis", "async-timeout"},
    "protected": {"redis", "async-timeout"},
    "ingest": {"msgspec", "redis", "async-timeout"},
}
X86_64 = b"\x3e\0"  # e_machine of an ELF file
# Imports the handler with nothing on the path but the folder, Python's own and the runtime's boto3.
COLD = """
import importlib, sys
class Fence:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {banned}:
            raise ImportError(name)
sys.meta_path.insert(0, Fence())
sys.path.insert(0, {folder!r})
module = importlib.import_module("chat.lambdas.{name}")
assert module.__file__.startswith({folder!r}), module.__file__
assert callable(module.handler)
"""


@pytest.mark.parametrize("name", package.FUNCTIONS)
def test_a_function_takes_only_what_it_imports(name: str) -> None:
    needed = package.modules(f"chat.lambdas.{name}")
    assert set(package.libraries(needed)) == LIBRARIES[name]
    ours = {module for module in needed if module.startswith("chat")}
    assert not any(
        module.startswith(("chat.blueprints", "chat.sockets", "chat.embedded", "chat.app")) for module in ours
    )
    files = {module for module in ours if not (ROOT / module.replace(".", "/")).is_dir()}
    assert len(files) < (47 if name == "ingest" else 38), "the log and all nouns, or accounts alone"


@pytest.mark.parametrize("name", package.FUNCTIONS)
def test_a_function_runs_from_its_folder_alone(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our modules out of the folder, and of the libraries only those that the package has."""
    monkeypatch.setattr(package, "fetch", lambda names, folder, python: None)  # this machine has them installed
    package.build(name, tmp_path)
    every = {"msgspec", "flask", "gevent", "socketio", "engineio", "flask_session", "limits", "bcrypt", "redis"}
    banned = every - {library.replace("-", "_") for library in LIBRARIES[name]}
    code = COLD.format(banned=sorted(banned), folder=str(tmp_path / name), name=name)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_same_sources_give_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "fetch", lambda names, folder, python: None)
    one, other = (package.build("login", tmp_path / place) for place in ("one", "other"))
    assert one.read_bytes() == other.read_bytes()
    names = zipfile.ZipFile(one).namelist()
    assert names == sorted(names)
    assert "chat/services/accounts/common_passwords.txt" in names


def test_what_is_shipped_is_built_alike_twice_and_is_for_the_runtime(tmp_path: Path) -> None:
    """The real packages, from the index; nothing here is installed on this machine."""
    _skip_offline(tmp_path)
    one, other = (package.build("login", tmp_path / place) for place in ("one", "other"))
    assert sha256(one.read_bytes()).hexdigest() == sha256(other.read_bytes()).hexdigest()
    names = zipfile.ZipFile(one).namelist()
    assert {"bcrypt", "redis", "limits", "wrapt"} <= {name.partition("/")[0] for name in names}
    assert not [name for name in names if name.startswith(("async_timeout", "boto"))], "the runtime has these"
    binaries = [name for name in names if name.endswith(".so")]
    assert {name.partition("/")[0] for name in binaries} == {"bcrypt", "msgspec", "wrapt"}
    for name in binaries:
        assert name.endswith((".abi3.so", ".cpython-313-x86_64-linux-gnu.so")), name
        assert zipfile.ZipFile(one).read(name)[18:20] == X86_64
    wheels = [name for name in names if name.endswith(".dist-info/WHEEL")]
    for name in wheels:
        tags = re.findall(r"^Tag: (\S+)$", zipfile.ZipFile(one).read(name).decode(), re.M)
        assert any(re.fullmatch(r"(py2\.)?py3-none-any|cp3\d+-(abi3|cp313)-manylinux\S*x86_64", tag) for tag in tags), (
            tags
        )
    assert zipfile.ZipFile(one).testzip() is None


def _skip_offline(folder: Path) -> None:
    """Skips when pip reaches no index; any other trouble is the test's to find."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-cache-dir", "--retries", "0", "packaging"]
    done = subprocess.run([*command, "--dest", folder / "probe"], capture_output=True, text=True)
    if done.returncode and re.search("NewConnectionError|NameResolution|ConnectTimeout", done.stderr):
        pytest.skip("there is no way to a package index")


def test_the_pins_are_those_of_the_runtime() -> None:
    lock = (ROOT / "requirements.txt").read_text()
    pins = package.pins(lock, package.RUNTIME)
    assert {"bcrypt", "redis", "limits", "deprecated"} <= set(pins)
    assert all(" --hash=sha256:" in pin for pin in pins.values())
    assert "async-timeout" not in pins, "only for old Pythons"
    assert "async-timeout" in package.pins(lock, "3.11.2"), "Debian 12's"
    assert "async-timeout" not in package.pins(lock, "3.11.3")
    assert pins["deprecated"] != package.pins(lock, "3.11")["deprecated"]


def test_a_library_that_nobody_thought_of_is_named() -> None:
    with pytest.raises(ValueError, match="flask"):
        package.libraries({"flask", "json"})
