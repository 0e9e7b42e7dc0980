"""The one place where everything meets: settings, services, sockets, routes, errors, commands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from flask import Flask
from redis import Redis

from chat import cli
from chat.blueprints import auth, errors, frontend, guard, health
from chat.blueprints.session import StoredSessionInterface
from chat.config import Config
from chat.services import redis as redis_service
from chat.services.accounts import Accounts
from chat.services.dynamodb import Storage
from chat.services.sessions import Sessions


@dataclass(frozen=True)
class Services:
    """Every service of one app, for the edges: `chat.blueprints.guard.services()` finds it."""

    config: Config
    storage: Storage
    redis: Redis
    sessions: Sessions
    accounts: Accounts


def create_services(config: Config) -> Services:
    """The services of one process, wired to each other. Connects lazily: nothing is asked of Redis or DynamoDB yet."""
    storage = Storage.connect(config)
    redis = redis_service.connect(config.redis_url)
    sessions = Sessions(redis, ttl_s=config.session_ttl_s, max_age_s=config.session_max_age_s)
    accounts = Accounts(storage, sessions, redis, config)
    return Services(config, storage, redis, sessions, accounts)


def create_app(config: Config | None = None) -> Flask:
    """The Flask application, ready to serve. Raises: ConfigError with every missing or unsafe setting."""
    config = config or Config.from_env()
    app = Flask("chat", static_folder=None)
    app.config.update(
        SECRET_KEY=config.secret_key,
        MAX_CONTENT_LENGTH=64 * 1024,
        PERMANENT_SESSION_LIFETIME=timedelta(seconds=config.session_ttl_s),
        SESSION_COOKIE_NAME=config.cookie_name,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=config.secure,
        SESSION_COOKIE_PATH="/",
    )
    services = create_services(config)
    app.extensions["parley"] = services
    app.session_interface = StoredSessionInterface(app, services.sessions)
    guard.register(app)
    errors.register(app)
    for blueprint in (auth.bp, health.bp, frontend.bp):
        app.register_blueprint(blueprint)
    cli.register(app)
    return app
