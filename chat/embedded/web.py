"""`python -m chat.embedded.web …`: gunicorn, whose workers end with it also when it is killed."""

import os
import sys

from gunicorn.app.wsgiapp import run

from chat.embedded.children import die_with


def main() -> None:
    forking = [0]

    def before() -> None:
        forking[0] = os.getpid()

    os.register_at_fork(before=before, after_in_child=lambda: die_with(forking[0]))
    sys.argv[0] = "gunicorn"
    run()


if __name__ == "__main__":
    main()
