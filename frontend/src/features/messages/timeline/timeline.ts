/** What stands on screen: one row per message, pending message or note, in order, as pure functions. */
import { hasOlder, spanOf, type RoomLog, type Span } from "@/features/messages/log/log";
import type { OutboxItem } from "@/features/messages/outbox/items";
import { sameDate } from "@/lib/days";
import type { Entry, Message } from "@/types/protocol";

interface RowBase {
  key: string;
  /** Set when a new day begins here: any moment of it. */
  day_ms: number | null;
  /** The first message not read when the room was opened. */
  firstUnread: boolean;
}
export type MessageRow = RowBase & {
  kind: "message";
  message: Message;
  startsGroup: boolean;
  /** What it answers, where that is known. */
  quoted?: Message | undefined;
};
export type PendingRow = RowBase & { kind: "pending"; item: OutboxItem; startsGroup: boolean };
export type NoteRow = RowBase & { kind: "note"; entry: Entry };
/** Stands before the first message of a room. */
export type WelcomeRow = RowBase & { kind: "welcome" };
export type Row = MessageRow | PendingRow | NoteRow | WelcomeRow;

interface Seen {
  log: RoomLog;
  pending: readonly OutboxItem[];
  me: string;
  /** Messages after this entry are new to this visit; null: nothing is. */
  newAfter: number | null;
}

const COLLAPSE_WITHIN_MS = 5 * 60_000;
const WELCOME: WelcomeRow = { kind: "welcome", key: "welcome", day_ms: null, firstUnread: false };

/** A row of which nothing is other than when it was made last is that row: what draws it is spared then. */
export function timelineOf({ log, pending, me, newAfter }: Seen): Row[] {
  const span = spanOf(log);
  const rows: Row[] = [];
  if (log.generation > 0 && !hasOlder(log)) rows.push(WELCOME);
  const shown = new Set<string>();
  let marked = newAfter === null;
  for (let seq = span.oldest; seq <= span.newest; seq += 1) {
    const message = log.snapshots.get(seq);
    const entry = log.notes.get(seq);
    if (message) {
      const firstUnread = !marked && newAfter !== null && seq > newAfter && message.author !== me;
      marked ||= firstUnread;
      if (message.author === me && message.client_id) shown.add(message.client_id);
      const quoted = message.reply_to === undefined ? undefined : log.snapshots.get(message.reply_to);
      const row = { kind: "message", key: keyOf(message), message, quoted, day_ms: null, firstUnread } as const;
      rows.push(place(rows, { ...row, startsGroup: true }));
    } else if (entry) {
      rows.push(place(rows, { kind: "note", key: `note-${seq}`, entry, day_ms: null, firstUnread: false }));
    }
  }
  // Whether the oldest row begins a day or an author's turn shows only with the row above it. Until that is known it is
  // left out, so that no row ever changes its height when older ones come.
  if (hasOlder(log)) rows.shift();
  if (log.window) return rows;
  for (const item of pending) {
    if (shown.has(item.client_id)) continue;
    const key = `${me}:${item.client_id}`;
    rows.push(place(rows, { kind: "pending", key, item, startsGroup: true, day_ms: null, firstUnread: false }));
  }
  return rows;
}

/** The same for a message on its way and the message it becomes, so that the row stays in place. */
const keyOf = ({ author, client_id, seq }: Message) => (client_id ? `${author}:${client_id}` : `seq-${seq}`);

/** Sets a row against the one above it: does a day begin, does the author go on speaking? */
function place(rows: readonly Row[], row: Exclude<Row, WelcomeRow>): Row {
  const last = rows.at(-1);
  const above = last?.kind === "welcome" ? undefined : last;
  const at_ms = timeOf(row);
  const before_ms = above && timeOf(above);
  const day_ms = before_ms === undefined || !sameDate(before_ms, at_ms) ? at_ms : null;
  if (row.kind === "note") return asBefore({ ...row, day_ms });
  const goes_on =
    day_ms === null && !row.firstUnread && above !== undefined && before_ms !== undefined &&
    authorOf(above) === authorOf(row) && at_ms - before_ms < COLLAPSE_WITHIN_MS && !repliesTo(row);
  return asBefore({ ...row, day_ms, startsGroup: !goes_on });
}

const made = new WeakMap<object, Row>();

function asBefore(row: Exclude<Row, WelcomeRow>): Row {
  const subject = subjectOf(row) as object;
  const before = made.get(subject);
  if (before && (Object.keys(row) as (keyof Row)[]).every((part) => before[part] === row[part])) return before;
  made.set(subject, row);
  return row;
}

function timeOf(row: Exclude<Row, WelcomeRow>): number {
  if (row.kind === "message") return row.message.created_at_ms;
  if (row.kind === "note") return row.entry.at_ms ?? 0;
  return row.item.message?.created_at_ms ?? row.item.order / 1000;
}

function authorOf(row: Exclude<Row, WelcomeRow>): string | null {
  if (row.kind === "note") return null;
  return row.kind === "message" ? row.message.author : row.item.user;
}

const repliesTo = (row: MessageRow | PendingRow) =>
  (row.kind === "message" ? row.message.reply_to : row.item.reply_to) !== undefined;

/** What a row is made of: it is another when there is something else to show. */
export const subjectOf = (row: Row): unknown =>
  row.kind === "message" ? row.message : row.kind === "note" ? row.entry : row.kind === "pending" ? row.item : row.kind;

/** The entries that these rows show; null when they are none that the log knows. */
export function spanOfRows(rows: readonly Row[]): Span | null {
  const seqs = rows.flatMap((row) =>
    row.kind === "message" ? [row.message.seq] : row.kind === "note" ? [row.entry.seq] : [],
  );
  const [oldest, newest] = [seqs[0], seqs.at(-1)];
  if (oldest !== undefined && newest !== undefined) return { oldest, newest };
  return rows.length > 0 ? { oldest: 0, newest: 0 } : null;
}

/** When it was said, as far as that is known. */
export const saidAt = (row: Row): number | undefined => (row.kind === "welcome" ? undefined : timeOf(row));

/** True when `next` is `before` with rows put in front, which the virtual list must be told. */
export function isPrepended(before: readonly Row[], next: readonly Row[]): boolean {
  const [first, last] = [before[0], before.at(-1)];
  return (
    first !== undefined && last !== undefined && next.length > before.length &&
    next[0]?.key !== first.key && next.at(-1)?.key === last.key
  );
}

/** My newest message that can still be edited. */
export function lastOwn(log: RoomLog, me: string): Message | undefined {
  const { oldest, newest } = spanOf(log);
  for (let seq = newest; seq >= oldest; seq -= 1) {
    const message = log.snapshots.get(seq);
    if (message && message.author === me && !message.deleted) return message;
  }
  return undefined;
}

/** A message to go to. `visit` tells two visits of one place apart. */
export interface Target {
  seq: number;
  visit: string;
  /** How far below the upper edge it stood, for who comes back; else it is brought to the middle. */
  top_px?: number;
}

/** Where the list goes, once per `key`: again when something new comes into a page that nobody looks at. */
export type Place =
  { key: string } & ({ align: "start" | "center"; index: number; top_px?: number | undefined } | { align: "end" });

/** A permalink's message, or where one stood; else the first unread one; else the end. Null while it is not known. */
export function firstPlace(log: RoomLog, rows: readonly Row[], target: Target | null): Place | null {
  if (log.generation === 0) return null;
  if (target) {
    const { oldest, newest } = spanOf(log);
    if (target.seq < oldest || target.seq > newest) return null;
    const key = `${target.seq} ${target.visit}`;
    const index = rows.findLastIndex((row) => row.kind === "message" && row.message.seq <= target.seq);
    if (index < 0) return { key, align: "end" };
    const { top_px } = target;
    return top_px === undefined ? { key, align: "center", index } : { key, align: "start", index, top_px };
  }
  const index = rows.findIndex(({ firstUnread }) => firstUnread);
  return index < 0 ? { key: "room", align: "end" } : { key: `new ${rows[index]?.key}`, align: "start", index };
}
