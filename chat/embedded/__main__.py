"""`python -m chat.embedded`: what `make run` executes."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 (said here, before any newer syntax is read)
    print("Parley needs Python 3.11 or newer; this is {}.{}.".format(*sys.version_info), file=sys.stderr)
    sys.exit(2)

from chat.embedded.supervisor import main

sys.exit(main(sys.argv[1:]))
