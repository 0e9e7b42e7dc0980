"""How gunicorn runs the chat; every number comes from the settings or has its reason here."""

import errno
import os
import resource
import signal
import socket
import sys
from functools import partial
from urllib.parse import urlsplit

import gunicorn.http.wsgi

from chat import env_file
from chat.config import LOOPBACK, Config
from chat.errors import ConfigError

try:
    env_file.load()
    _config = Config.from_env()
except ConfigError as error:
    sys.exit("Parley does not start:\n" + "\n".join(f"- {problem}" for problem in error.problems))

if _config.bind.startswith("unix:"):
    bind = _config.bind
    umask = 0o007  # the proxy is in our group; nobody else may say for whom it speaks
else:
    bind = f"[{_config.bind}]:{_config.port}" if ":" in _config.bind else f"{_config.bind}:{_config.port}"
workers = _config.workers
worker_class = "gevent"
# 100 more than sockets, so that plain HTTP is answered when all are taken. The fast transport takes its sockets out of
# gunicorn's hands: there the rest is spare for plain HTTP, and no more than that is needed.
_sockets = _config.sockets_per_worker
worker_connections = 100 + (min(_sockets, 900) if _config.fanout == "fast" else _sockets)
preload_app = False  # each worker patches first and connects for itself
keepalive = 2  # also the time that a request's head may take
graceful_timeout = 5
timeout = 30
limit_request_line = 8190
limit_request_fields = 64
limit_request_field_size = 8190
http_parser = "python"  # what the tests ran against, whatever else is installed
forwarded_allow_ips = ""  # nobody's X-Forwarded-Proto, SCRIPT_NAME or PATH_INFO is believed
forwarder_headers = ""
secure_scheme_headers = {}
control_socket_disable = True  # one path for all instances of a user
accesslog = None
loglevel = _config.log_level
_level = {"level": loglevel.upper()}
logconfig_dict = {
    # Other libraries warn only: what they say below that has request bodies and keys in it.
    "root": {"level": "WARNING", "handlers": ["lines"]},
    "loggers": {
        "gunicorn.error": {**_level, "propagate": True},  # gunicorn has turned that off, and its handlers are gone
        "chat": _level,
        "parley.audit": {"level": "INFO", "handlers": ["audit"], "propagate": False},
        "engineio": {"propagate": False},  # these two have handlers of their own
        "socketio": {"propagate": False},
    },
    "handlers": {
        "lines": {"class": "logging.StreamHandler", "formatter": "generic"},
        "audit": {"class": "logging.StreamHandler", "formatter": "bare"},
    },
    "formatters": {
        "generic": {"format": "%(asctime)s [%(process)d] [%(levelname)s] %(message)s"},
        "bare": {"format": "%(message)s"},  # JSON lines
    },
}

gunicorn.http.wsgi.SERVER = "parley"

# A file for each connection, and as many again for logs, pools and what is about to be closed.
_files = 2 * (_sockets + worker_connections)
_soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
if _hard != resource.RLIM_INFINITY:
    _files = min(_files, _hard)
if _soft != resource.RLIM_INFINITY and _soft < _files:
    resource.setrlimit(resource.RLIMIT_NOFILE, (_files, _hard))


def on_starting(server):
    """Says at once that the port is taken, where gunicorn would try for five seconds, and that it is another one."""
    _compare(server.cfg.address, server.log)
    if os.environ.get("GUNICORN_FD") or os.environ.get("LISTEN_FDS"):
        return  # the socket is handed to us
    address = server.cfg.address[0]
    if not isinstance(address, tuple):
        return  # a Unix socket
    host, port = address
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            why = "is taken by another program" if taken else f"cannot be used: {error.strerror}"
            sys.exit(f"Parley does not start: port {port} of {host} {why}. PORT names another.")


def _compare(addresses, log):
    """Where `--bind` of gunicorn's own command line says another port than PUBLIC_URL, and nothing is in between."""
    url = urlsplit(_config.public_url)
    listens = [address[1] for address in addresses if isinstance(address, tuple)]
    if url.hostname in LOOPBACK and listens and (url.port or (443 if url.scheme == "https" else 80)) not in listens:
        ports = " and ".join(map(str, listens))
        told = "Parley listens at port %s and answers to %s alone: say PORT in place of --bind"
        log.warning(told, ports, _config.public_url)


def post_worker_init(worker):
    """Watches over slow clients and over the worker's end, and begins the work that waits for no request."""
    from chat.sockets.transport.worker import install

    install(worker)
    services = worker.wsgi.extensions.get("parley")
    if services is not None:
        services.start(end=partial(os.kill, os.getpid(), signal.SIGTERM))


def pre_request(worker, req):
    """A request's head has been read."""
    from chat.sockets.transport.worker import request_began

    request_began(req)


def post_request(worker, req, environ, resp):
    """A request has been answered."""
    from chat.sockets.transport.worker import request_over

    request_over(req)


def worker_exit(server, worker):
    """A worker has closed its sockets and is about to end."""
    app = getattr(worker, "wsgi", None)  # one that could not load the app has none
    services = app.extensions.get("parley") if app is not None else None
    if services is not None:
        services.stop()
