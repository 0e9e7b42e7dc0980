import { backoff_ms, jittered, type Clock } from "@/lib/clock";
import { failureOf, type Failure } from "@/lib/failure";
import { createStore, type Store } from "@/lib/store";
import type { Ask, Entry, Heads, Message, Page, ServerEvents } from "@/types/protocol";
import { emptyLog, hasOlder, isBehind, reachesUp, reduceLog, spanOf, type LogAction, type RoomLog } from "./log";

export interface HeldRoom {
  log: RoomLog;
  /** Why the room cannot be shown; null while all is well. */
  failure: Failure | null;
  /** What went wrong last, while it is asked for again; null once it was answered. */
  trouble: Failure | null;
  loading: "older" | "newer" | "around" | null;
}

/** By id. A map and no object, here as elsewhere: rooms and people may be called `constructor`. */
export type HeldRooms = ReadonlyMap<string, HeldRoom>;

/** Which page: the newest, or the one before, after or around an entry. */
export type Place = { before: number } | { after: number } | { around: number; limit?: number } | Record<never, never>;
export type FetchPage = (room: string, place: Place) => Promise<Page>;

interface Needs {
  ask: Ask;
  fetchPage: FetchPage;
  clock: Clock;
  connected(): boolean;
}

export type Followers = ReturnType<typeof createFollowers>;

const GAP_WAIT_MS = 1_000;
/** So many pages back from the newest are read for a first unread message, before a stretch of its own is shown. */
const BACK_PAGES = 3;
/** So often an edge of the history is asked for before a person has to scroll there again. */
const OLDER_TRIES = 15;
/** The server tells its heads every minute, unless it cannot tell anything. */
const HEADS_FRESH_MS = 75_000;
const entryOf = ({ seq, created_at_ms }: Message): Entry => ({ seq, kind: "message", at_ms: created_at_ms });
const nothingYet: HeldRoom = { log: emptyLog, failure: null, trouble: null, loading: null };

/** Follows the logs of the rooms that are held: applies what is pushed, pulls what is missing. */
export function createFollowers({ ask, fetchPage, clock, connected }: Needs) {
  const rooms: Store<HeldRooms> = createStore<HeldRooms>(new Map());
  /** True while heads of this connection, not older than a minute or so, have been compared. */
  const compared = createStore(false);
  let forgetHeads = () => {};
  const pulling = new Set<string>();
  const waiting = new Map<string, () => void>();
  const asked = new Set<string>();
  let failures = 0;

  const held = (room: string) => rooms.get().get(room);
  const set = (room: string, part: Partial<HeldRoom>) =>
    rooms.set((all) => new Map(all).set(room, { ...(all.get(room) ?? nothingYet), ...part }));

  function dispatch(room: string, action: LogAction): RoomLog {
    const before = held(room)?.log ?? emptyLog;
    const log = reduceLog(before, action);
    if (log !== before && held(room)) set(room, { log });
    return log;
  }

  function pullLater(room: string, delay_ms = jittered(clock, GAP_WAIT_MS)) {
    if (waiting.has(room)) return;
    const pullNow = () => {
      waiting.delete(room);
      const now = held(room);
      if (now && isBehind(now.log)) void pull(room);
    };
    waiting.set(room, clock.after(delay_ms, pullNow));
  }

  /** Asks page by page until the room is level with its head. One pull per room at a time. */
  async function pull(room: string): Promise<void> {
    if (pulling.has(room) || !connected() || !held(room)) return;
    pulling.add(room);
    try {
      while (held(room) && connected()) {
        const { generation, cursor } = held(room)?.log ?? emptyLog;
        const asked = generation === 0 ? 0 : cursor;
        const page = await ask("room:open", { room, after: asked });
        if (!held(room)) break;
        const log = dispatch(room, { type: "page", asked, page });
        failures = 0;
        if (held(room)?.failure || held(room)?.trouble) set(room, { failure: null, trouble: null });
        const moved = log.generation !== generation || log.cursor > cursor;
        const level = !isBehind(log) && (asked === 0 || page.gap === true || !page.more);
        if (level) break;
        if (!moved) {
          pullLater(room);
          break;
        }
      }
    } catch (thrown) {
      const failure = failureOf(thrown);
      if (!failure.retry) set(room, { failure });
      else if (held(room)) set(room, { trouble: failure });
      if (failure.retry && connected()) pullLater(room, backoff_ms(clock, failures++));
    } finally {
      pulling.delete(room);
    }
  }

  /** The newest page by HTTP, to have something to show before the socket is there. Heads tell what it missed. */
  async function glance(room: string) {
    try {
      const page = await fetchPage(room, {});
      if (held(room)?.log.generation === 0) dispatch(room, { type: "page", asked: 0, page });
      if (held(room)?.trouble) set(room, { trouble: null });
    } catch (thrown) {
      const failure = failureOf(thrown);
      if (held(room)) set(room, failure.retry ? { trouble: failure } : { failure });
    }
  }

  function live(room: string, generation: number, entry: Entry, snapshot?: Message) {
    if (!held(room)) return;
    const log = dispatch(room, { type: "live", generation, entry, snapshot });
    if (log.generation === 0) void pull(room);
    else if (isBehind(log)) pullLater(room);
  }

  /**
   * A page that has everything up to `before`. While something there is undecided, the server says when to ask again.
   */
  async function fetchOlder(room: string, before: number): Promise<Page> {
    for (let left = OLDER_TRIES; ; left -= 1) {
      let delay_ms = GAP_WAIT_MS;
      try {
        const page = await fetchPage(room, { before });
        if (reachesUp(page, before) || left === 0) return page;
      } catch (thrown) {
        const { retry, retry_after_s } = failureOf(thrown);
        if (!retry || retry_after_s === undefined || left === 0 || !held(room)) throw thrown;
        delay_ms = retry_after_s * 1000;
      }
      await new Promise<void>((resolve) => clock.after(jittered(clock, delay_ms), resolve));
    }
  }

  async function load(
    room: string, loading: NonNullable<HeldRoom["loading"]>, fetching: () => Promise<Page>, act: (page: Page) => void,
  ) {
    if (held(room)?.loading || !held(room)) return;
    set(room, { loading });
    try {
      const page = await fetching();
      if (held(room)) act(page);
    } finally {
      if (held(room)) set(room, { loading: null });
    }
  }

  return {
    rooms,
    compared,
    cursor: (room: string) => held(room)?.log.cursor ?? 0,

    /**
     * From now on this room is followed. `early`: it was mine before, so there is something to show without the socket.
     */
    hold(room: string, early = false) {
      if (held(room) && !held(room)?.failure) return;
      set(room, { failure: null, trouble: null });
      if (connected()) void pull(room);
      else if (early) void glance(room);
    },
    drop(room: string) {
      waiting.get(room)?.();
      waiting.delete(room);
      rooms.set((all) => new Map([...all].filter(([other]) => other !== room)));
    },

    sent: (message: Message) => live(message.room, message.generation, entryOf(message), message),
    changed: ({ room, generation, entry, message }: ServerEvents["message:changed"]) =>
      live(room, generation, { seq: entry, kind: "change", message: message.seq }, message),
    /** Any other entry: memberships, a room's new name, a tombstone. */
    noted: (kind: Entry["kind"], push: { room: string; generation: number; entry: number } & Partial<Entry>) =>
      live(push.room, push.generation, { ...push, seq: push.entry, kind }),
    /** A snapshot that came in an answer; the entry itself comes as a push. */
    snapshot: (message: Message) => void dispatch(message.room, { type: "snapshot", message }),
    /** Reactions of mine, from another device. */
    mine: ({ room, ...told }: ServerEvents["reaction:mine"]) => void dispatch(room, { type: "mine", ...told }),

    heads(heads: Heads) {
      const first = !compared.get();
      for (const [room, [generation, head]] of Object.entries(heads)) {
        if (!held(room)) continue;
        const log = dispatch(room, { type: "heads", generation, head });
        if (isBehind(log)) {
          if (first || log.generation === 0) void pull(room);
          else pullLater(room);
        }
      }
      compared.set(true);
      forgetHeads();
      forgetHeads = clock.after(HEADS_FRESH_MS, () => compared.set(false));
    },
    connected() {
      for (const [room, { log }] of rooms.get()) if (isBehind(log)) void pull(room);
    },
    disconnected() {
      forgetHeads();
      compared.set(false);
    },

    older(room: string) {
      const log = held(room)?.log ?? emptyLog;
      if (!hasOlder(log)) return Promise.resolve();
      const before = spanOf(log).oldest;
      const add = (page: Page) => dispatch(room, { type: "older", before, page });
      return load(room, "older", () => fetchOlder(room, before), add);
    },
    newer(room: string) {
      const after = held(room)?.log.window?.newest;
      if (after === undefined) return Promise.resolve();
      const add = (page: Page) => dispatch(room, { type: "newer", after, page });
      return load(room, "newer", () => fetchPage(room, { after }), add);
    },
    /** Brings an entry into view that lies not far back: what is read for it reaches up to the newest. */
    async back(room: string, seq: number): Promise<void> {
      for (let left = BACK_PAGES; left > 0 && spanOf(held(room)?.log ?? emptyLog).oldest > seq; left -= 1)
        await this.older(room);
      await this.around(room, seq);
    },
    /** Brings an entry into view that may lie far back. */
    around(room: string, seq: number) {
      const span = spanOf(held(room)?.log ?? emptyLog);
      if (seq >= span.oldest && seq <= span.newest) return Promise.resolve();
      const { oldest, cursor } = held(room)?.log ?? emptyLog;
      if (seq >= oldest && seq <= cursor) return Promise.resolve(this.newest(room));
      const add = (page: Page) => dispatch(room, { type: "around", page });
      return load(room, "around", () => fetchPage(room, { around: seq }), add);
    },
    /** A message that others answer, without what stands around it. It is asked for once. */
    async find(room: string, seq: number): Promise<void> {
      const { generation, snapshots, first } = held(room)?.log ?? emptyLog;
      const key = `${room} ${generation} ${seq}`;
      if (snapshots.has(seq) || seq < first || asked.has(key)) return;
      asked.add(key);
      try {
        const page = await fetchPage(room, { around: seq, limit: 1 });
        for (const message of page.messages) if (held(room)) dispatch(room, { type: "snapshot", message });
      } catch (thrown) {
        if (failureOf(thrown).retry) asked.delete(key);
      }
    },
    newest: (room: string) => void dispatch(room, { type: "newest" }),
    dispose() {
      forgetHeads();
      for (const cancel of waiting.values()) cancel();
      waiting.clear();
      rooms.set(new Map());
    },
  };
}
