"""Appends: an entry with its proof and what else is stored with it, in one transaction, and why that was refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from chat.models import CheckpointMove, Claim, Entry, Message
from chat.services.storage import claims, entries, external
from chat.services.storage.client import CONFLICT, Client
from chat.services.storage.facts import AppendRefused, Fact
from chat.services.storage.values import unpack

MAX_ITEMS = 100  # in one TransactWriteItems
MAX_PROOFS = 90  # in one append, with what else it writes

Proof = Claim | CheckpointMove | tuple[Claim, ...]


class Append:
    """An entry to be stored with the proof that it was: all of it, or nothing.

    The proof is the claim of a person's request, or of several people's, at most MAX_PROOFS and none twice; or the
    checkpoint of a row that somebody put. `snapshot` is the message sent or, with `replaces_rev`, the new snapshot of
    an older one whose `rev` must still be that and which must not be deleted. `facts` are what nouns store with it.
    `writes` is all that, each write with the fact that it belongs to; `items` are the names of what they write. Raises:
    ValueError when it is more than a transaction takes, or writes an item twice.
    """

    def __init__(
        self,
        entry: Entry,
        proof: Proof,
        snapshot: Message | None = None,
        replaces_rev: int | None = None,
        facts: tuple[Fact, ...] = (),
    ):
        self.entry = entry
        proofs = proof if isinstance(proof, tuple) else (proof,)
        stored = [claims.claim_fact(one) if isinstance(one, Claim) else external.checkpoint_fact(one) for one in proofs]
        own_snapshot = snapshot if entry.kind == "message" else None
        stored.append(entries.slot_fact(entry, own_snapshot))
        if snapshot is not None and own_snapshot is None:
            stored.append(entries.snapshot_fact(snapshot, replaces_rev))
        self.writes = [(write, fact) for fact in (*stored, *facts) for write in fact.writes]
        self.items = frozenset(write.item for write, _ in self.writes)
        if len(self.items) != len(self.writes) or len(self.items) > MAX_ITEMS:
            raise ValueError(f"{len(self.writes)} writes to {len(self.items)} items are no transaction")


class Transaction:
    """Stores appends, alone or several at once."""

    def __init__(self, client: Client):
        self._client = client

    def append(
        self,
        entry: Entry,
        proof: Proof,
        snapshot: Message | None = None,
        replaces_rev: int | None = None,
        facts: tuple[Fact, ...] = (),
    ) -> None:
        """Stores an entry with what belongs to it (see Append), or nothing. Raises: AppendRefused."""
        (refusal,) = self.append_each([Append(entry, proof, snapshot, replaces_rev, facts)])
        if refusal is not None:
            raise refusal

    def append_each(self, appends: Sequence[Append]) -> list[Exception | None]:
        """Stores each of these or refuses it, on its own conditions: all in one transaction, and when some are refused,
        again without them. Says of each why not (AppendRefused, or what DynamoDB finds fault with), None when it is
        stored. No two of them may have an item in common.
        """
        try:
            self._client.transact(write for append in appends for write, _ in append.writes)
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("TransactionCanceledException", CONFLICT):
                return [error] if len(appends) == 1 else [self.append_each([append])[0] for append in appends]
            ends = refusals(appends, error.response.get("CancellationReasons", []))
            left = [index for index, end in enumerate(ends) if end is None]
            again = self.append_each([appends[index] for index in left]) if left else []
            for index, end in zip(left, again, strict=True):
                ends[index] = end
            return ends
        return [None] * len(appends)


def refusals(appends: Sequence[Append], reasons: list[dict[str, Any]]) -> list[Exception | None]:
    """Reads of a cancelled transaction why it refused each append; None of one that was not in the way."""
    at = 0
    found: list[Exception | None] = []
    for append in appends:
        found.append(_refusal([fact for _, fact in append.writes], reasons[at : at + len(append.writes)]))
        at += len(append.writes)
    return found if any(found) else [AppendRefused() for _ in appends]


def _refusal(facts: list[Fact], reasons: list[dict[str, Any]]) -> AppendRefused | None:
    """What the facts of one append make of the reasons for their writes; None: none was in the way.

    Beside a conflict nothing is final: the transaction that is under way may be this very request's, whose proof is not
    to be seen yet while others of its rows are in the way already.
    """
    codes = {reason.get("Code", "None") for reason in reasons}
    if codes <= {"None"}:
        return None
    refused = AppendRefused()
    for fact, reason in zip(facts, reasons, strict=False):
        if reason.get("Code") == "ConditionalCheckFailed":
            item = reason.get("Item")
            refused |= fact.refused(unpack(item) if item else None)
    return refused if codes <= {"None", "ConditionalCheckFailed"} else replace(refused, final=None)
