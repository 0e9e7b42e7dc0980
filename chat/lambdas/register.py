"""Makes an account: `dynamodb:PutItem` on the table of users, and nothing else. API Gateway bounds how often."""

from __future__ import annotations

from functools import lru_cache

from chat.lambdas.http import Answer, Request, config, function
from chat.services.accounts.passwords import Passwords
from chat.services.accounts.registration import Registration
from chat.services.storage.client import Client
from chat.services.storage.users import UserRows


@lru_cache(maxsize=1)
def registration() -> Registration:
    """The service of this function; made when it is first called."""
    settings = config()
    users = UserRows(Client.connect(settings))
    return Registration(users, Passwords(settings.bcrypt_cost, settings.bcrypt_queue), limit=None)


def register(request: Request) -> Answer:
    """`{username, password}` → 201 `{user}`."""
    fields = request.fields(username=str, password=str)
    user = registration().register(fields["username"], fields["password"], request.address)
    return Answer(201, {"user": user.public()})


handler = function(register, "POST")
