"""How gunicorn runs the chat; every number comes from the settings or has its reason here."""

import gevent

from chat.config import Config

_config = Config.from_env()

bind = f"{_config.bind}:{_config.port}"
workers = _config.workers
worker_class = "gevent"
worker_connections = _config.sockets_per_worker + 100  # so that plain HTTP is answered when all sockets are taken
keepalive = 2
graceful_timeout = 5
timeout = 30
limit_request_line = 8190
limit_request_fields = 100
limit_request_field_size = 8190
control_socket_disable = True  # one path for all instances of a user
accesslog = None
loglevel = _config.log_level


def post_worker_init(worker):
    """Watches for the worker's stop: clients are sent away at once, or it would wait for their sockets."""
    from chat.sockets.transport import drain

    def watch():
        while worker.alive:
            gevent.sleep(0.1)
        drain(worker.wsgi.extensions["socketio"])

    gevent.spawn(watch)
