"""`python -m deploy.server`: what the unit `parley` runs. It becomes gunicorn."""

import os
import sys

from deploy.server.settings import resolved

ADDRESS = "0.0.0.0"  # the security group lets in CloudFront (by the balancer, in the full size) and nobody else


def main() -> None:
    env = {"BIND": ADDRESS, **resolved(os.environ)}
    os.execve(sys.executable, [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"], env)


if __name__ == "__main__":
    main()
