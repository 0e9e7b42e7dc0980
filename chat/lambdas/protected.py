"""Says who is signed in: reads a session and its person's epoch in Redis. It never makes a session last longer."""

from __future__ import annotations

from functools import lru_cache

from redis import Redis

from chat.errors import ChatError, ConfigError
from chat.http import check_user, described
from chat.lambdas.http import Answer, Request, config, function
from chat.services.accounts.tickets import Tickets
from chat.services.sessions.sessions import Sessions
from chat.services.storage import redis_client


@lru_cache(maxsize=1)
def redis() -> Redis:
    """The way to Redis; made when it is first needed."""
    return redis_client.connect(config().redis_url)


@lru_cache(maxsize=1)
def sessions() -> Sessions:
    """The service of this function."""
    lives_s = config().session_ttl_s, config().session_max_age_s
    return Sessions(redis(), *lives_s, kept_ttl_s=config().session_kept_ttl_s)


@lru_cache(maxsize=1)
def tickets() -> Tickets:
    """The tickets for a chat server of another site. Raises: ConfigError without the key that both share."""
    if problems := config().lacks_secret():
        raise ConfigError(problems)
    return Tickets(redis(), sessions(), config().secret_key)


def protected(request: Request) -> Answer:
    """`{user, session}`, or 401."""
    session = sessions().read(request.cookie(config().cookie_name))
    if session is None:
        raise ChatError("unauthenticated")
    check_user(session, request.headers.get("x-parley-user"))
    across = config().cookie_mode == "cross_site"
    return Answer(200, described(session) | ({"ticket": tickets().issue(session)} if across else {}))


handler = function(protected, "GET")
