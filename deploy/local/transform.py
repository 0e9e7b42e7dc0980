"""`.venv-serverless/bin/python deploy/local/transform.py [NAME=value …]`: deploy/template.yaml as JSON, after AWS's
transform for serverless applications. A parameter that is not named has its default."""

import json
import sys
from pathlib import Path

from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

TEMPLATE = Path(__file__).resolve().parents[1] / "template.yaml"
CODE = "s3://code/"  # where `sam deploy` puts what CodeUri names


def main(parameters: dict[str, str]) -> None:
    template = yaml_parse(TEMPLATE.read_text())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = CODE + resource["Properties"]["CodeUri"]
    print(json.dumps(transform(template, {"AWS::Region": "eu-west-1", **parameters}, _NoPolicies()), indent=1))


class _NoPolicies:
    """The template writes its roles itself: nothing is looked up."""

    def load(self) -> dict[str, str]:
        return {}


if __name__ == "__main__":
    main(dict(argument.split("=", 1) for argument in sys.argv[1:]))
