/** What is heard of a message, by those who go from one to the next: all that those who see it see. */
import type { OutboxItem } from "@/features/messages/outbox/items";
import type { Pill } from "@/features/messages/reactions/wishes";
import { timeOfDay } from "@/lib/dates";
import { refusal } from "@/lib/failure";
import { t } from "@/lib/language";
import type { Message } from "@/types/protocol";
import { inOneLine } from "./text";

export function spoken(
  { name, created_at_ms, text, deleted, edited_at_ms, reply_to, via }: Message,
  pills: readonly Pill[],
  quoted?: Message,
): string {
  const about =
    reply_to === undefined || deleted
      ? []
      : quoted && !quoted.deleted
        ? [`${t("to {name}", { name: quoted.name })}: ${inOneLine(quoted.text, 60)}`]
        : [t("to an earlier message")];
  const origin = via === "table" ? [t("put into the table")] : [];
  const parts = [[name, ...origin, timeOfDay(created_at_ms), ...about].join(", ")];
  if (deleted) return `${parts[0]}. ${t("This message was deleted.")}`;
  parts.push(text);
  if (edited_at_ms !== undefined) parts.push(t("Edited"));
  const reacted = pills.map(({ emoji, count, mine }) => `${emoji} ${count}${mine ? `, ${t("yours too")}` : ""}`);
  if (reacted.length) parts.push(`${t("Reactions")}: ${reacted.join(", ")}`);
  return parts.join(". ").replace(/([.!?…])\. /g, "$1 ");
}

export function spokenWaiting({ text, state, failed }: OutboxItem, name: string, late: boolean): string {
  const how =
    state === "failed"
      ? `${t("not sent")}. ${failed ? refusal(failed) : ""}`.trim()
      : state === "sent"
        ? t("sent")
        : late
          ? t("waiting to be sent")
          : t("sending");
  return `${name}, ${how}. ${text}`;
}
