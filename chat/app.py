"""The Flask application: settings, services, sockets, routes, errors, commands."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from flask_socketio import SocketIO
from gevent.queue import LifoQueue

from chat import cli, http
from chat.blueprints import auth, errors, frontend, guard, health, messages, rooms
from chat.blueprints.session import StoredSessionInterface
from chat.config import MAX_BODY_BYTES, Config
from chat.services.assembly import Services, create_services, create_sessions
from chat.services.sessions.key_events import KeyEvents
from chat.services.storage import redis_client
from chat.sockets.broadcaster import SocketBroadcaster
from chat.sockets.bus_listener import BusListener
from chat.sockets.client_sockets import ClientSockets
from chat.sockets.dispatch import Sockets
from chat.sockets.isolation import Isolation
from chat.sockets.session_watch import SessionWatch
from chat.sockets.subscriptions import Subscriptions
from chat.sockets.transport import check, create_socketio


def create_app(config: Config | None = None) -> Flask:
    """The Flask application, ready to serve. Raises: ConfigError with every missing or unsafe setting."""
    config = config or Config.from_env()
    app = guard.Hurried("chat", static_folder=None)
    app.config.update(
        SECRET_KEY=config.secret_key,
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        PERMANENT_SESSION_LIFETIME=timedelta(seconds=config.session_max_age_s),
        SESSION_COOKIE_NAME=config.cookie_name,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="None" if config.cookie_mode == "cross_site" else "Lax",
        SESSION_COOKIE_SECURE=config.secure_cookies,
        SESSION_COOKIE_PATH="/",
        SESSION_REFRESH_EACH_REQUEST=False,
    )
    socketio = create_socketio(app, config, http.headers(config))
    broadcaster = SocketBroadcaster(socketio)
    services = create_services(config, broadcaster)
    app.extensions["parley"] = services
    app.session_interface = StoredSessionInterface(app, services.sessions, config)
    guard.register(app)
    errors.register(app)
    for blueprint in (auth.bp, rooms.bp, messages.bp, health.bp, frontend.bp):
        app.register_blueprint(blueprint)
    _register_sockets(socketio, broadcaster, services)
    cli.register(app)
    check(socketio, config)
    return app


def _register_sockets(socketio: SocketIO, broadcaster: SocketBroadcaster, services: Services) -> None:
    config = services.config
    clients = ClientSockets(config.sockets_per_user)
    # its own: no queue of requests stands before the sweep
    redis = redis_client.connect(config.redis_url, queue_class=LifoQueue)
    swept = create_sessions(config, redis, services.storage)
    sessions = SessionWatch(socketio, clients, swept, KeyEvents(config.redis_url))
    followers, checks, rooms = services.followers, services.checks, services.rooms
    subscriptions = Subscriptions(broadcaster, clients, sessions, followers, rooms)
    listener = BusListener(broadcaster, clients, sessions, subscriptions, followers, checks, rooms, services.bus)
    isolation = Isolation(socketio, services.workers)
    sockets = Sockets(clients, subscriptions, listener, sessions, isolation, services)
    sockets.register(socketio)
