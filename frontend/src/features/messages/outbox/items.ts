/** What is on its way, and what is to become of it, as pure functions. */
import type { Failure } from "@/lib/failure";
import type { Message } from "@/types/protocol";
import type { Waiting } from "./disk";

/** `sent` stays until the room's log shows the message itself. */
export interface OutboxItem extends Waiting {
  state: "queued" | "sending" | "sent" | "failed";
  message?: Message;
}

/** In the order typed. */
export type OutboxItems = readonly OutboxItem[];

export type OutboxAction =
  /** Typed here, or found on the disk or in the journal. */
  | { type: "added"; waiting: readonly Waiting[] }
  | { type: "sending"; client_id: string }
  /** To be tried again. */
  | { type: "queued"; client_id: string }
  | { type: "refused"; client_id: string; failed: NonNullable<Waiting["failed"]> }
  /** Stored by the server. */
  | { type: "sent"; message: Message }
  | { type: "forgotten"; client_id: string }
  /** On the disk no more: another tab has sent or deleted it. */
  | { type: "lost"; client_id: string }
  /** On the disk as they are there: another tab may have tried again, or been refused. */
  | { type: "found"; waiting: readonly Waiting[] }
  | { type: "shown"; isShown(message: Message): boolean }
  | { type: "wiped" };

export function reduceOutbox(items: OutboxItems, action: OutboxAction): OutboxItems {
  switch (action.type) {
    case "added":
      return [...items, ...action.waiting.map(asItem)].sort((a, b) => a.order - b.order);
    case "sending":
      return changed(items, action.client_id, { state: "sending" });
    case "queued":
      return changed(items, action.client_id, { state: "queued", failed: undefined });
    case "refused":
      return changed(items, action.client_id, { state: "failed", failed: action.failed });
    case "sent":
      return changed(items, action.message.client_id, { state: "sent", message: action.message, failed: undefined });
    case "forgotten":
      return items.filter(({ client_id }) => client_id !== action.client_id);
    case "lost":
      return items.filter(
        ({ client_id, state }) => client_id !== action.client_id || state === "sent" || state === "sending",
      );
    case "found":
      return action.waiting.reduce(asFound, items);
    case "shown":
      return items.filter(({ message }) => message === undefined || !action.isShown(message));
    case "wiped":
      return [];
  }
}

const asItem = (waiting: Waiting): OutboxItem => ({ ...waiting, state: waiting.failed ? "failed" : "queued" });

const changed = (items: OutboxItems, client_id: string, part: Partial<OutboxItem>): OutboxItems =>
  items.map((item) => (item.client_id === client_id ? { ...item, ...part } : item));

function asFound(items: OutboxItems, { client_id, failed }: Waiting): OutboxItems {
  const state = find(items, client_id)?.state;
  if (state === "failed" && !failed) return changed(items, client_id, { state: "queued", failed: undefined });
  if (state === "queued" && failed) return changed(items, client_id, { state: "failed", failed });
  return items;
}

export const find = (items: OutboxItems, client_id: string): OutboxItem | undefined =>
  items.find((item) => item.client_id === client_id);

export const roomsOf = (items: OutboxItems): ReadonlySet<string> => new Set(items.map(({ room }) => room));

const isWaiting = ({ state }: OutboxItem) => state === "queued" || state === "sending";

/** What goes next in a room, of what this tab may send. */
export const nextIn = (
  items: OutboxItems,
  room: string,
  mayGo: (item: OutboxItem) => boolean,
): OutboxItem | undefined => items.find((item) => item.room === room && isWaiting(item) && mayGo(item));

/** From when on it will have waited for longer than that; Infinity when nothing waits. */
export const overdueAt_ms = (items: OutboxItems, late_ms: number): number =>
  Math.min(...items.filter(isWaiting).map(({ order }) => order / 1000)) + late_ms;

/** The message is fine, the moment is not: it goes when this person is connected again. */
const WAIT_FOR_CONNECTION = new Set(["offline", "unauthenticated", "user_mismatch"]);

/** What follows from a refusal: wait for the connection, ask from the beginning of the log, rest, or give up. */
export function verdictOn({ code, retry }: Failure, askedFromZero: boolean): "wait" | "from zero" | "rest" | "give up" {
  if (WAIT_FOR_CONNECTION.has(code)) return "wait";
  if (code === "cursor_invalid" && !askedFromZero) return "from zero";
  return retry ? "rest" : "give up";
}
