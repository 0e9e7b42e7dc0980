import sys

from tests.e2e.browsers.run import main

sys.exit(main(sys.argv[1:]))
