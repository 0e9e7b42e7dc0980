import { sameDate } from "@/lib/days";
import { regional, t } from "@/lib/language";
import { createStore } from "@/lib/store";

const zoneNow = () => new Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Where this browser stands, as `lookAround` saw it last: people travel with an open page. */
export const zone = createStore(zoneNow());
export const lookAround = () => zone.set(zoneNow());

/** Writes moments in the language of the page, by the clock of the place. */
function writer(options: Intl.DateTimeFormatOptions): (at_ms: number) => string {
  let held: { tag: string; timeZone: string; format: Intl.DateTimeFormat } | null = null;
  return (at_ms) => {
    const [tag, timeZone] = [regional(), zone.get()];
    if (held?.tag !== tag || held.timeZone !== timeZone)
      held = { tag, timeZone, format: new Intl.DateTimeFormat(tag, { ...options, timeZone }) };
    return held.format.format(at_ms);
  };
}

export const timeOfDay = writer({ hour: "numeric", minute: "2-digit" });
export const fullTime = writer({ dateStyle: "full", timeStyle: "medium" });
const weekday = writer({ weekday: "long", day: "numeric", month: "long" });
const withYear = writer({ day: "numeric", month: "long", year: "numeric" });

/** "Today", "Yesterday", "Monday 23 November", or with the year once it is another. */
export function dayName(at_ms: number, now_ms: number): string {
  if (sameDate(at_ms, now_ms)) return t("Today");
  const [then, now] = [new Date(at_ms), new Date(now_ms)];
  const eve_ms = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1).getTime();
  if (sameDate(at_ms, eve_ms)) return t("Yesterday");
  return then.getFullYear() === now.getFullYear() ? weekday(at_ms) : withYear(at_ms);
}
