import { sameDate } from "@/lib/days";
import { regional, t } from "@/lib/language";

/** Writes moments in the language of the page. */
function writer(options: Intl.DateTimeFormatOptions): (at_ms: number) => string {
  let held: { tag: string; format: Intl.DateTimeFormat } | null = null;
  return (at_ms) => {
    const tag = regional();
    if (held?.tag !== tag) held = { tag, format: new Intl.DateTimeFormat(tag, options) };
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
  if (sameDate(at_ms, now_ms - 86_400_000)) return t("Yesterday");
  return new Date(at_ms).getFullYear() === new Date(now_ms).getFullYear() ? weekday(at_ms) : withYear(at_ms);
}
