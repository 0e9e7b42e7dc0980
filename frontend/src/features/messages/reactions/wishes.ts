/** My reactions as I want them to be while the server has not answered yet, as pure functions. */
import type { Emoji, Message } from "@/types/protocol";

/** What I want an emoji of mine on a message to be, though it is not known to be so. */
export interface Wish {
  wanted: boolean;
  /** How many others there were when I began to wish: what comes meanwhile may count me already. */
  others: number;
}

/** Of our making, with a blank in it. */
export type MessageKey = string;

/** By message, by emoji. */
export type Wishes = Readonly<Record<MessageKey, Readonly<Record<Emoji, Wish>>>>;

/** One emoji under a message, as it is shown. */
export interface Pill {
  emoji: string;
  count: number;
  mine: boolean;
}

export const keyOf = ({ room, seq }: Message): MessageKey => `${room} ${seq}`;

/** The reactions of a message as they will be when the wishes have come true. */
export function pillsOf({ reactions = {}, mine = [] }: Message, wishes: Wishes[MessageKey] = {}): Pill[] {
  const counts = { ...reactions };
  for (const [emoji, { wanted, others }] of Object.entries(wishes)) {
    const told = reactions[emoji] ?? 0;
    counts[emoji] = wanted ? Math.max(told, others + 1) : Math.min(told, others);
  }
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([emoji, count]) => ({ emoji, count, mine: wishes[emoji]?.wanted ?? mine.includes(emoji) }));
}

export const wishFor = (wishes: Wishes, key: MessageKey, emoji: Emoji): Wish | undefined => wishes[key]?.[emoji];

/** With this wish for an emoji on a message, or without any. */
export function wished(wishes: Wishes, key: MessageKey, emoji: Emoji, next: Wish | null): Wishes {
  const { [emoji]: _former, ...others } = wishes[key] ?? {};
  const ofMessage = next ? { ...others, [emoji]: next } : others;
  const { [key]: _message, ...rest } = wishes;
  return Object.keys(ofMessage).length > 0 ? { ...rest, [key]: ofMessage } : rest;
}
