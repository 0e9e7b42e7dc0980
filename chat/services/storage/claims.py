"""Claims: the proof that a request was carried out. `chat`: `C#<user>`/client_id."""

from __future__ import annotations

from botocore.exceptions import ClientError

from chat.errors import ChatError
from chat.models import Claim
from chat.services.storage.client import CONDITION_FAILED, CONFLICT, Client
from chat.services.storage.facts import AppendRefused, Fact, put_new
from chat.services.storage.rows import Row
from chat.services.storage.values import unpack


def claim_key(user: str, client_id: str) -> Row:
    """Where a claim lies."""
    return {"pk": f"C#{user}", "sk": client_id}


def claim_row(claim: Claim) -> Row:
    """A claim as a row."""
    return claim_key(claim.user, claim.client_id) | {
        "room": claim.room,
        "digest": claim.digest,
        "seq": claim.seq,
        "message": claim.message,
        "expires_at": claim.expires_at,
        "generation": claim.generation or None,
    }


def read_claim(row: Row) -> Claim:
    """The claim that a row records."""
    return Claim(
        row["pk"].removeprefix("C#"),
        row["sk"],
        row["room"],
        row["digest"],
        row["seq"],
        row.get("message"),
        generation=row.get("generation", 0),
    )


def claim_fact(claim: Claim) -> Fact:
    """The request is carried out with this append, and never was before."""

    def before(row: Row | None) -> AppendRefused:
        return AppendRefused(claims=(read_claim(row),) if row else ())

    return Fact((put_new("chat", claim_row(claim)),), before)


class ClaimRows:
    """The rows of claims."""

    def __init__(self, client: Client):
        self._client = client

    def put(self, claim: Claim) -> Claim | None:
        """Records a request that changed nothing. Returns the claim that stood there already, if one did.

        Raises: ChatError `unavailable` also when the same request is being carried out just now.
        """
        try:
            self._client.write(put_new("chat", claim_row(claim)))
        except ClientError as error:
            if error.response["Error"]["Code"] == CONFLICT:
                raise ChatError("unavailable", retry_after_s=1) from error
            if error.response["Error"]["Code"] != CONDITION_FAILED:
                raise
            return read_claim(unpack(error.response["Item"]))
        return None

    def get(self, user: str, client_id: str) -> Claim | None:
        """What a request of that user became, or None when it was never carried out."""
        item = self._client.get("chat", claim_key(user, client_id))
        return read_claim(item) if item else None
