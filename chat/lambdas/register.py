"""Makes an account: `dynamodb:PutItem` on the table of users, and nothing else. API Gateway bounds how often."""

from __future__ import annotations

from functools import lru_cache

from chat.lambdas.http import Answer, Request, config, function
from chat.services.accounts.passwords import Passwords
from chat.services.accounts.registration import Registration
from chat.services.storage.client import Client
from chat.services.storage.users import UserRows
from chat.wire import reading
from chat.wire.bodies import Register


@lru_cache(maxsize=1)
def registration() -> Registration:
    """The service of this function; made when it is first called."""
    settings = config()
    users = UserRows(Client.connect(settings))
    return Registration(users, Passwords(settings.bcrypt_cost, settings.bcrypt_queue), limit=None)


def register(request: Request) -> Answer:
    """`{username, password}` → 201 `{user}`."""
    body = reading.read_json(Register, request.content_type, request.content)
    user = registration().register(body.username, body.password, request.address)
    return Answer(201, {"user": user.public()})


handler = function(register, "POST")
