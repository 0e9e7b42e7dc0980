import { backoff_ms, type Clock } from "@/lib/clock";
import { failureOf, type Failure } from "@/lib/failure";
import { newClientId } from "@/lib/identifiers";
import { createStore, type Store } from "@/lib/store";
import type { Tabs } from "@/lib/tabs";
import type { Ask, Message } from "@/types/protocol";
import type { OutboxDisk, Waiting } from "./disk";
import { eraseJournal, readJournal, wipeJournal, writeJournal } from "./journal";
import { patientDisk } from "./patientDisk";

/** `sent` stays until the room's log shows the message itself. */
export interface OutboxItem extends Waiting {
  state: "queued" | "sending" | "sent" | "failed";
  message?: Message;
}

interface Needs {
  user: string;
  disk: Promise<OutboxDisk>;
  tabs: Tabs;
  ask: Ask;
  clock: Clock;
  connected(): boolean;
  cursor(room: string): number;
  newId?(): string;
}

export type Outbox = ReturnType<typeof createOutbox>;

/** The message is fine, the moment is not: it goes when this person is connected again. */
const WAIT_FOR_CONNECTION = new Set(["offline", "unauthenticated", "user_mismatch"]);

/** An answer takes less, and so does another tab that sends for this one. */
export const LATE_MS = 4_000;
/** So long the tab that leads has for a message of this one before it is asked whether it knows of it. */
const LEADER_MS = 2_000;

/**
 * Messages on their way: shown at once, kept on disk until acked, one in flight per room, in the order typed, resent
 * under the same client_id. The ack and the echo both settle a message, whichever comes first and however often.
 */
export function createOutbox({ user, disk: opening, tabs, ask, clock, connected, cursor, newId = newClientId }: Needs) {
  const items: Store<readonly OutboxItem[]> = createStore<readonly OutboxItem[]>([]);
  const disk = patientDisk(opening, clock);
  /** A message has waited for longer than the way to the server takes, or was refused. */
  const overdue = createStore(false);
  /** A message is under way, and its answer is late. */
  const late = createStore(false);
  const lateRooms = new Set<string>();
  /** Kept as well as it can be here, so it may go. */
  const ready = new Set<string>();
  const onDisk = new Set<string>();
  /** Known to nobody but this tab: neither the disk nor the journal took it. */
  const ours = new Set<string>();
  const inFlight = new Set<string>();
  const resting = new Map<string, () => void>();
  const attempts = new Map<string, number>();
  const fromZero = new Set<string>();
  /** Settled, deleted or wiped here: a look at the disk that began before must not bring them back. */
  const gone = new Set<string>();
  let lastOrder = 0;
  let closed = false;
  let cancelLook = () => {};
  let cancelCheck: (() => void) | null = null;

  const isWaiting = ({ state }: OutboxItem) => state === "queued" || state === "sending";
  const find = (client_id: string) => items.get().find((item) => item.client_id === client_id);
  const change = (client_id: string, part: Partial<OutboxItem>) =>
    items.set((all) => all.map((item) => (item.client_id === client_id ? { ...item, ...part } : item)));
  const forget = (client_id: string) => items.set((all) => all.filter((item) => item.client_id !== client_id));
  const rooms = () => new Set(items.get().map(({ room }) => room));

  function insert(added: readonly OutboxItem[]) {
    items.set((all) => [...all, ...added].sort((a, b) => a.order - b.order));
  }

  /** On disk when this resolves, or in the journal, or nowhere but here when the browser refuses both. */
  async function keep({ state: _state, message: _message, ...waiting }: OutboxItem) {
    const { client_id } = waiting;
    try {
      await disk.put(waiting);
      onDisk.add(client_id);
      if (disk.durable) {
        eraseJournal(user, client_id);
        ours.delete(client_id);
      }
    } catch {
      // A full, forbidden or silent disk must not stop anybody from sending.
    }
    if (find(client_id)?.state === "sent") await discard(client_id);
    else ready.add(client_id);
    tabs.announce();
  }

  async function discard(client_id: string) {
    gone.add(client_id);
    for (const each of [onDisk, ready, ours]) each.delete(client_id);
    attempts.delete(client_id);
    eraseJournal(user, client_id);
    await disk.remove(user, client_id).catch(() => {});
    tabs.announce();
  }

  function pump(room: string) {
    if (closed || !connected() || inFlight.has(room) || resting.has(room)) return;
    const next = items.get().find((item) => item.room === room && isWaiting(item) && (tabs.leading.get() || ours.has(item.client_id)));
    if (next && ready.has(next.client_id)) void send(next);
  }

  /** Another tab sends; one that stands still (a print dialog, a breakpoint) does not say that it knows of a message. */
  function mindLeader() {
    const left = () => (closed || tabs.leading.get() || !connected() ? undefined : items.get().find(({ state }) => state === "queued"));
    if (cancelCheck || !left()) return;
    cancelCheck = clock.after(LEADER_MS, () => {
      cancelCheck = null;
      const waiting = left();
      if (waiting) tabs.check(waiting.client_id);
      mindLeader();
    });
  }

  function lookWhatIsOverdue() {
    cancelLook();
    const waiting = items.get().filter(isWaiting);
    const first_ms = Math.min(...waiting.map(({ order }) => order / 1000)) + LATE_MS;
    const now_ms = clock.now_ms();
    overdue.set(first_ms <= now_ms || items.get().some(({ state }) => state === "failed"));
    if (first_ms > now_ms && waiting.length) cancelLook = clock.after(first_ms - now_ms, lookWhatIsOverdue);
  }

  function isLate(room: string, now: boolean) {
    if (now) lateRooms.add(room);
    else lateRooms.delete(room);
    late.set(lateRooms.size > 0);
  }

  async function send({ room, client_id, text, reply_to }: OutboxItem) {
    inFlight.add(room);
    change(client_id, { state: "sending" });
    const cancelLate = clock.after(LATE_MS, () => isLate(room, true));
    const after = fromZero.has(client_id) ? 0 : cursor(room);
    try {
      const { message } = await ask("message:send", { room, client_id, text, after, ...(reply_to ? { reply_to } : {}) });
      isLate(room, false);
      if (message) settle(message);
      else settleUnseen(client_id);
    } catch (thrown) {
      if (failureOf(thrown).code !== "timed_out") isLate(room, false);
      const now = find(client_id);
      if (now?.state === "sending") refused(now, failureOf(thrown));
    } finally {
      cancelLate();
      inFlight.delete(room);
      pump(room);
    }
  }

  function refused(item: OutboxItem, failure: Failure) {
    const { client_id, room } = item;
    const again = () => change(client_id, { state: "queued" });
    if (WAIT_FOR_CONNECTION.has(failure.code)) return again();
    if (failure.code === "cursor_invalid" && !fromZero.has(client_id)) {
      fromZero.add(client_id);
      return again();
    }
    if (failure.retry) {
      again();
      return rest(room, restAfter(client_id, failure));
    }
    const failed = { code: failure.code, message: failure.message };
    change(client_id, { state: "failed", failed });
    void keep({ ...item, failed });
  }

  function restAfter(client_id: string, { code, retry_after_s }: Failure): number {
    const attempt = attempts.get(client_id) ?? 0;
    attempts.set(client_id, attempt + 1);
    if (retry_after_s !== undefined) return retry_after_s * 1000 + clock.random() * 250;
    return code === "timed_out" && attempt === 0 ? 0 : backoff_ms(clock, attempt);
  }

  function rest(room: string, delay_ms: number) {
    const cancel = clock.after(delay_ms, () => {
      resting.delete(room);
      pump(room);
    });
    resting.set(room, cancel);
  }

  /** Stored by the server, as an ack or an echo says. Anybody else's message is none of ours. */
  function settle(message: Message) {
    if (message.author !== user) return;
    const item = find(message.client_id);
    if (!item || item.state === "sent" || item.room !== message.room) return;
    change(item.client_id, { state: "sent", message, failed: undefined });
    void discard(item.client_id);
  }

  /** Stored before its author was put out of the room: no row of the log will take its place. */
  function settleUnseen(client_id: string) {
    forget(client_id);
    void discard(client_id);
  }

  /** Brings this tab's picture in line with the disk: after a reload, and when another tab changed something. */
  async function load() {
    const before = [...onDisk];
    const waiting = await disk.all(user).catch(() => null);
    if (closed) return;
    if (waiting) await agree(before, waiting.filter(({ client_id }) => !gone.has(client_id)));
    else await rescue(onDisk); // the journal is all there is
    for (const room of rooms()) pump(room);
  }

  /** `before`: what was on the disk when the look at it began. What came since is not missing there. */
  async function agree(before: readonly string[], waiting: readonly Waiting[]) {
    const there = new Set(waiting.map(({ client_id }) => client_id));
    for (const client_id of before) {
      if (there.has(client_id) || !onDisk.has(client_id)) continue;
      onDisk.delete(client_id);
      ready.delete(client_id);
      const item = find(client_id);
      if (item && item.state !== "sent" && item.state !== "sending") forget(client_id);
    }
    const unseen = waiting.filter(({ client_id }) => !find(client_id));
    for (const { client_id, order } of waiting) {
      onDisk.add(client_id);
      ready.add(client_id);
      lastOrder = Math.max(lastOrder, order);
    }
    insert(unseen.map((item) => ({ ...item, state: item.failed ? "failed" : "queued" })));
    await rescue(there);
    for (const item of waiting) {
      const known = find(item.client_id);
      if (known && known.state === "failed" && !item.failed) change(item.client_id, { state: "queued", failed: undefined });
      if (known && known.state === "queued" && item.failed) change(item.client_id, { state: "failed", failed: item.failed });
    }
  }

  /** What a page wrote down and had no time to put on disk. */
  async function rescue(onDiskNow: ReadonlySet<string>) {
    const left = readJournal(user).filter(({ client_id }) => !onDiskNow.has(client_id) && !find(client_id) && !gone.has(client_id));
    insert(left.map((item) => ({ ...item, state: "queued" })));
    lastOrder = Math.max(lastOrder, ...left.map(({ order }) => order));
    for (const { client_id } of left) {
      const item = find(client_id);
      if (item) await keep(item);
    }
  }

  const stops = [
    tabs.leading.subscribe(() => (tabs.leading.get() ? void load() : mindLeader())),
    items.subscribe(mindLeader),
    items.subscribe(lookWhatIsOverdue),
  ];
  tabs.heard(() => void load());
  tabs.answer((client_id) => find(client_id) !== undefined);

  return {
    items,
    overdue,
    late,
    /** Whether this device keeps what waits. */
    keeps: disk.keeps,
    load,
    settle,

    /** Shown at once, and survives a reload from then on; resolves when it is on disk. */
    async add(room: string, text: string, reply_to?: number): Promise<void> {
      lastOrder = Math.max(lastOrder + 1, clock.now_ms() * 1000);
      const waiting: Waiting = { user, room, client_id: newId(), text, reply_to, order: lastOrder };
      const item: OutboxItem = { ...waiting, state: "queued" };
      if (!writeJournal(waiting)) ours.add(waiting.client_id);
      insert([item]);
      await keep(item);
      pump(room);
    },
    async retry(client_id: string) {
      const item = find(client_id);
      if (item?.state !== "failed") return;
      const again: OutboxItem = { ...item, failed: undefined, state: "queued" };
      if (item.failed?.code === "client_id_reused") {
        forget(client_id);
        await discard(client_id);
        insert([{ ...again, client_id: newId() }]);
      } else change(client_id, again);
      const queued = items.get().find(({ order }) => order === item.order);
      if (queued) await keep(queued);
      pump(item.room);
    },
    async remove(client_id: string) {
      if (find(client_id)?.state === "sending") return;
      forget(client_id);
      await discard(client_id);
    },
    /** Forgets what the room's log shows by now. */
    prune(shown: (message: Message) => boolean) {
      const done = (item: OutboxItem) => item.message !== undefined && shown(item.message);
      if (items.get().some(done)) items.set((all) => all.filter((item) => !done(item)));
    },
    /** Connected: everything that rests may go now. */
    resume() {
      for (const cancel of resting.values()) cancel();
      resting.clear();
      for (const room of rooms()) pump(room);
      mindLeader();
    },
    /** An explicit logout leaves nothing of this person behind. */
    async wipe() {
      for (const { client_id } of items.get()) gone.add(client_id);
      items.set([]);
      for (const each of [onDisk, ready, ours]) each.clear();
      wipeJournal(user);
      await disk.wipe(user).catch(() => {});
      tabs.announce();
    },
    close() {
      closed = true;
      for (const cancel of resting.values()) cancel();
      cancelLook();
      cancelCheck?.();
      for (const stop of stops) stop();
    },
  };
}
