/** How far somebody has read: what stood on their screen, and nothing that they were only taken past. */
import { spanOf, type RoomLog, type Span } from "@/features/messages/log/log";

/** What stands on the screen, or `end`: the person has gone to the end of the room, past whatever lies before it. */
export type Seen = Span | "end";

export interface Reading {
  /** The entry up to which everything has been read. */
  read: number;
  /** How many messages of others were read with it. */
  passed: number;
}

/**
 * Goes on from `read` over what is on the screen, and over what there is nothing of to read: my own messages, deleted
 * ones, entries that are none. Stands before the first message that was not seen, and before what is not known.
 */
export function readOn(log: RoomLog, me: string, read: number, seen: Seen): Reading {
  const span = spanOf(log);
  let at = Math.max(read, log.first - 1);
  let passed = 0;
  if (log.generation === 0 || (seen === "end" && log.window)) return { read, passed };
  if (seen !== "end" && span.oldest > at + 1) return { read, passed };
  for (; at < span.newest; at += 1) {
    const message = log.snapshots.get(at + 1);
    if (!message || message.author === me || message.deleted) continue;
    if (seen !== "end" && (at + 1 < seen.oldest || at + 1 > seen.newest)) break;
    passed += 1;
  }
  return { read: Math.max(read, at), passed };
}

/** Whether all that lies between `read` and the end is known, so that what was passed can be counted. */
export const isCounted = (log: RoomLog, read: number): boolean =>
  log.window === null && log.oldest <= Math.max(read, log.first - 1) + 1;
