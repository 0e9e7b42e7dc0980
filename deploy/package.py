"""`python -m deploy.package [NAME …]`: one zip for each Lambda function, in deploy/build, with what it needs alone.

What a function needs is read off its imports: our own modules, and the libraries of LIBRARIES for Lambda's platform, as
requirements.txt pins them by hash. boto3 is the runtime's own. The same sources give the same bytes: names are sorted,
dates fixed, and bytecode is put in, by hash and not by date, where an interpreter of the runtime's version is there.
"""

from __future__ import annotations

import argparse
import ast
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from importlib.metadata import distributions
from pathlib import Path

from packaging.markers import Marker
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "deploy" / "build"
FUNCTIONS = ("register", "login", "logout", "protected", "ingest")
RUNTIME = "3.13"
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
# A library's module → the distributions that it takes.
LIBRARIES = {
    "bcrypt": ("bcrypt",),
    "redis": ("redis", "async-timeout"),  # the second for Python before 3.11.3 alone, as the lock says
    "msgspec": ("msgspec",),
    "limits": ("limits", "deprecated", "wrapt", "packaging", "typing-extensions"),
}
OF_THE_RUNTIME = ("boto3", "botocore")
LEFT_OUT = ("gevent",)  # a function has no greenlets: the modules that may use them go without
DATA = {"chat.services.accounts.passwords": ("chat/services/accounts/common_passwords.txt",)}
NOTES = ("INSTALLER", "REQUESTED", "direct_url.json")  # of who installed, and how
EPOCH = (1980, 1, 1, 0, 0, 0)  # the first that a zip can say


def modules(name: str) -> set[str]:
    """Every module that this one imports, and so on, ours and others'; what is for type checkers only is not."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        module = waiting.pop()
        if module in found:
            continue
        found.add(module)
        path = _path(module)
        if path is not None:
            waiting += _imports(path)
            waiting += [module.rpartition(".")[0]] if "." in module else []
    return found


def _path(module: str) -> Path | None:
    if module.partition(".")[0] != "chat":
        return None
    stem = ROOT.joinpath(*module.split("."))
    return next((path for path in (stem / "__init__.py", stem.with_suffix(".py")) if path.is_file()), None)


def _imports(path: Path) -> Iterable[str]:
    lazily_flask = path == ROOT / "chat" / "__init__.py"  # it makes the app when it is asked to
    for node in _run(ast.parse(path.read_text()).body) if not lazily_flask else ():
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            ours = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name for name in ours if _path(name))
            yield node.module


def _run(body: Iterable[ast.stmt]) -> Iterable[ast.AST]:
    """All nodes but those under `if TYPE_CHECKING`."""
    for statement in body:
        if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.dump(statement.test):
            continue
        yield from ast.walk(statement)


def libraries(needed: Iterable[str]) -> list[str]:
    """The distributions behind these modules. Raises: ValueError for a library that nobody has thought of."""
    found: set[str] = set()
    for module in {name.partition(".")[0] for name in needed}:
        if module in LIBRARIES:
            found.update(LIBRARIES[module])
        elif module not in sys.stdlib_module_names and module not in ("chat", *OF_THE_RUNTIME, *LEFT_OUT):
            raise ValueError(f"deploy/package.py does not know the library {module}")
    return sorted(found)


def pins(lock: str, python: str) -> dict[str, str]:
    """Distribution → its pin with its hashes, of those that this version of Python (3.13, 3.11.2) takes."""
    found = {}
    for block in lock.replace("\\\n", "").splitlines():
        pin, _, hashes = block.partition(" --hash")
        requirement, _, marker = pin.partition(";")
        name, _, version = requirement.strip().partition("==")
        if version and (not marker.strip() or Marker(marker.strip()).evaluate(_environment(python))):
            found[name] = f"{requirement.strip()} --hash{hashes}"
    return found


def _environment(python: str) -> dict[str, str]:
    major, minor, *patch = python.split(".")
    return {
        "python_version": f"{major}.{minor}",
        "python_full_version": f"{major}.{minor}.{patch[0] if patch else 9}",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "os_name": "posix",
    }


def fetch(names: Iterable[str], folder: Path, python: str) -> None:
    """Installs those distributions for Lambda's platform. Raises: CalledProcessError."""
    pinned = pins((ROOT / "requirements.txt").read_text(), python)
    wanted = [pinned[name] for name in names if name in pinned]
    if not wanted:
        return
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as lock:
        lock.write("\n".join(wanted))
        lock.flush()
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--require-hashes", "--only-binary=:all:", "--ignore-requires-python", "--no-compile"]
        command += [
            "--implementation",
            "cp",
            "--python-version",
            python,
            "--target",
            str(folder),
            "--requirement",
            lock.name,
        ]
        for platform in PLATFORMS:
            command += ["--platform", platform]
        subprocess.run(command, check=True)


def build(name: str, into: Path = BUILD, python: str = RUNTIME) -> Path:
    """Makes `<name>.zip`, and the same unpacked in a folder beside it; returns the zip."""
    (made,) = build_all([name], into, python)
    return made


def build_all(names: Iterable[str] = FUNCTIONS, into: Path = BUILD, python: str = RUNTIME) -> list[Path]:
    """Makes the package of each of these functions as `build` does; what several of them take is fetched once."""
    needed = {name: modules(f"chat.lambdas.{name}") for name in names}
    with tempfile.TemporaryDirectory() as shelf:
        fetch(sorted({library for each in needed.values() for library in libraries(each)}), Path(shelf), python)
        return [_build(into / name, taken, Path(shelf), python) for name, taken in needed.items()]


def _build(folder: Path, needed: Iterable[str], shelf: Path, python: str) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _take(libraries(needed), shelf, folder)
    for module in needed:
        path = _path(module)
        for source in [path, *(ROOT / data for data in DATA.get(module, ()))] if path else []:
            _copy(source, folder / source.relative_to(ROOT))
    _compile(folder, python)
    return _zip(folder, folder.with_name(f"{folder.name}.zip"))


def _take(names: Iterable[str], shelf: Path, folder: Path) -> None:
    """Copies the files of those distributions; one that is not on the shelf is not for this version of Python."""
    wanted = set(names)
    for distribution in distributions(path=[str(shelf)]):
        if canonicalize_name(distribution.metadata["Name"]) in wanted:
            for file in distribution.files or ():
                if ".." not in file.parts and (shelf / file).is_file():
                    _copy(shelf / file, folder / file)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _compile(folder: Path, version: str) -> None:
    python = "python" + ".".join(version.split(".")[:2])
    try:
        subprocess.run([python, "-c", ""], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return  # the runtime compiles what it imports, at each cold start
    command = [python, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "-s", str(folder)]
    subprocess.run([*command, "-p", "/var/task", str(folder)], check=True)


def _zip(folder: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for file in sorted(file for file in folder.rglob("*") if file.is_file()):
            if (
                file.name in ("INSTALLER", "REQUESTED", "direct_url.json")
                or "bin" in file.relative_to(folder).parts[:1]
            ):
                continue
            entry = zipfile.ZipInfo(str(file.relative_to(folder)), EPOCH)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.read_bytes())
    return path


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.package", description=__doc__)
    parser.add_argument("name", nargs="*", choices=[[], *FUNCTIONS], help="a function; all when none is named")
    parser.add_argument("--python", default=RUNTIME, help="the runtime's version; the local cloud has this machine's")
    options = parser.parse_args(argv)
    try:
        made = build_all(options.name or FUNCTIONS, python=options.python)
    except subprocess.CalledProcessError:
        print("The libraries could not be fetched: what pip says stands above.", file=sys.stderr)
        return 1
    for path in made:
        print(f"{path.stem:<10} {path.stat().st_size / 1000:7.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
