"""Things that are due later, on one timer."""

from __future__ import annotations

import time
from types import SimpleNamespace

import gevent
import pytest

from chat.sockets.transport.fast.timer_wheel import STEP_S, TimerWheel


def turned(wheel: TimerWheel) -> None:
    """Waits until nothing is due any more."""
    with gevent.Timeout(30):
        while wheel._timer is not None:
            gevent.sleep(STEP_S)


def test_calls_come_in_the_order_in_which_they_are_due_and_never_early() -> None:
    wheel, came, began = TimerWheel(), [], time.monotonic()
    for delay in (0.3, 0.0, 0.15, 0.3):
        wheel.call(delay, lambda delay=delay: came.append((delay, time.monotonic() - began)))
    turned(wheel)
    assert [delay for delay, _ in came] == [0.0, 0.15, 0.3, 0.3]
    assert all(at >= delay for delay, at in came)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the wheels of a test take for the time, which a test moves."""
    clock = [1000.0]
    monkeypatch.setattr("chat.sockets.transport.fast.timer_wheel.time", SimpleNamespace(monotonic=lambda: clock[0]))
    return clock


@pytest.mark.parametrize("part_of_a_step", [0.0, 0.2, 0.5, 0.8, 0.99])
@pytest.mark.parametrize("delay", [0.01, 0.15, 0.3, 0.7])  # 0.15 / 0.05 is a little less than 3
def test_a_call_is_never_early_however_far_the_step_has_come(clock, part_of_a_step, delay) -> None:
    began = clock[0] = (1000 + part_of_a_step) * STEP_S
    wheel, came = TimerWheel(), []
    wheel.call(delay, lambda: came.append(clock[0]))
    wheel._timer.stop()
    while not came:
        clock[0] += STEP_S / 100
        wheel._turn()
    assert delay - 1e-9 <= came[0] - began <= delay + 2 * STEP_S


def test_a_call_may_ask_for_another() -> None:
    wheel, came = TimerWheel(), []

    def again() -> None:
        came.append(1)
        if len(came) < 3:
            wheel.call(0, again)

    wheel.call(0, again)
    turned(wheel)
    assert len(came) == 3


def test_after_a_pause_of_the_process_nothing_is_left_out(clock: list[float]) -> None:
    """Neither what was due meanwhile nor what is due later."""
    wheel, came = TimerWheel(), []
    wheel.call(0.1, lambda: came.append("meanwhile"))
    wheel.call(0.8, lambda: came.append("later"))
    wheel._timer.stop()
    clock[0] += 0.5  # without a turn, as after SIGSTOP
    wheel._turn()
    assert came == ["meanwhile"]
    clock[0] += 0.5
    wheel._turn()
    assert came == ["meanwhile", "later"]


def test_one_that_fails_does_not_take_the_others_with_it(caplog: pytest.LogCaptureFixture) -> None:
    wheel, came = TimerWheel(), []
    wheel.call(0, lambda: 1 // 0)
    wheel.call(0, lambda: came.append(1))
    turned(wheel)
    assert came == [1] and "ZeroDivisionError" in caplog.text


def test_nothing_turns_while_nothing_is_due() -> None:
    wheel = TimerWheel()
    wheel.call(0, lambda: None)
    turned(wheel)
    assert wheel._timer is None and not wheel._slots
