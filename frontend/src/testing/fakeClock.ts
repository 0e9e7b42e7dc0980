import type { Clock } from "@/lib/clock";

/** A clock that stands still until told to go on. `random` is always a half, so jitter is none. */
export function fakeClock(start_ms = 1_790_000_000_000) {
  let now_ms = start_ms;
  let timers: { at_ms: number; act: () => void }[] = [];
  const clock: Clock = {
    now_ms: () => now_ms,
    after(delay_ms, act) {
      const timer = { at_ms: now_ms + delay_ms, act };
      timers.push(timer);
      return () => (timers = timers.filter((other) => other !== timer));
    },
    random: () => 0.5,
  };
  return {
    clock,
    pending: () => timers.length,
    /** Runs what falls due within `by_ms`, in order, and lets promises settle in between. */
    async go(by_ms: number) {
      const until = now_ms + by_ms;
      await settled();
      for (;;) {
        const due = timers.filter(({ at_ms }) => at_ms <= until).sort((a, b) => a.at_ms - b.at_ms)[0];
        if (!due) break;
        timers = timers.filter((timer) => timer !== due);
        now_ms = Math.max(now_ms, due.at_ms);
        due.act();
        await settled();
      }
      now_ms = until;
    },
  };
}

/** Lets every promise that can settle do so: microtasks, and the turns that fake-indexeddb takes. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 12; turn += 1) await new Promise((resolve) => setTimeout(resolve, 0));
}
