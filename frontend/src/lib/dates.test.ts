import { afterAll, beforeAll, expect, it } from "vitest";
import { dayName } from "./dates";

const env = (globalThis as unknown as { process: { env: { TZ?: string } } }).process.env;
const before = env.TZ;
beforeAll(() => void (env.TZ = "Europe/Berlin"));
afterAll(() => {
  if (before === undefined) delete env.TZ;
  else env.TZ = before;
});

it.each([
  ["late on the day of 25 hours", "2026-10-24T12:00", "2026-10-25T23:30"],
  ["early on the day after it", "2026-10-25T12:00", "2026-10-26T00:30"],
  ["early on the day after the one of 23 hours", "2026-03-29T12:00", "2026-03-30T00:30"],
  ["on the first of a month", "2026-02-28T23:59", "2026-03-01T00:00"],
  ["on New Year's Day", "2025-12-31T00:00", "2026-01-01T23:59"],
])("%s yesterday is the day before, however long a day is", (_, then, now) => {
  const day_ms = Date.parse(then);
  expect(new Date(day_ms).getHours()).toBe(Number(then.slice(11, 13)));
  expect(dayName(day_ms, Date.parse(now))).toBe("Yesterday");
});

it.each([
  ["late on the day of 25 hours", "2026-10-23T12:00", "2026-10-25T23:30", "Friday, October 23"],
  ["early on the day after the one of 23 hours", "2026-03-28T12:00", "2026-03-30T00:30", "Saturday, March 28"],
])("%s the day before yesterday is not", (_, then, now, said) => {
  expect(dayName(Date.parse(then), Date.parse(now))).toBe(said);
});
