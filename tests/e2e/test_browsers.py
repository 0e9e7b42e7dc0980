"""Three browsers at work for a moment (the long form is `make browsers`), and each difference that must be found."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from tests.e2e.browsers import acts, checker
from tests.e2e.browsers.acts import Scene
from tests.e2e.browsers.checker import Log, Look, Row, Sent, Shown, judge
from tests.e2e.browsers.run import COULD_NOT, GROWTH, TAMPER, TROUBLE, WRONG, Run
from tests.seeds import drawn

ACTS = 25


@pytest.fixture(scope="module")
def run(two_workers, browser, tmp_path_factory):
    """Three people who have sat down."""
    this = Run(two_workers, browser, drawn(), strikes=False, out=tmp_path_factory.mktemp("browsers"))
    this.sit_down(history=40)
    yield this
    this.leave()


def test_what_three_people_see_at_work_is_what_the_service_tells_them(run):
    for _ in range(ACTS):
        run.act()
    run.look()
    assert run.findings == [], run.story()


def test_what_a_page_shows_or_does_that_it_should_not_is_found(run):
    """Planted: other words in a bubble, an act that the page does not let happen, an error, a fetch, growth."""
    desk = run.desks[1]
    tab = desk.tabs[0]
    desk.clear(tab)
    desk.go(tab, "general")
    run.perform(acts.write, desk, tab, Random(0))
    run.rest()
    tab.evaluate(TAMPER)
    assert {finding.kind for finding in judge(run.seen())} & {checker.DIFFERENT, checker.DISAGREE}
    tab.evaluate("console.error('boom'); fetch('http://127.0.0.1:9/').catch(() => {}); document.activeElement.blur()")
    run.rough.clear()
    run.perform(presses_what_is_not_there, desk, tab, Random(0))
    run.perform(loses_the_focus, desk, tab, Random(0))
    run.weigh(grown=False)
    tab.evaluate("document.querySelector('main').append(...Array.from({ length: 9000 }, () => new Text('x')))")
    run.weigh(grown=True)
    run.troubles()
    found = [str(finding) for finding in run.findings]
    for planted in ("boom", "Connecting to 'http://127.0.0.1:9/'", "Press me", "on <body>", "nodes"):
        assert any(planted in each for each in found), planted
    assert {finding.kind for finding in run.findings} == {COULD_NOT, WRONG, TROUBLE, GROWTH}
    assert len(list(run.out.glob("*.png"))) == len(list(run.out.glob("*.txt"))) == len(found)


def presses_what_is_not_there(scene: Scene) -> None:
    scene.tab.get_by_role("button", name="Press me").click(timeout=200)


def loses_the_focus(scene: Scene) -> None:
    scene.tab.evaluate("document.activeElement.blur()")
    scene.gives_focus_back("a planted blur")


ROWS = {seq: Row(seq, "Ada", f"line {seq}") for seq in range(2, 8)}
LOG = Log("grace", "talk", ROWS, {seq: ("ada", f"c{seq}") for seq in ROWS}, tuple(range(1, 8)), 4, 3, False)
PAGE = Shown("Grace at the phone", "grace", "talk", tuple(ROWS[seq] for seq in range(3, 8)), to_end=True)
SENT = Sent("ada", "talk", "c5", {"line 5"})


def look(*pages: Shown, log: Log = LOG, sent: Sent = SENT, badge: str = "3", **more) -> Look:
    badges = {("Grace at the phone", "grace"): {"talk": badge}}
    return Look(list(pages or [PAGE]), {("grace", "talk"): log}, [sent], badges, **more)


def test_nothing_is_found_where_all_is_well():
    assert judge(look()) == []
    assert judge(look(PAGE, replace(PAGE, page="Ada at the desktop", rows=PAGE.rows[:2], to_end=False))) == []


def shows(*rows: Row, **more) -> Shown:
    return replace(PAGE, rows=rows, **more)


row = ROWS.__getitem__
DIFFERENCES = {
    "a message is missing": (look(shows(row(3), row(5), row(6), row(7))), checker.MISSING),
    "the newest is missing": (look(shows(row(5), row(6))), checker.MISSING),
    "the first is missing": (look(replace(PAGE, from_start=True)), checker.MISSING),
    "nothing is shown": (look(shows(from_start=True)), checker.MISSING),
    "a message that nobody sent": (look(shows(*PAGE.rows, Row(9, "Ada", "ghost"))), checker.STRANGE),
    "other words": (look(shows(*PAGE.rows[:4], replace(row(7), text="line x"))), checker.DIFFERENT),
    "another author": (look(shows(*PAGE.rows[:4], replace(row(7), name="Kim"))), checker.DIFFERENT),
    "deleted, and still there": (look(shows(*PAGE.rows[:4], replace(row(7), deleted=True))), checker.DIFFERENT),
    "not said to be edited": (look(shows(*PAGE.rows[:4], replace(row(7), edited=True))), checker.DIFFERENT),
    "a reply to nothing": (look(shows(*PAGE.rows[:4], replace(row(7), replies=True))), checker.DIFFERENT),
    "a reaction": (look(shows(*PAGE.rows[:4], replace(row(7), reactions=(("👍", 1),)))), checker.DIFFERENT),
    "whose it is": (look(shows(*PAGE.rows[:4], replace(row(7), mine=frozenset("👍")))), checker.DIFFERENT),
    "another order": (look(shows(row(4), row(3), *PAGE.rows[2:])), checker.DISORDERED),
    "twice": (look(shows(*PAGE.rows, row(7))), checker.DOUBLED),
    "no receipt": (look(replace(PAGE, waiting=("sending: 'hm'",))), checker.WAITING),
    "a room that is not theirs": (look(replace(PAGE, room="secret")), checker.STRANGE),
    "two pages": (look(PAGE, shows(replace(row(5), text="x"), page="Ada at the desktop")), checker.DISAGREE),
    "sent and lost": (look(sent=replace(SENT, client_id="c99")), checker.LOST),
    "sent, and it says something else": (look(sent=replace(SENT, texts={"line 5!"})), checker.LOST),
    "deleted, and back": (look(sent=replace(SENT, texts={None})), checker.LOST),
    "stored twice": (look(log=replace(LOG, authors={**LOG.authors, 6: ("ada", "c5")})), checker.DOUBLED),
    "a reaction that is gone": (look(wishes={("grace", "talk", "c5", "👍"): True}), checker.LOST),
    "the sidebar counts another number": (look(badge="2"), checker.UNREAD),
    "the service counts another number": (look(log=replace(LOG, unread=2), badge="3"), checker.UNREAD),
}


@pytest.mark.parametrize("what", DIFFERENCES)
def test_each_difference_is_found(what):
    seen, kind = DIFFERENCES[what]
    assert kind in {finding.kind for finding in judge(seen)}


def test_every_kind_of_difference_is_planted():
    assert {kind for _, kind in DIFFERENCES.values()} == set(checker.KINDS)


def test_what_is_deleted_or_changed_while_the_server_was_away_may_be_either():
    assert judge(look(sent=replace(SENT, texts={None, "line 5", "line five"}))) == []
