"""What people do in a schedule, and what the world does to them: most at random, some drawn towards a known danger."""

from __future__ import annotations

from dataclasses import dataclass, field

from chat.models import Person

ALICE, BOB, CAROL, DAVE = (Person(name.lower(), name) for name in ("Alice", "Bob", "Carol", "Dave"))
PEOPLE = (ALICE, BOB, CAROL, DAVE)
OWNERS_OWN = ("invite", "remove")


@dataclass(frozen=True)
class Scene:
    """`acts`: how often each is chosen. `people`: a page for each. `weather`: the least that goes wrong, as in Weather.
    `longest`: the most acts of a page."""

    name: str
    acts: dict[str, int]
    people: tuple[Person, ...] | None = None
    longest: int = 6
    weather: dict[str, float] = field(default_factory=dict)
    impatient: bool = False  # people ask again before the answer can be there
    latest: bool = False  # changes are of the newest message
    cuts: int = 0  # so many connections more are cut
    rows: int = 0  # so many times a row is put, changed or deleted by somebody else
    night: bool = False  # hours pass in the middle, and what was before is no longer kept
    stops: float = 0.0  # how often a worker stands still while somebody connects to it


TALK = {"send": 6, "edit": 2, "delete": 1, "read": 1, "page": 1}
RANDOM = (
    Scene("talk", TALK),
    Scene("changes", {"send": 3, "edit": 5, "delete": 2, "page": 1}),
    Scene("comings and goings", {"send": 3, "invite": 3, "remove": 3, "leave": 2, "join": 2, "page": 3}),
    Scene("everything", TALK | {"invite": 1, "remove": 1, "leave": 1, "join": 1, "page": 3}),
)
TWO_DEVICES = Scene(
    "two devices change one message",
    {"send": 1, "edit": 6, "delete": 1},
    people=(ALICE, ALICE, BOB),
    weather={"slow": 0.3, "torn": 0.3},
    latest=True,
)
REMOVAL_BETWEEN_CHANGES = Scene(
    "a removal between changes",
    {"send": 2, "edit": 5, "invite": 3, "remove": 3},
    people=(ALICE, ALICE, BOB, CAROL),
    weather={"bus_lost": 0.7},
    latest=True,
)
ASKED_AGAIN = Scene(
    "asked again and again",
    {"send": 4, "edit": 4, "remove": 3, "invite": 2},
    people=(ALICE, ALICE, BOB, CAROL),
    weather={"unanswered": 0.2, "torn": 0.8, "slow": 0.4},
    impatient=True,
)
DOORS = Scene(
    "through the door while others read",
    {"send": 4, "invite": 4, "remove": 4, "leave": 1, "page": 3},
    longest=9,
    weather={"torn": 0.8, "slow": 0.2},
    cuts=8,
)
BACK = Scene(
    "back through the history while numbers are undecided",
    {"send": 5, "page": 7},
    longest=12,
    weather={"slow": 0.6, "unanswered": 0.2},
    impatient=True,
)
IN_AND_OUT = Scene(
    "in and out, asked again and again",
    {"send": 2, "invite": 4, "remove": 4},
    people=(ALICE, ALICE, BOB, CAROL),
    longest=9,
    weather={"torn": 0.8, "slow": 0.4},
    impatient=True,
)
STANDSTILL = Scene(
    "a worker stands still while somebody connects",
    {"send": 4, "invite": 3, "remove": 4},
    people=(ALICE, ALICE, BOB, CAROL),
    longest=9,
    cuts=10,
    stops=0.5,
)
ROWS = Scene(
    "rows that others put",
    {"send": 4, "edit": 1, "page": 2},
    longest=4,
    rows=10,
    weather={"slow": 0.3},
)
NIGHT = Scene(
    "a night after which the old goes", {"send": 6, "edit": 3, "delete": 1, "remove": 1, "page": 2}, night=True
)
# Not among SCENES, whose seeds are known to find what is planted: it is played by itself.
REACTIONS = Scene(
    "reactions to one message",
    {"send": 1, "react": 6, "unreact": 4, "edit": 1, "delete": 1},
    people=(ALICE, BOB, CAROL, DAVE, BOB),
    longest=8,
    weather={"unanswered": 0.1, "torn": 0.5, "slow": 0.2},
    impatient=True,
    latest=True,
)
NOBODY_WRITES = Scene("a night after which nobody writes", {"read": 1, "page": 3, "send": 1}, longest=2, night=True)
SCENES = (
    *RANDOM,
    TWO_DEVICES,
    REMOVAL_BETWEEN_CHANGES,
    ASKED_AGAIN,
    DOORS,
    BACK,
    STANDSTILL,
    ROWS,
    ROWS,
    NIGHT,
    NOBODY_WRITES,
)
