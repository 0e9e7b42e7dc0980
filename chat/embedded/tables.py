"""`python -m chat.embedded.tables`: makes the tables, in a process of its own that then gives its memory back."""

import logging
import sys

from chat.config import Config
from chat.errors import ChatError
from chat.services.storage import schema
from chat.services.storage.storage import Storage


def main() -> int:
    logging.getLogger(
        "chat.services.runtime.outages"
    ).disabled = True  # what does not answer is said here, in one sentence
    config = Config.from_env()
    try:
        schema.create(Storage.connect(config))
    except ChatError:
        print(f"DynamoDB at {config.dynamodb_endpoint} does not answer.", file=sys.stderr)
        return 2
    except Exception as error:  # boto3's many: no credentials, no permission; its sentence says which
        print(f"The tables cannot be made in DynamoDB at {config.dynamodb_endpoint}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
