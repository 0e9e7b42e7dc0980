"""Reactions: what an emoji is, what a message becomes when somebody reacts to it, and how a crowd does at once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

from chat.errors import ChatError
from chat.models import Message, Room
from chat.services.bus.events import Reacted
from chat.services.bus.publisher import Publisher
from chat.services.log.append import DraftUnder, Log
from chat.services.log.idempotency import Answers, Appended, Asked
from chat.services.runtime.keyed_lock import KeyedLock
from chat.services.storage.storage import Storage
from chat.services.storage.transaction import MAX_PROOFS

MAX_EMOJI = 20  # different ones on a message
MAX_REACTIONS = 2_000  # on a message; with the longest names its row stays below the 400 KB of an item
TOLD_TOGETHER = 8  # people in one event of the bus: it stays below what an entry of it may have
MAX_NAMES = 50  # that are told of each emoji
MAX_EMOJI_BYTES = 40  # the longest that Unicode recommends, a kiss of two skin tones, has 35

# The grammar of UTS #51 ("Possible Emoji"), with blocks of symbols for the property that `re` does not know. The last
# of them has the emoji of tomorrow too.
_SYMBOL = "[©®‼⁉™ℹ←-⇿⌀-⏿Ⓜ■-➿⤴⤵⬀-⯿〰〽㊗㊙\U0001f000-\U0001f1e5\U0001f200-\U0001faff]"
_ELEMENT = (
    f"(?:[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3"
    f"|{_SYMBOL}(?:[\U0001f3fb-\U0001f3ff]|\ufe0f)?(?:[\U000e0020-\U000e007e]+\U000e007f)?)"
)
EMOJI = re.compile(f"{_ELEMENT}(?:\u200d{_ELEMENT})*")


def check_emoji(emoji: str) -> None:
    """Raises: ChatError `emoji_invalid` unless it is one emoji and nothing else."""
    if len(emoji) > MAX_EMOJI_BYTES or not EMOJI.fullmatch(emoji) or len(emoji.encode()) > MAX_EMOJI_BYTES:
        raise ChatError("emoji_invalid")


def reacted(message: Message, username: str, emoji: str) -> Message | None:
    """The message with that reaction, None when it has it already. Raises: ChatError `reactions_full`."""
    who = message.reactions.get(emoji, ())
    if username in who:
        return None
    if sum(map(len, message.reactions.values())) >= MAX_REACTIONS or (not who and len(message.reactions) >= MAX_EMOJI):
        raise ChatError("reactions_full")
    return replace(message, reactions=message.reactions | {emoji: (*who, username)})


def unreacted(message: Message, username: str, emoji: str) -> Message | None:
    """The message without that reaction, None when it has none."""
    who = message.reactions.get(emoji, ())
    if username not in who:
        return None
    others = tuple(other for other in who if other != username)
    rest = {each: people for each, people in message.reactions.items() if each != emoji or others}
    return replace(message, reactions=rest | ({emoji: others} if others else {}))


@dataclass(eq=False)
class ReactionRequest:
    """A person's request that an emoji of theirs be on a message, or not, and its answer when it has one. They may see
    the room from the entry `first` on."""

    asked: Asked
    emoji: str
    wanted: bool
    first: int = 1
    answer: Appended | ChatError | None = None

    def fulfilled(self, message: Message) -> Message | None:
        """The message as it is asked for, None when it is so already. Raises: ChatError `reactions_full`."""
        return (reacted if self.wanted else unreacted)(message, self.asked.user, self.emoji)


class Reactions:
    """Carries requests out, one append at a time for each message: what comes while one is under way goes together, as
    one entry with one snapshot and a claim for each. So a crowd costs the log a few entries, not one each, and does not
    contend with itself for the message's row."""

    def __init__(self, storage: Storage, log: Log, bus: Publisher):
        self._storage = storage
        self._log = log
        self._bus = bus
        self._waiting: dict[tuple[str, int], list[ReactionRequest]] = {}
        self._appending = KeyedLock()

    def carry_out(self, room: Room, seq: int, reaction: ReactionRequest) -> Appended:
        """Does what is asked for, once, however often it comes; then tells the devices of whoever asked.

        Whoever is interrupted leaves the others as they were: the next of them appends for all.
        Raises: ChatError `message_not_found`, `message_deleted`, `reactions_full`, and those of `Log.append`.
        """
        if seq < reaction.first:
            self._refuse([reaction], ChatError("message_not_found"))
        else:
            self._wait_for(room, seq, reaction)
        if reaction.answer is None or isinstance(reaction.answer, ChatError):
            raise reaction.answer or ChatError("unavailable")
        return reaction.answer

    def _wait_for(self, room: Room, seq: int, reaction: ReactionRequest) -> None:
        place = room.id, seq
        waiting = self._waiting.setdefault(place, [])
        waiting.append(reaction)
        try:
            with self._appending(place):
                while reaction.answer is None:
                    self._answer(room, seq, _next(waiting))
        finally:
            waiting.remove(reaction)
            if not waiting:
                del self._waiting[place]

    def _answer(self, room: Room, seq: int, reactions: Sequence[ReactionRequest]) -> None:
        """Answers at least one of these requests; none when the message became another one meanwhile."""
        try:
            old = new = _read(self._storage, room, seq)
        except ChatError as refusal:
            self._refuse(reactions, refusal)
            return
        rest = []
        for reaction in reactions:
            try:
                new = reaction.fulfilled(new) or new
                rest.append(reaction)
            except ChatError as refusal:
                self._refuse([reaction], refusal)
        try:
            answers = self._append(room, seq, rest, old, new) if rest else {}
        except ChatError as refusal:
            if refusal.retry:
                self._refuse(rest, refusal)
            return
        for reaction in rest:
            reaction.answer = answers.get(reaction.asked)
        self._tell(room, answers)

    def _append(
        self, room: Room, seq: int, reactions: Sequence[ReactionRequest], old: Message, new: Message
    ) -> Answers:
        asked = [reaction.asked for reaction in reactions]
        if new.reactions == old.reactions:
            return self._log.claims.change_nothing_for_each(room, asked, seq)
        read = iter([(old, new)])

        def judge() -> DraftUnder | None:
            before, after = next(read, None) or self._again(room, seq, reactions)
            return None if after.reactions == before.reactions else partial(self._log.draft_change, before, after)

        return self._log.append_together(room, asked, judge, seq)

    def _again(self, room: Room, seq: int, reactions: Sequence[ReactionRequest]) -> tuple[Message, Message]:
        old = new = _read(self._storage, room, seq)
        for reaction in reactions:
            new = reaction.fulfilled(new) or new
        return old, new

    def _refuse(self, reactions: Sequence[ReactionRequest], refusal: ChatError) -> None:
        """No rule of now refuses what was carried out before."""
        for reaction in reactions:
            asked, answer = reaction.asked, refusal
            try:
                done = None if refusal.retry else self._log.claims.already(asked.user, asked.client_id, asked.request)
            except ChatError as error:
                done, answer = None, error
            reaction.answer = done or answer

    def _tell(self, room: Room, answers: Answers) -> None:
        """Tells people's other devices what is theirs on the message now."""
        told: dict[int, tuple[Message, dict[str, list[str]]]] = {}
        for asked, answer in answers.items():
            if isinstance(answer, Appended) and answer.snapshot is not None:
                snapshot = answer.snapshot
                told.setdefault(snapshot.rev, (snapshot, {}))[1][asked.user] = snapshot.mine(asked.user)
        for rev, (snapshot, mine) in told.items():
            people = iter(mine.items())
            while part := dict(islice(people, TOLD_TOGETHER)):
                self._bus.publish(Reacted(room.id, room.generation, snapshot.seq, rev, part))


def who_reacted(storage: Storage, room: Room, seq: int, first: int) -> dict[str, list[str]]:
    """Emoji → the names of the first MAX_NAMES who reacted with it, told to who may see the room from the entry `first`
    on. Raises: ChatError `message_not_found`, `message_deleted`."""
    message = _read(storage, room, seq, first)
    shown = {emoji: who[:MAX_NAMES] for emoji, who in message.reactions.items()}
    names = storage.users.names({username for who in shown.values() for username in who})
    return {emoji: [names.get(username, username) for username in who] for emoji, who in shown.items()}


def _read(storage: Storage, room: Room, seq: int, first: int = 1) -> Message:
    found = storage.entries.get(room.id, seq) if seq >= max(first, room.floor) else None
    if found is None or found[1] is None:
        raise ChatError("message_not_found")
    if found[1].deleted:
        raise ChatError("message_deleted")
    return found[1]


def _next(waiting: Sequence[ReactionRequest]) -> list[ReactionRequest]:
    """The first requests without an answer, as many as one append takes: one for each request, and one for each
    person's emoji, so that none undoes another. Which of two counts, their claims tell: an old one that comes again was
    carried out before, and must not take back what was asked for since."""
    found: list[ReactionRequest] = []
    requests: set[tuple[str, str]] = set()
    emoji: set[tuple[str, str]] = set()
    for reaction in waiting:
        request, own = (reaction.asked.user, reaction.asked.client_id), (reaction.asked.user, reaction.emoji)
        if reaction.answer is None and request not in requests and own not in emoji:
            found.append(reaction)
            requests.add(request)
            emoji.add(own)
    return found[:MAX_PROOFS]
