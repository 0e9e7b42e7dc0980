"""Signs in: `dynamodb:GetItem` on the table of users; in Redis it writes sessions, counts tries, and
reads no session."""

from __future__ import annotations

import time
from functools import lru_cache

from chat.errors import ConfigError
from chat.http import described
from chat.lambdas.http import Answer, Request, config, function
from chat.services.accounts import cookies
from chat.services.accounts.accounts import Accounts
from chat.services.accounts.passwords import Passwords
from chat.services.limits.limits import Limits
from chat.services.sessions.sessions import Sessions
from chat.services.storage import redis_client
from chat.services.storage.client import Client
from chat.services.storage.users import UserRows
from chat.wire import reading
from chat.wire.bodies import Login


@lru_cache(maxsize=1)
def accounts() -> Accounts:
    """The service of this function; made when it is first called. Raises: ConfigError without a secret key."""
    settings = config()
    if problems := settings.lacks_secret():
        raise ConfigError(problems)
    redis = redis_client.connect(settings.redis_url)
    lives_s = settings.session_ttl_s, settings.session_max_age_s
    sessions = Sessions(redis, *lives_s, kept_ttl_s=settings.session_kept_ttl_s)
    passwords = Passwords(settings.bcrypt_cost, settings.bcrypt_queue)
    users = UserRows(Client.connect(settings))
    return Accounts(users, sessions, passwords, Limits(redis, settings), None, settings)


def login(request: Request) -> Answer:
    """`{username, password, remember?}` → `{user, session}` and its cookie."""
    body = reading.read_json(Login, request.content_type, request.content)
    known = request.cookie(cookies.browser_name(config()))
    device = request.headers.get("user-agent", "")
    remember = bool(body.remember)
    session = accounts().login(body.username, body.password, request.address, device, known, remember)
    if former := request.cookie(config().cookie_name):
        accounts().replace(former)
    known = accounts().known_browser(session)
    lives_s = session.lives_s(time.time())
    sent = [cookies.session_cookie(config(), session.sid, lives_s), cookies.browser_cookie(config(), known)]
    return Answer(200, described(session), cookies=sent)


handler = function(login, "POST")
