/** Time and chance, passed in so that tests hold them. */
export interface Clock {
  now_ms(): number;
  /** Runs `act` once after `delay_ms`; the answer cancels it. */
  after(delay_ms: number, act: () => void): () => void;
  /** 0 ≤ x < 1 */
  random(): number;
}

export const realClock: Clock = {
  now_ms: () => Date.now(),
  after(delay_ms, act) {
    const timer = setTimeout(act, delay_ms);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};

/** Between 50 % and 150 % of `delay_ms`, so that many clients do not come back at the same moment. */
export const jittered = (clock: Clock, delay_ms: number): number => delay_ms * (0.5 + clock.random());

/** 0.5 s, 1 s, 2 s … up to 15 s, with jitter. */
export function backoff_ms(clock: Clock, attempt: number): number {
  return jittered(clock, Math.min(15_000, 500 * 2 ** Math.min(attempt, 10)));
}
