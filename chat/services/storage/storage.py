"""The tables, by noun."""

from __future__ import annotations

from typing import Final

from chat.config import Config
from chat.services.storage.claims import ClaimRows
from chat.services.storage.client import Client, Places
from chat.services.storage.entries import EntryRows
from chat.services.storage.external import ExternalRows
from chat.services.storage.rooms import RoomRows
from chat.services.storage.transaction import Transaction
from chat.services.storage.users import UserRows
from chat.services.storage.workers import WorkerRows


class Storage:
    """All access to the tables, each noun by its own file. Any method of theirs raises ChatError `unavailable` when
    DynamoDB does not answer, throttles or fails; then the outcome of a write is unknown."""

    def __init__(self, client: Client):
        self.client: Final = client
        self.transaction: Final = Transaction(client)
        self.users: Final = UserRows(client)
        self.entries: Final = EntryRows(client)
        self.claims: Final = ClaimRows(client)
        self.rooms: Final = RoomRows(client)
        self.external: Final = ExternalRows(client)
        self.workers: Final = WorkerRows(client)

    @classmethod
    def connect(cls, config: Config, places: Places | None = None) -> Storage:
        """A storage on `config.dynamodb_endpoint`, or on AWS (see Client.connect)."""
        return cls(Client.connect(config, places))
