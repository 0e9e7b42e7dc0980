"""`.venv-serverless/bin/python tests/deploy/lint.py TEMPLATE [FILE …]`: what `sam validate --lint` says of the template
(its exit code and words) and cfn-lint of each file, as JSON. In one process: reading the rules takes the most time."""

import json
import sys
from pathlib import Path

from cfnlint.api import lint_file
from click.testing import CliRunner
from samcli.cli.main import cli


def main(template: str, files: list[str]) -> None:
    done = CliRunner().invoke(cli, ["validate", "--lint", "--template-file", template])
    found = {file: [match.message for match in lint_file(Path(file))] for file in files}
    print(json.dumps({"validate": [done.exit_code, done.output], "found": found}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
