"""What gunicorn serves: `gunicorn -k gevent wsgi:app`."""

from gevent import monkey

monkey.patch_all()  # before anything imports ssl, sockets or boto3

from chat import create_app  # noqa: E402

app = create_app()
