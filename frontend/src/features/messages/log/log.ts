/**
 * What a client knows of one room: a follower of the room's log, as pure functions.
 *
 * `cursor` is the last entry up to which everything is known; `snapshots` holds, per message, the snapshot with the
 * highest `rev`, also of messages outside the range on screen, and what was said last of my own reactions to it. See
 * docs/protocol.md, "Catching up".
 */
import type { Entry, Message, Page } from "@/types/protocol";

interface Live {
  generation: number;
  entry: Entry;
}

/** A message with the `rev` as of which `mine` is known: a push brings a newer snapshot, and says nothing of that. */
export type Held = Message & { mine_rev?: number };

/** A stretch of the log known without a hole. */
export interface Span {
  oldest: number;
  newest: number;
}

export interface RoomLog {
  /** 0 while nothing is known. */
  generation: number;
  cursor: number;
  oldest: number;
  /** The first entry there is for this member. */
  first: number;
  head: number;
  snapshots: ReadonlyMap<number, Held>;
  /** Entries that are no messages but worth a line: joins, leaves, a new room name. */
  notes: ReadonlyMap<number, Entry>;
  /** Live entries past a hole, waiting for it to be filled. */
  ahead: ReadonlyMap<number, Live>;
  /** A stretch away from the newest messages, shown instead of them (a permalink). */
  window: Span | null;
}

export type LogAction =
  | { type: "page"; asked: number; page: Page }
  | { type: "live"; generation: number; entry: Entry; snapshot?: Message }
  | { type: "heads"; generation: number; head: number }
  | { type: "snapshot"; message: Message }
  | { type: "mine"; generation: number; seq: number; rev: number; mine: string[] }
  | { type: "around"; page: Page }
  | { type: "older"; before: number; page: Page }
  | { type: "newer"; after: number; page: Page }
  | { type: "newest" };

const nothing = new Map<never, never>();

export const emptyLog: RoomLog = {
  generation: 0,
  cursor: 0,
  oldest: 1,
  first: 1,
  head: 0,
  snapshots: nothing,
  notes: nothing,
  ahead: nothing,
  window: null,
};

/** Something is missing: nothing known yet, a newer head was named, or live entries wait behind a hole. */
export const isBehind = (log: RoomLog): boolean => log.generation === 0 || log.head > log.cursor || log.ahead.size > 0;

export const spanOf = (log: RoomLog): Span => log.window ?? { oldest: log.oldest, newest: log.cursor };

/** Whether anybody said anything after that entry, as far as the newest stretch is known. */
export function hasMessageAfter({ snapshots, oldest, cursor }: RoomLog, seq: number): boolean {
  for (let at = Math.max(oldest, seq + 1); at <= cursor; at += 1) if (snapshots.has(at)) return true;
  return false;
}

/** Whether it is certain that there is no message with that number here. */
export function lacks(log: RoomLog | undefined, seq: number): boolean {
  if (!log || log.generation === 0 || log.snapshots.has(seq)) return false;
  const { oldest, newest } = spanOf(log);
  return (seq >= oldest && seq <= newest) || seq < log.first || (seq > log.head && !isBehind(log));
}

export const hasOlder = (log: RoomLog): boolean => log.generation > 0 && spanOf(log).oldest > log.first;

/** Whether an older page reaches up to the entry that it was asked for before, or says that there is nothing older. */
export const reachesUp = (page: Page, before: number): boolean =>
  page.oldest !== undefined
    ? page.oldest < before || !page.more
    : page.entries.length > 0
      ? page.entries.at(-1)?.seq === before - 1
      : !page.more;

export function reduceLog(log: RoomLog, action: LogAction): RoomLog {
  switch (action.type) {
    case "page":
      return followPage(log, action.asked, action.page);
    case "live":
      return followLive(log, action);
    case "heads":
      if (log.generation !== 0 && action.generation !== log.generation) return emptyLog;
      return action.head > log.head ? { ...log, head: action.head } : log;
    case "snapshot":
      return withSnapshots(log, [action.message]);
    case "mine":
      return withMine(log, action);
    case "around":
      return openWindow(log, action.page);
    case "older":
      return extendUp(log, action.before, action.page);
    case "newer":
      return extendDown(log, action.after, action.page);
    case "newest":
      return log.window ? { ...log, window: null } : log;
  }
}

function followPage(log: RoomLog, asked: number, page: Page): RoomLog {
  if (asked === 0 || page.gap) return startOver(log, page);
  if (page.generation !== log.generation) return log.generation === 0 ? log : emptyLog;
  if (asked > log.cursor) return log;
  if ((page.from ?? 1) > log.oldest) return emptyLog; // I was away and am back: what I held is no longer mine to see
  const entries = page.entries.filter((entry) => entry.seq > log.cursor);
  const cursor = entries.at(-1)?.seq ?? log.cursor;
  const known = { ...log, cursor, head: Math.max(log.head, page.head), notes: withNotes(log.notes, entries) };
  return drain(withSnapshots(known, page.messages));
}

/** The newest page is all there is. Of what was held only that stays which is newer than the page itself. */
function startOver(log: RoomLog, page: Page): RoomLog {
  const first = Math.max(1, page.floor ?? 1, page.from ?? 1);
  const cursor = page.entries.at(-1)?.seq ?? page.head;
  const fresh: RoomLog = {
    ...emptyLog,
    generation: page.generation,
    first,
    cursor,
    oldest: page.entries[0]?.seq ?? cursor + 1,
    head: Math.max(page.head, log.generation === page.generation ? log.head : 0),
    notes: withNotes(nothing, page.entries),
    ahead: log.ahead,
  };
  const newer = [...log.snapshots.values()].filter((snapshot) => snapshot.rev > cursor);
  return drain(withSnapshots(fresh, [...page.messages, ...newer]));
}

function followLive(log: RoomLog, { generation, entry, snapshot }: Extract<LogAction, { type: "live" }>): RoomLog {
  const held = log.generation === 0 || log.generation === generation ? log : emptyLog;
  const seen = snapshot ? withSnapshots(held, [snapshot]) : held;
  if (held.generation !== 0 && entry.seq <= held.cursor) return seen;
  return drain({ ...seen, ahead: new Map(seen.ahead).set(entry.seq, { generation, entry }) });
}

/** Takes what follows the cursor without a hole, and forgets what is at or below it or of another generation. */
function drain(log: RoomLog): RoomLog {
  if (log.generation === 0 || log.ahead.size === 0) return log;
  const taken: Entry[] = [];
  let { cursor } = log;
  for (let next = log.ahead.get(cursor + 1); next?.generation === log.generation; next = log.ahead.get(cursor + 1)) {
    taken.push(next.entry);
    cursor += 1;
  }
  const ahead = new Map([...log.ahead].filter(([seq, live]) => seq > cursor && live.generation === log.generation));
  return { ...log, cursor, head: Math.max(log.head, cursor), notes: withNotes(log.notes, taken), ahead };
}

function openWindow(log: RoomLog, page: Page): RoomLog {
  const [oldest, newest] = [page.entries[0]?.seq, page.entries.at(-1)?.seq];
  if (page.generation !== log.generation || oldest === undefined || newest === undefined) return log;
  if (page.entries.length !== newest - oldest + 1) return log;
  return joined(taken(log, page), { oldest, newest });
}

function extendUp(log: RoomLog, before: number, page: Page): RoomLog {
  const span = spanOf(log);
  if (page.generation !== log.generation || before !== span.oldest || !reachesUp(page, before)) return log;
  const known = taken(log, page);
  const oldest =
    page.oldest === undefined ? (page.entries[0]?.seq ?? log.first) : page.more ? page.oldest : known.first;
  return known.window ? joined(known, { ...known.window, oldest }) : { ...known, oldest };
}

function extendDown(log: RoomLog, after: number, page: Page): RoomLog {
  if (page.generation !== log.generation || log.window?.newest !== after) return log;
  const newest = page.entries.at(-1)?.seq;
  if (newest === undefined) return page.head > after ? log : { ...log, window: null };
  return joined(taken(log, page), { ...log.window, newest });
}

/** A window that touches the newest stretch becomes part of it. */
function joined(log: RoomLog, window: Span): RoomLog {
  if (window.newest + 1 < log.oldest) return { ...log, window };
  return { ...log, oldest: Math.min(log.oldest, window.oldest), window: null };
}

function taken(log: RoomLog, page: Page): RoomLog {
  const first = Math.max(1, page.floor ?? log.first, page.from ?? 1);
  return withSnapshots({ ...log, first, notes: withNotes(log.notes, page.entries) }, page.messages);
}

function withSnapshots(log: RoomLog, messages: readonly Message[]): RoomLog {
  let snapshots: Map<number, Held> | null = null;
  for (const message of messages) {
    if (log.generation !== 0 && message.generation !== log.generation) continue;
    const held = (snapshots ?? log.snapshots).get(message.seq);
    const next = held?.generation === message.generation ? newerOf(held, message) : message;
    if (next === held) continue;
    snapshots ??= new Map(log.snapshots);
    snapshots.set(message.seq, next);
  }
  return snapshots ? { ...log, snapshots } : log;
}

/** Of two snapshots the one with the higher `rev`, with my own reactions as they are known as of the highest. */
function newerOf(held: Held, message: Message): Held {
  const snapshot = message.rev > held.rev ? message : held;
  const told = mineAt(message) > mineAt(held) ? message : held;
  return snapshot === told ? snapshot : { ...snapshot, mine: told.mine ?? [], mine_rev: mineAt(told) };
}

/** Without reactions none is mine. */
const mineAt = ({ mine_rev, mine, reactions, rev }: Held) => mine_rev ?? (mine || !reactions ? rev : 0);

function withMine(log: RoomLog, { generation, seq, rev, mine }: Extract<LogAction, { type: "mine" }>): RoomLog {
  const held = log.snapshots.get(seq);
  if (held?.generation !== generation || mineAt(held) >= rev) return log;
  return { ...log, snapshots: new Map(log.snapshots).set(seq, { ...held, mine, mine_rev: rev }) };
}

/** A later server may have kinds that this page does not know: what they say goes past it. */
const NOTED: readonly Entry["kind"][] = ["joined", "left", "removed", "room"];

function withNotes(notes: ReadonlyMap<number, Entry>, entries: readonly Entry[]): ReadonlyMap<number, Entry> {
  const worth = entries.filter(({ kind }) => NOTED.includes(kind));
  return worth.length ? new Map([...notes, ...worth.map((entry) => [entry.seq, entry] as const)]) : notes;
}
