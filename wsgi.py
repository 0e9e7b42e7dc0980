"""What gunicorn serves, and what `flask` runs its tasks with: `gunicorn -k gevent -c gunicorn.conf.py wsgi:app`."""

from gevent import monkey

monkey.patch_all()  # before anything imports ssl, sockets or boto3

from chat import cli_start, create_app, env_file  # noqa: E402
from chat.errors import ConfigError  # noqa: E402

cli_start.refuse_to_serve()
try:
    env_file.load()
    app = create_app()
except ConfigError as error:
    app = cli_start.refused(error.problems)
