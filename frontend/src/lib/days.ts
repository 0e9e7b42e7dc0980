/** Whether two moments are on the same day where this browser stands. */
export const sameDate = (a_ms: number, b_ms: number): boolean =>
  new Date(a_ms).toDateString() === new Date(b_ms).toDateString();
