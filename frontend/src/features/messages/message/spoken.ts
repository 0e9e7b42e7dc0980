/** What is heard of a message, by those who go from one to the next: all that those who see it see. */
import type { OutboxItem } from "@/features/messages/outbox/items";
import type { Pill } from "@/features/messages/reactions/wishes";
import { timeOfDay } from "@/lib/dates";
import type { Message } from "@/types/protocol";
import { inOneLine } from "./text";

export function spoken(
  { name, created_at_ms, text, deleted, edited_at_ms, reply_to, via }: Message,
  pills: readonly Pill[],
  quoted?: Message,
): string {
  const about =
    reply_to === undefined || deleted
      ? ""
      : quoted && !quoted.deleted
        ? `, to ${quoted.name}: ${inOneLine(quoted.text, 60)}`
        : ", to an earlier message";
  const parts = [`${name}${via === "table" ? ", put into the table" : ""}, ${timeOfDay(created_at_ms)}${about}`];
  if (deleted) return `${parts[0]}. This message was deleted.`;
  parts.push(text);
  if (edited_at_ms !== undefined) parts.push("Edited");
  const reacted = pills.map(({ emoji, count, mine }) => `${emoji} ${count}${mine ? ", yours too" : ""}`);
  if (reacted.length) parts.push(`Reactions: ${reacted.join(", ")}`);
  return parts.join(". ");
}

export function spokenWaiting({ text, state, failed }: OutboxItem, name: string, late: boolean): string {
  const how =
    state === "failed"
      ? `not sent. ${failed?.message ?? ""}`.trim()
      : state === "sent"
        ? "sent"
        : late
          ? "waiting to be sent"
          : "sending";
  return `${name}, ${how}. ${text}`;
}
