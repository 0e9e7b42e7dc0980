"""Two chats to be looked at: one that somebody has just opened, and one that has been lived in."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import boto3

from chat.services.storage.values import pack
from tests.e2e.parley import PASSWORD, Parley, Person, new_id
from tests.e2e.peer import Peer
from tests.runtime.running import until

DAY_MS = 24 * 60 * 60 * 1000
SETTINGS = {"REGISTRATIONS_PER_ADDRESS": "1000", "SENDS_PER_USER": "100000", "SOCKETS_PER_USER": "200"}

ME = "Olivia"
LONG_NAMES = ("Bartholomew.Fitzgerald-Montagu", "Donaudampfschifffahrtskapitänin")
SCRIPTS = ("محمد", "ליאורה", "山田太郎", "김민준", "Ngọc")
OTHERS = ("Ben", "Åsa", *LONG_NAMES, *SCRIPTS, "Zoë", "Sven", "Ada", "Grace", "Io")
LONG_ROOM = "Spring campaign 2027 - landing pages and e-mails"
UNBROKEN_ROOM = "Rindfleischetikettierungsüberwachungsaufgaben-26"
ROOMS = (
    *("Announcements", "Back office", "Coffee", "Customers of the north", "Data", "Events 2027", "Finance", "Garden"),
    *(LONG_ROOM, "Office keys", "Press", "Release 4.2", "Travel", "غرفة الاجتماعات", "設計と研究", "회의실"),
)
PRIVATE_ROOMS = ("Leadership", "Salaries and other things nobody talks about")
JOINABLE = ("Book club", "Chess", "Five-a-side on Thursdays", UNBROKEN_ROOM, "نادي القراءة", "読書会", "Running")
UNREAD = {"Announcements": 1, "Coffee": 12, LONG_ROOM: 3, "Press": 120, "設計と研究": 7, "Leadership": 2}

REACTED = "Lunch at one? The place by the river has the soup again."
MINE = "I would keep the old colour. It has been ours for ten years, and nobody has ever asked for another."
FAR_BACK = "The first sketch is on the wall beside the kitchen."
CODE = """def settle(message):
    if message.author != user:
        return  # somebody else's
    outbox.remove(message.client_id)
$ redis-cli -u "$REDIS_URL" --scan --pattern 'session:*' | xargs -n 1 redis-cli -u "$REDIS_URL" TTL # a long line"""
LONG_LINK = "https://example.org/reports/2027/quarter-1/north/" + "very-long-part/" * 8 + "?filter=all&sort=newest"
LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
NUMBERS = "Numbers: https://example.org/reports/2027?q=north (from the new dashboard)."
WORDS = (
    ("محمد", "مرحباً بالجميع! هل قرأتم التقرير الجديد؟ الرابط هنا: https://example.org/تقرير/2027 وفيه 12 صفحة."),
    ("ליאורה", "שלום, ראיתי. אפשר להתחיל ב-10:30? ‏Release 4.2 מוכן."),
    ("山田太郎", "了解しました。会議は午後三時から、場所は設計と研究の部屋です。" * 2),
    ("김민준", "네, 확인했습니다. 내일까지 정리해서 공유하겠습니다."),
    ("Ngọc", "Chúng tôi đã sửa xong lỗi hôm qua, cảm ơn mọi người!"),
    ("Sven", "Ελληνικά, кириллица, Zürich, Łódź, Reykjavík, Đà Nẵng."),
    ("Zoë", "🎉🚀👩‍💻"),
    ("Ada", "Thumbs 👍🏽 flags 🇸🇪🇯🇵 families 👨‍👩‍👧‍👦 and hearts ❤️ in a sentence, with ✓ ★ → and ½."),
)
PARAGRAPH = (
    "We talked to eleven people who use it every day. Nine of them open it before anything else in the morning, seven "
    "leave it open until they go home, and not one of them could say what the green dot is for. "
)


LINUX, PHONE = "(X11; Linux x86_64)", "(iPhone; CPU iPhone OS 18_5 like Mac OS X)"
DEVICES = {
    "desk": f"Mozilla/5.0 {LINUX} AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    "phone": f"Mozilla/5.0 {PHONE} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    "other": f"Mozilla/5.0 {LINUX[:-1]}; rv:140.0) Gecko/20100101 Firefox/140.0",
}


class Sample:
    """A product with somebody in it. `rooms` has the rooms' ids by their names, `seqs` messages' numbers by texts."""

    def __init__(self, parley: Parley):
        self.parley = parley
        self.people: dict[str, Person] = {}
        self.rooms: dict[str, str] = {"General": "general"}
        self.seqs: dict[str, int] = {}
        self.me = self.person(ME)

    def person(self, name: str) -> Person:
        person = self.people[name] = Person(self.parley, name)
        status, answer = person.post("/api/auth/register", username=name, password=PASSWORD)
        assert status == 201, answer
        person.sign_in()
        return person

    def session(self, device: str) -> Person:
        """Me, signed in once more on such a device."""
        me = Person(self.parley, ME)
        body = {"username": ME, "password": PASSWORD}
        status, answer = me.request("POST", "/api/auth/login", body, {"User-Agent": DEVICES[device]})
        assert status == 200, answer
        return me

    def room(self, name: str, owner: Person, members: Iterable[Person] = (), kind: str = "public") -> str:
        status, answer = owner.post("/api/rooms", client_id=new_id(), name=name, kind=kind)
        assert status == 201, answer
        room = self.rooms[name] = answer["room"]["room"]
        for member in members:
            body = {"client_id": new_id(), "username": member.user}
            assert owner.post(f"/api/rooms/{quote(room)}/invite", **body)[0] == 204
        return room

    def say(self, room: str, author: str, text: str, reply_to: str | None = None) -> int:
        body = {"client_id": new_id(), "text": text}
        number = {"reply_to": self.seqs[reply_to]} if reply_to else {}
        status, answer = self.people[author].post(f"/api/rooms/{quote(self.rooms[room])}/messages", **body, **number)
        assert status == 201, answer
        seq = self.seqs[text] = answer["message"]["seq"]
        return seq


def empty(parley: Parley) -> Sample:
    """Somebody is the first in a new chat, and has made a room."""
    sample = Sample(parley)
    sample.room("Design", sample.me)
    assert sample.me.post("/api/auth/logout")[0] == 204
    return sample


def full(parley: Parley) -> Sample:
    """Many people with the names that people have, many rooms, and all that a message can be."""
    sample = Sample(parley)
    for name in OTHERS:
        sample.person(name)
    others = [sample.people[name] for name in OTHERS]
    ben, me = sample.people["Ben"], sample.me
    for name in ROOMS:
        sample.room(name, ben, [me])
    for name in PRIVATE_ROOMS:
        sample.room(name, ben, [me], kind="private")
    for name in JOINABLE:
        sample.room(name, ben)
    sample.room("Design", me, others)
    sample.room("Languages", ben, [me, *others])
    sample.room("Handbook", ben, [me, *others])
    sample.room("Support", ben, [me])
    for device in DEVICES:
        sample.session(device)
    _say_much(sample)
    _look_back(sample)
    _read(sample, leaving={**UNREAD, "Support": 60})
    return sample


def _say_much(sample: Sample) -> None:
    say = sample.say
    say("General", "Ben", "Good morning, everybody. The coffee machine is mended.")
    for number in range(30):
        author = ("Ben", "Åsa", LONG_NAMES[0])[number % 3]
        say("Design", author, f"Draft {number + 1}: a little less blue than the last.")
    say("Design", "Åsa", FAR_BACK)
    for number in range(30, 60):
        say("Design", ("Ben", "Ben", ME)[number % 3], f"Draft {number + 1}: a little more blue than the last.")
    say("Design", LONG_NAMES[1], PARAGRAPH)
    say("Design", "Ben", NUMBERS, reply_to=PARAGRAPH)
    say("Design", "Åsa", "This will be gone in a moment.")
    say("Design", "山田太郎", "青の方が落ち着いて見えます。")
    say("Design", "Ben", REACTED)
    say("Design", ME, "I am in.", reply_to=REACTED)
    say("Design", "محمد", "أنا أيضاً، أراكم هناك في الواحدة.")
    say("Design", ME, MINE)

    for author, text in WORDS:
        say("Languages", author, text)

    say("Handbook", "Ben", PARAGRAPH * 4)
    say("Handbook", "Ben", CODE)
    say("Handbook", "Åsa", LONG_LINK)
    say("Handbook", LONG_NAMES[1], LONG_WORD * 3)
    say("Handbook", "Ben", "\n".join(f"{number}. A step of a long list." for number in range(1, 31)))
    say("Handbook", "Grace", "Short.")

    for room, unread in {**UNREAD, "Support": 60}.items():
        for number in range(unread):
            say(room, "Ben", f"Ticket {4_000 + number}: it does not do what the page says. Who can have a look?")
    _answer(sample)


def _answer(sample: Sample) -> None:
    """Reactions, an edit, a deletion, a row of a script, and who came and went."""
    room, seqs = sample.rooms["Design"], sample.seqs
    for name, emojis in (("Ben", "👍❤"), ("Åsa", "👍🎉"), (LONG_NAMES[0], "👍👀"), ("Grace", "👍"), (ME, "🎉🔥")):
        with Peer(sample.people[name], follow=False) as peer:
            for emoji in emojis:
                ask(peer, "reaction:add", room=room, seq=seqs[REACTED], emoji=emoji)
            if name == "Åsa":
                ask(peer, "message:delete", room=room, seq=seqs["This will be gone in a moment."])
            if name == LONG_NAMES[0]:
                ask(peer, "reaction:add", room=room, seq=seqs[PARAGRAPH], emoji="💯")
            if name == ME:
                ask(peer, "message:edit", room=room, seq=seqs[MINE], text=MINE)
                ask(peer, "message:edit", room=room, seq=seqs["I am in."], text="I am in, ten past at the latest.")
    assert sample.people["Io"].act(room, "leave")[0] == 204
    row = {"room": room, "id": new_id(), "username": "ci", "text": "Deploy 4.2 is done: 214 files, 38 s."}
    table(sample.parley).put_item(TableName="messages", Item=pack(row))
    until(lambda: "Deploy 4.2" in sample.me.page(room)["messages"][-1]["text"], 10, "the row is a message")


def ask(peer: Peer, event: str, **payload: Any) -> None:
    answer = peer.emit(event, {"client_id": new_id(), **payload})
    assert answer.get("ok"), (event, answer)


def _look_back(sample: Sample) -> None:
    """Makes a part of what was said in Design older, by days."""
    client, room = table(sample.parley), sample.rooms["Design"]
    newest = sample.seqs[PARAGRAPH]
    for seq in range(1, newest):
        days = 40 if seq < newest - 45 else 3 if seq < newest - 20 else 1
        at_ms = int(time.time() * 1000) - days * DAY_MS - (newest - seq) * 90_000
        client.update_item(
            TableName="messages",
            Key=pack({"room": f"R#{room}#0", "id": f"{seq:012d}"}),
            UpdateExpression="SET at_ms = :at",
            ConditionExpression="attribute_exists(id)",
            ExpressionAttributeValues=pack({":at": at_ms}),
        )


def _read(sample: Sample, leaving: dict[str, int]) -> None:
    """Olivia has read all but so many of the newest messages of these rooms."""
    status, answer = sample.me.get("/api/rooms")
    assert status == 200
    with Peer(sample.me, follow=False) as peer:
        for room in answer["rooms"]:
            seq = room["head"] - leaving.get(room["name"], 0)
            assert peer.emit("room:read", {"room": room["room"], "seq": seq})["ok"]


def table(parley: Parley) -> Any:
    """DynamoDB as somebody with the keys to it has it."""
    text = Path(parley.told["AWS_SHARED_CREDENTIALS_FILE"]).read_text()
    keys = dict(re.findall(r"^\s*(aws_\w+)\s*=\s*(\S+)", text, re.MULTILINE))
    endpoint = parley.told["DYNAMODB_ENDPOINT"]
    return boto3.Session().client("dynamodb", region_name="eu-west-1", endpoint_url=endpoint, **keys)
