"""The schedule leaves no fault out, blames one at a time first, and is the same again for the same seed."""

from __future__ import annotations

from itertools import islice

import pytest

from tests.faults.faults import FAULTS
from tests.faults.schedule import HOLD_S, Window, again, windows


def first(number: int, seed: int) -> list[Window]:
    return list(islice(windows(seed), number))


@pytest.mark.parametrize("seed", range(50))
def test_every_fault_has_a_window_of_its_own_and_then_company(seed: int) -> None:
    alone, together = first(16, seed), first(24, seed)[16:]
    assert sorted(window.name for window in alone) == sorted(fault.name for fault in FAULTS)
    for window in together:
        one, other = window.faults
        assert one.target != other.target
    assert all(HOLD_S[0] <= window.hold_s <= HOLD_S[1] for window in alone + together)


def test_the_same_seed_is_the_same_schedule_and_another_is_another() -> None:
    def told(seed: int) -> list[tuple[str, float, float]]:
        return [(window.name, window.hold_s, window.dice.random()) for window in first(60, seed)]

    assert told(1) == told(1) != told(2)
    assert len({window.number for window in first(60, 1)}) == 60


def test_what_is_struck_again_is_alone_has_a_number_of_its_own_and_replays() -> None:
    def told() -> list[tuple[int, str, float]]:
        return [(window.number, window.name, window.dice.random()) for window in again(1, ["F1", "F1", "F4"])]

    assert told() == told()
    assert [name[:2] for name in told()] == [(-1, "F1"), (-2, "F1"), (-3, "F4")]
    assert len({drawn for _, _, drawn in told()}) == 3


def test_only_a_window_with_nothing_to_heal_is_timed_from_its_strike() -> None:
    by_name = {window.name: window for window in first(16, 1)}
    assert [name for name, window in sorted(by_name.items()) if window.instant] == ["F1", "F16"]
    killed, emptied = by_name["F1"].faults[0], by_name["F4"].faults[0]
    assert not Window(1, (killed, emptied), 3.0, by_name["F1"].dice).instant


def test_in_the_long_form_a_fault_stays_longer_now_and_then_and_a_cut_for_up_to_a_minute() -> None:
    windows_of_an_hour = [window for seed in range(20) for window in islice(windows(seed, long=True), 300)]
    longest: dict[str, float] = {}
    for window in windows_of_an_hour:
        longest[window.name] = max(longest.get(window.name, 0), window.hold_s)
    assert longest["F5"] == 20 and 40 < longest["F10"] <= 60
    assert {min(60.0 if name == "F10" else 20.0, held) for name, held in longest.items()} == set(longest.values())
    assert sum(window.hold_s >= 20 for window in windows_of_an_hour) < 0.15 * len(windows_of_an_hour)
    assert max(window.hold_s for window in islice(windows(1), 300)) <= HOLD_S[1]
