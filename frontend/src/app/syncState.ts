import type { HeldRooms } from "@/features/messages/log/followers";
import { isBehind } from "@/features/messages/log/log";
import type { OutboxItem } from "@/features/messages/outbox/items";
import type { RoomList } from "@/features/rooms/roomList";
import type { ConnectionState, Line } from "@/lib/connection";
import type { Failure } from "@/lib/failure";

export type SyncState = "synced" | "syncing" | "sending" | "slow" | "failed" | "offline";

interface Facts {
  connection: ConnectionState;
  line: Line;
  /** A message is under way for longer than an answer takes. */
  late: boolean;
  /** The heads of this connection have been compared. */
  compared: boolean;
  /** My rooms, and why they could not be asked for last. */
  list: RoomList;
  unlisted: Failure | null;
  rooms: HeldRooms;
  outbox: readonly OutboxItem[];
  /** The room that is open; undefined while it is not known whether there is one, null when there is none. */
  open: string | null | undefined;
}

/** How many messages are still to go. */
export const waitingIn = (outbox: readonly OutboxItem[]): number =>
  outbox.filter(({ state }) => state === "queued" || state === "sending").length;

/**
 * "In sync" is said only when it is true: connected by a line that answers, nothing behind, nothing waiting to go, the
 * list of rooms no older.
 */
export function syncState({ connection, line, late, compared, list, unlisted, rooms, outbox, open }: Facts): SyncState {
  if (connection.phase !== "connected") return "offline";
  if (outbox.some(({ state }) => state === "failed")) return "failed";
  if (line === "slow" || late) return "slow";
  if (waitingIn(outbox)) return "sending";
  // A room that is not mine misses nothing; one that could not be loaded misses everything.
  const behind = [...rooms.values()].some(({ log, failure }) => failure?.code !== "room_not_found" && isBehind(log));
  const begun = open === null || (open !== undefined && rooms.has(open));
  const listed = list.loaded && !list.stale && unlisted === null;
  return line === "unsure" || !compared || !listed || !begun || behind ? "syncing" : "synced";
}
