"""Every command of the README is run as it is printed, here or in a test that is named here; what cannot be is begun.

The commands are read from the README: one that is new, and run nowhere, fails.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from chat.config import Config
from tests.deploy.test_proxies import HOST, serves
from tests.ports import free_port
from tests.runtime.running import NAME, OURS, PASSWORD, ROOT, WITHIN_S, Running, until

README = (ROOT / "README.md").read_text()
PROGRAMS = 'make|flask|redis-cli|npm|python3|aws|bin/venv|caddy|gunicorn|\\.ci/run|export|git|apt|dnf|[A-Z_]+="\\$\\('
COMMAND = re.compile(rf"(?:sudo )?(?:[A-Z_]+=\S+ )*(?:{PROGRAMS})")

LAN = ("PUBLIC_URL=https://192.168.1.20 TRUSTED_PROXY_HOPS=1 make run",
       "sudo PUBLIC_URL=https://192.168.1.20 caddy run --config deploy/Caddyfile")  # fmt: skip
DOMAIN = tuple(line.replace("192.168.1.20", "chat.example.org") for line in LAN)
SERVER = [
    "bin/venv run",
    "export SECRET_KEY=… PUBLIC_URL=https://chat.example.org REDIS_URL=rediss://… AWS_REGION=eu-west-1 "
    "TRUSTED_PROXY_HOPS=1",
    ".venv/bin/flask --app wsgi create-tables",
    ".venv/bin/gunicorn -k gevent -c gunicorn.conf.py wsgi:app",
]
GIVEN = ("REDIS_URL=redis://… make run", "DYNAMODB_ENDPOINT=http://… make run")
BESIDE = 'export REDIS_URL DYNAMODB_ENDPOINT AWS_SHARED_CREDENTIALS_FILE SECRET_KEY="$(cat data/secret-key)"'
KEY = "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
CLONE = "git clone <this repository> parley && cd parley"
TASKS = [f"flask --app wsgi {task}" for task in (
    "create-tables", "create-user NAME", "doctor", "ingest-errors", "tail ROOM", "restored", "drop-tables --yes",
)]  # fmt: skip
HERE = {*LAN, *DOMAIN, *SERVER, *GIVEN, *TASKS, BESIDE, KEY, CLONE, 'REDIS_URL="$(cat data/redis-url)"'}
# Command → the file and the test that runs it.
LOOKING = ("test_readme.py", "test_the_commands_of_looking_inside_")
ELSEWHERE = {
    "make run": ("test_make.py", "test_ctrl_c_in_the_terminal_ends_make_and_everything"),
    "redis-cli -u \"$REDIS_URL\" --scan --pattern 'session:*'": LOOKING,
    "export AWS_SHARED_CREDENTIALS_FILE AWS_REGION=eu-west-1 AWS_DEFAULT_REGION=eu-west-1": LOOKING,
    'aws dynamodb scan --table-name users --endpoint-url "$DYNAMODB_ENDPOINT"': LOOKING,
    'aws dynamodb put-item --endpoint-url "$DYNAMODB_ENDPOINT" --table-name messages --item': LOOKING,
    'redis-cli -u "$REDIS_URL" FLUSHDB': ("test_readme.py", "test_emptying_redis_signs_everybody_out"),
    "npm --prefix frontend run dev": ("test_readme.py", "test_the_page_with_reloading_signs_in_"),
    "flask run": ("test_env_file.py", "test_flask_run_says_that_it_serves_no_sockets"),
    "make cloud": ("../deploy/test_cloud.py", ""),
}  # fmt: skip
# Targets that are run for minutes, or are what runs this: every program that they begin is there, with its options.
BEGUN = {
    "make test": "it runs this test",
    "make check": "CI runs it beside the tests",
    "make build": "it writes frontend/dist; `make test` compares that with what the source builds",
    "make protocol": "it writes a source file; tests/runtime and `make check` compare that with the server",
    "make bench": "minutes of measuring",
    "make audit": "half an hour",
    "make screens": "minutes of pictures; tests/screens looks at each screen",
    "make fuzz": "ten minutes; tests/transport has its short form",
    "make model": "minutes; tests/model has its short form",
    "make mutants": "an hour; tests/mutants has its short form",
    "make revocations": "minutes; tests/faults has its short form",
    "make faults": "eight minutes, as root; tests/faults has its short form",
}
# What cannot be run in a test at all, and why; each is tried below as far as that goes.
NOT_HERE = {
    "DYNAMODB_ENDPOINT=https://dynamodb.eu-west-1.amazonaws.com make run": "it costs somebody's AWS account",
    "make lock": "it asks a registry, and needs uv",
    "npm --prefix frontend ci": "it takes the installed libraries away; `make test` has run it",
    "npm --prefix frontend run words": "it writes source files; frontend/src/words/words.test.ts compares them",
    ".ci/run": "it installs packages, and runs this test",
    "apt install caddy": "it changes the machine",
}
NO_COMMANDS = {"flask", "flask export"}  # the program's name; and what does not exist yet


def commands() -> list[str]:
    """Those of the blocks, line by line, and those in the text and its tables."""
    found = []
    for block in re.findall(r"```sh\n(.*?)```", README, re.S):
        for line in block.replace("\\\n", "").splitlines():
            found.append(re.sub(r"\s+#.*", "", line).strip())
    text = re.sub(r"```.*?```", "", README, flags=re.S)
    found += [span for span in re.findall(r"`([^`\n]+)`", text) if COMMAND.match(span)]
    return [re.sub(r" --item .*", " --item", command) for command in found if command]


def test_every_command_is_run_and_every_run_is_of_a_command() -> None:
    known = HERE | ELSEWHERE.keys() | BEGUN.keys() | NOT_HERE.keys() | NO_COMMANDS
    assert set(commands()) == known


def test_a_new_command_would_be_found() -> None:
    for new in ("make coffee", "flask --app wsgi sing", "A=b make run", "npm --prefix frontend run x"):
        assert COMMAND.match(new)


@pytest.mark.parametrize("command", ELSEWHERE)
def test_the_test_that_is_named_is_there(command: str) -> None:
    file, name = ELSEWHERE[command]
    tree = ast.parse((ROOT / "tests" / "runtime" / file).resolve().read_text())
    assert [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith(name or "test_")
    ]


@pytest.mark.parametrize("command", BEGUN)
def test_what_takes_long_begins_what_is_there(command: str) -> None:
    recipe = subprocess.run(
        ["make", "-n", command.split()[1]], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    lines = [shlex.split(line) for line in recipe.splitlines() if line.lstrip().startswith(("exec .venv", ".venv/bin"))]
    scripts = set(re.findall(r"npm --prefix frontend .*?(?:run )?--silent (\w+)|npm .* run --silent (\w+)", recipe))
    assert lines or scripts
    for words in lines:
        words = words[words[0] == "exec" :]
        module = words[words.index("-m") + 1]
        spec = importlib.util.find_spec(module)
        assert spec is not None, module
        if module.startswith(("tests", "bench")) and spec.origin:
            folder = Path(spec.origin).parent
            source = "".join(path.read_text() for path in folder.glob("*.py"))
            assert [word for word in words if word.startswith("--") and word not in source] == []


# --- what cannot be run here -----------------------------------------------------------------------------------------


def test_make_lock_says_what_it_needs(tmp_path: Path) -> None:
    for name in ("make", "sh"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    done = subprocess.run(["make", "lock"], cwd=ROOT, env={"PATH": str(tmp_path)}, capture_output=True, text=True)
    assert done.returncode == 2 and "make lock needs uv on the PATH." in done.stderr


def test_npm_has_what_it_would_run() -> None:
    package = json.loads((ROOT / "frontend" / "package.json").read_text())
    assert {"words", "dev", "build", "test", "lint"} <= package["scripts"].keys()
    lock = json.loads((ROOT / "frontend" / "package-lock.json").read_text())
    root = lock["packages"][""]
    assert {name: root.get(name) for name in ("dependencies", "devDependencies")} == {
        name: package.get(name) for name in ("dependencies", "devDependencies")
    }, "npm ci refuses a lock that is another one's"


def test_ci_is_a_script_that_runs() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert subprocess.run(["sh", "-n", ".ci/run"], cwd=ROOT, check=False).returncode == 0
    assert shutil.which("caddy"), "and it has installed that, as the README says"


# --- run as printed --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout by links, set up, with this Python's programs under their names."""
    place = tmp_path_factory.mktemp("place") / "parley"
    place.mkdir()
    for name in ("chat", "frontend", "deploy", "bin", "Makefile", "wsgi.py", "gunicorn.conf.py"):
        (place / name).symlink_to(ROOT / name)
    locks = ["requirements.txt", "requirements-run.txt"]
    for lock in locks:
        (place / lock).symlink_to(ROOT / lock)
    programs = place / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("gunicorn", "flask"):
        program(programs / name, f'exec "{sys.executable}" -m {name} "$@"')
    program(programs / "python", f'exec "{sys.executable}" "$@"')
    program(programs / "sudo", 'exec env "$@"')
    sums = subprocess.run(["cksum", *locks], cwd=place, capture_output=True, text=True, check=True).stdout
    (place / ".venv" / "locks.stamp").write_text(sums)
    return place


def program(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


@pytest.fixture(scope="module")
def run(place: Path) -> Iterator[Running]:
    with Running(place / "data", cwd=place) as running:
        assert running.request("/api/auth/register", {"username": NAME, "password": PASSWORD})[0] == 201
        assert running.request("/api/auth/login", {"username": NAME, "password": PASSWORD})[0] == 200
        assert running.request("/api/rooms/general/messages", {"client_id": "one", "text": "Hello"})[0] == 201
        yield running


def environment(place: Path, **more: str) -> dict[str, str]:
    """A terminal's, with the programs of the checkout."""
    env = {name: value for name, value in os.environ.items() if name not in OURS}
    return {**env, "PATH": f"{place}/.venv/bin:{env['PATH']}", "TESTING": "1", "BCRYPT_COST": "4", **more}


def shell(place: Path, script: str, said: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    """What a shell says without a terminal, at which it would ask for passwords."""
    return subprocess.run(
        ["bash", "-euc", script],
        cwd=place,
        env=environment(place, **more),
        input=said,
        capture_output=True,
        text=True,
        timeout=3 * WITHIN_S,
        start_new_session=True,
    )


def pasted(run: Running) -> str:
    """What was printed, in another terminal, and what the README says to it."""
    printed = "\n".join(line for line in run.lines if not line.startswith("http"))
    return (
        f'{printed}\nREDIS_URL="$(cat data/redis-url)"\n{BESIDE}\nexport AWS_DEFAULT_REGION=eu-west-1 PORT={run.port}\n'
    )


def test_the_tasks_beside_a_run(place: Path, run: Running) -> None:
    said = {
        "create-tables": "All tables are there.",
        "create-user NAME": "Grace can sign in now.",
        "doctor": f"All is well. People find the chat at {run.url}.",
        "ingest-errors": "Every row that was put has become a message.",
        "restored": "1 rooms start over.",
    }
    script = "\n".join(f"flask --app wsgi {task.replace('NAME', 'Grace')}" for task in said)
    done = shell(place, pasted(run) + script, said=f"{PASSWORD}\n{PASSWORD}\n")
    assert done.returncode == 0, done
    for expected in said.values():
        assert expected in done.stdout
    assert run.request("/api/auth/login", {"username": "grace", "password": PASSWORD})[0] == 200


def test_the_doctor_knows_where_the_run_is(place: Path, run: Running) -> None:
    """As it was met: what it says of a port that nobody gave."""
    done = shell(place, pasted(run) + "unset PORT; flask --app wsgi doctor --json || exit $?")
    assert done.returncode == 2, done.stderr
    (cause,) = [finding["cause"] for finding in json.loads(done.stdout) if finding["cause"]]
    assert cause == f"the chat that runs answers to {run.url}, and these settings say http://localhost:8000"


def test_what_is_said_is_printed_as_it_comes(place: Path, run: Running) -> None:
    command = pasted(run) + "exec flask --app wsgi tail general"
    process = subprocess.Popen(
        ["bash", "-euc", command], cwd=place, env=environment(place), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        texts = iter(json.loads(line) for line in process.stdout)
        assert any((each["message"] or {}).get("text") == "Hello" for each in texts)
        process.send_signal(signal.SIGINT)
        assert process.wait(WITHIN_S) == 0
    finally:
        process.kill()
        process.stdout.close()


def test_tables_that_are_dropped_are_gone(place: Path, run: Running) -> None:
    tasks = "flask --app wsgi create-tables; flask --app wsgi drop-tables --yes"
    done = shell(place, pasted(run) + tasks, TABLE_PREFIX="others-")
    assert done.stdout.splitlines() == [
        "Created others-users, others-messages, others-chat.", "Dropped others-users, others-messages, others-chat.",
    ], done  # fmt: skip


def test_a_server_of_ones_own(place: Path, run: Running) -> None:
    """The block for EC2 and any box, with this run's Redis and DynamoDB."""
    (block,) = [each for each in re.findall(r"```sh\n(.*?)```", README, re.S) if "gunicorn" in each]
    port = free_port()
    script = block.replace("SECRET_KEY=…", f"SECRET_KEY={'0123456789abcdef' * 3}").replace(
        "rediss://…", run.told["REDIS_URL"]
    )
    script = script.replace(".venv/bin/gunicorn", "exec .venv/bin/gunicorn")
    assert script.count("…") == 0
    aws = {name: run.told[name] for name in ("DYNAMODB_ENDPOINT", "AWS_SHARED_CREDENTIALS_FILE")}
    env = environment(place, PORT=str(port), TABLE_PREFIX="ec2-", **aws)
    with (place / "server.log").open("wb") as log:
        process = subprocess.Popen(["bash", "-euc", script], cwd=place, env=env, stdout=log, stderr=log)
    try:
        until(lambda: process.poll() is not None or ready(port), WITHIN_S, "it serves")
        assert process.poll() is None, (place / "server.log").read_text()
    finally:
        process.terminate()
        process.wait(WITHIN_S)


def ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=WITHIN_S) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_with_a_redis_and_a_dynamodb_of_ones_own(place: Path, run: Running, tmp_path: Path) -> None:
    given = dict(command.split(" make run")[0].split("=", 1) for command in GIVEN)
    assert list(given.values()) == ["redis://…", "http://…"]
    ours = {name: run.told[name] for name in (*given, "AWS_SHARED_CREDENTIALS_FILE")}
    with Running(tmp_path / "data", ["make", "run"], cwd=place, TABLE_PREFIX="own-", **ours) as own:
        assert (own.told["REDIS_URL"], own.told["DYNAMODB_ENDPOINT"]) == (ours["REDIS_URL"], ours["DYNAMODB_ENDPOINT"])


def test_for_other_people(place: Path, tmp_path: Path) -> None:
    """The lines for a LAN, with an address and ports that this machine has; those for a domain differ in the name."""
    address = f"{HOST}:{free_port()}"
    served, proxy = (line.replace("192.168.1.20", address) for line in LAN)
    port = free_port()
    more = {name: value for name, _, value in (word.partition("=") for word in served.split()[:2])}
    with Running(tmp_path / "data", served.split()[2:], cwd=place, PORT=str(port), **more) as run:
        assert run.lines[0] == f"https://{address}"
        home = {"XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
        env = environment(place, PORT=str(port), HTTP_PORT=str(free_port()), **home)
        root = tmp_path / "caddy" / "pki" / "authorities" / "local" / "root.crt"
        with (tmp_path / "caddy.log").open("wb") as log:
            process = subprocess.Popen(["bash", "-euc", f"exec {proxy}"], cwd=place, env=env, stdout=log, stderr=log)
        try:
            until(lambda: process.poll() is not None or serves(run.lines[0], root), WITHIN_S, "it serves")
            assert process.poll() is None, (tmp_path / "caddy.log").read_text()
        finally:
            process.terminate()
            process.wait(WITHIN_S)


def test_a_key_that_is_made_so_is_one(place: Path) -> None:
    made = shell(place, KEY).stdout.strip()
    assert Config.from_env({"SECRET_KEY": made}).secret_key == made


def test_it_is_cloned_and_there(tmp_path: Path) -> None:
    line = CLONE.replace("<this repository>", shlex.quote(str(ROOT))).replace(
        "git clone", "git clone --quiet --depth 1"
    )
    done = shell(tmp_path, f"{line.replace(str(ROOT), f'file://{ROOT}')} && ls", PATH=os.environ["PATH"])
    assert {"Makefile", "README.md", "bin", "chat"} <= set(done.stdout.split()), done.stderr
