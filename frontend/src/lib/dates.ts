import { sameDate } from "@/lib/days";

const clockTime = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const withYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });
const complete = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

export const timeOfDay = (at_ms: number): string => clockTime.format(at_ms);
export const fullTime = (at_ms: number): string => complete.format(at_ms);

/** "Today", "Yesterday", "Monday 23 November", or with the year once it is another. */
export function dayName(at_ms: number, now_ms: number): string {
  if (sameDate(at_ms, now_ms)) return "Today";
  if (sameDate(at_ms, now_ms - 86_400_000)) return "Yesterday";
  return new Date(at_ms).getFullYear() === new Date(now_ms).getFullYear()
    ? weekday.format(at_ms)
    : withYear.format(at_ms);
}
