"""Signs out: deletes a session in Redis, and reads nothing. The chat servers hear of it by Redis's key events, and by
their sweep within a second."""

from __future__ import annotations

from functools import lru_cache

from chat.lambdas.http import Answer, Request, config, function
from chat.services.accounts import cookies
from chat.services.accounts.audit import note
from chat.services.sessions.sessions import Sessions
from chat.services.storage import redis_client


@lru_cache(maxsize=1)
def sessions() -> Sessions:
    """The service of this function; made when it is first called."""
    settings = config()
    return Sessions(redis_client.connect(settings.redis_url), settings.session_ttl_s, settings.session_max_age_s)


def logout(request: Request) -> Answer:
    """204, and the cookie is taken back; also when there is no session."""
    sid = request.cookie(config().cookie_name)
    sessions().end(sid, "logout")
    if sid:
        note("logout", address=request.address, outcome="ok")
    return Answer(204, cookies=[cookies.no_session_cookie(config())])


handler = function(logout, "POST")
