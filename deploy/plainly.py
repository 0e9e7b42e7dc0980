"""What goes wrong at AWS, said in a sentence by the commands of this folder."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError, PartialCredentialsError

CREDENTIALS = "Give the credentials of your AWS account, as boto3 finds them: AWS_PROFILE, or AWS_ACCESS_KEY_ID …"


def plainly(work: Callable[[], int]) -> int:
    """The exit code of that work; 1 where AWS or a program that it runs fails, 2 where something is to be given."""
    try:
        return work()
    except (NoCredentialsError, PartialCredentialsError) as error:
        return _said(f"{error}. {CREDENTIALS}", 2)
    except NoRegionError:
        return _said("Name the region: AWS_REGION=eu-west-1 (boto3 reads AWS_DEFAULT_REGION, or your profile).", 2)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        expired = "Expired" in code or "Token" in code or "Unrecognized" in code or "Signature" in code
        return _said(f"AWS refused it: {error}{f' {CREDENTIALS}' if expired else ''}", 1)
    except BotoCoreError as error:
        return _said(f"AWS could not be asked: {error}", 1)
    except subprocess.CalledProcessError as error:
        command = error.cmd if isinstance(error.cmd, str) else " ".join(str(word) for word in error.cmd[:3])
        return _said(f"`{command} …` failed with exit code {error.returncode}.", 1)
    except OSError as error:
        return _said(f"{error.filename or 'Something'} cannot be used: {error.strerror or error}.", 1)


def _said(sentence: str, code: int) -> int:
    print(sentence, file=sys.stderr)
    return code
