const TWO_DAYS_MS = 172_800_000;

/** Whether two moments are on the same day where this browser stands. */
export const sameDate = (a_ms: number, b_ms: number): boolean =>
  Math.abs(a_ms - b_ms) < TWO_DAYS_MS && new Date(a_ms).getDate() === new Date(b_ms).getDate();
