import { backoff_ms, type Clock } from "@/lib/clock";
import { failureOf, type Failure } from "@/lib/failure";
import { newClientId } from "@/lib/identifiers";
import { createStore } from "@/lib/store";
import type { Tabs } from "@/lib/tabs";
import type { Ask, Message } from "@/types/protocol";
import type { OutboxDisk } from "./disk";
import { find, nextIn, overdueAt_ms, reduceOutbox, roomsOf, verdictOn } from "./items";
import type { OutboxAction, OutboxItem, OutboxItems } from "./items";
import { createKeeping } from "./keeping";
import { patientDisk } from "./patientDisk";

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

/** An answer takes less, and so does another tab that sends for this one. */
export const LATE_MS = 4_000;
/** So long the tab that leads has for a message of this one before it is asked whether it knows of it. */
const LEADER_MS = 2_000;

/**
 * Messages on their way: shown at once, kept on disk until acked, one in flight per room, in the order typed, resent
 * under the same client_id. The ack and the echo both settle a message, whichever comes first and however often.
 */
export function createOutbox({ user, disk: opening, tabs, ask, clock, connected, cursor, newId = newClientId }: Needs) {
  const items = createStore<OutboxItems>([]);
  const dispatch = (action: OutboxAction) => items.set((all) => reduceOutbox(all, action));
  const disk = patientDisk(opening, clock);
  const keeping = createKeeping({ user, disk, tabs, items, dispatch });
  /** A message has waited for longer than the way to the server takes, or was refused. */
  const overdue = createStore(false);
  /** A message is under way, and its answer is late. */
  const late = createStore(false);
  const lateRooms = new Set<string>();
  const inFlight = new Set<string>();
  const resting = new Map<string, () => void>();
  const attempts = new Map<string, number>();
  const fromZero = new Set<string>();
  let closed = false;
  let cancelLook = () => {};
  let cancelCheck: (() => void) | null = null;

  const known = (client_id: string) => find(items.get(), client_id);
  const mayGo = ({ client_id }: OutboxItem) => tabs.leading.get() || keeping.isOurs(client_id);

  function pump(room: string) {
    if (closed || !connected() || inFlight.has(room) || resting.has(room)) return;
    const next = nextIn(items.get(), room, mayGo);
    if (next && keeping.isReady(next.client_id)) void send(next);
  }

  const pumpAll = () => roomsOf(items.get()).forEach(pump);

  /**
   * Another tab sends; one that stands still (a print dialog, a breakpoint) does not say that it knows of a message.
   */
  function mindLeader() {
    const minds = () => !closed && !tabs.leading.get() && connected();
    const left = () => (minds() ? items.get().find(({ state }) => state === "queued") : undefined);
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
    const at_ms = overdueAt_ms(items.get(), LATE_MS);
    const now_ms = clock.now_ms();
    overdue.set(at_ms <= now_ms || items.get().some(({ state }) => state === "failed"));
    if (at_ms > now_ms && at_ms < Infinity) cancelLook = clock.after(at_ms - now_ms, lookWhatIsOverdue);
  }

  function isLate(room: string, now: boolean) {
    if (now) lateRooms.add(room);
    else lateRooms.delete(room);
    late.set(lateRooms.size > 0);
  }

  async function send({ room, client_id, text, reply_to }: OutboxItem) {
    inFlight.add(room);
    dispatch({ type: "sending", client_id });
    const cancelLate = clock.after(LATE_MS, () => isLate(room, true));
    const after = fromZero.has(client_id) ? 0 : cursor(room);
    try {
      const { message } = await ask("message:send", {
        room, client_id, text, after, ...(reply_to ? { reply_to } : {}),
      });
      isLate(room, false);
      if (message) settle(message);
      else void drop(client_id); // stored before its author was put out of the room: the log will never show it
    } catch (thrown) {
      if (failureOf(thrown).code !== "timed_out") isLate(room, false);
      const now = known(client_id);
      if (now?.state === "sending") refused(now, failureOf(thrown));
    } finally {
      cancelLate();
      inFlight.delete(room);
      pump(room);
    }
  }

  function refused(item: OutboxItem, failure: Failure) {
    const { client_id, room } = item;
    const verdict = verdictOn(failure, fromZero.has(client_id));
    if (verdict === "give up") {
      const failed = { code: failure.code, message: failure.message };
      dispatch({ type: "refused", client_id, failed });
      void keeping.keep({ ...item, failed });
      return;
    }
    if (verdict === "from zero") fromZero.add(client_id);
    dispatch({ type: "queued", client_id });
    if (verdict === "rest") rest(room, restAfter(client_id, failure));
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

  function discard(client_id: string): Promise<void> {
    attempts.delete(client_id);
    return keeping.discard(client_id);
  }

  function drop(client_id: string): Promise<void> {
    dispatch({ type: "forgotten", client_id });
    return discard(client_id);
  }

  /** Stored by the server, as an ack or an echo says. Anybody else's message is none of ours. */
  function settle(message: Message) {
    if (message.author !== user) return;
    const item = known(message.client_id);
    if (!item || item.state === "sent" || item.room !== message.room) return;
    dispatch({ type: "sent", message });
    void discard(item.client_id);
  }

  async function load() {
    await keeping.load();
    pumpAll();
  }

  const stops = [
    tabs.leading.subscribe(() => (tabs.leading.get() ? void load() : mindLeader())),
    items.subscribe(mindLeader),
    items.subscribe(lookWhatIsOverdue),
  ];
  tabs.heard(() => void load());
  tabs.answer((client_id) => known(client_id) !== undefined);

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
      const waiting = keeping.write({ room, client_id: newId(), text, reply_to }, clock.now_ms());
      dispatch({ type: "added", waiting: [waiting] });
      await keeping.keep({ ...waiting, state: "queued" });
      pump(room);
    },
    async retry(client_id: string) {
      const item = known(client_id);
      if (item?.state !== "failed") return;
      const { state: _state, message: _message, failed, ...waiting } = item;
      if (failed?.code === "client_id_reused") {
        await drop(client_id);
        dispatch({ type: "added", waiting: [{ ...waiting, client_id: newId() }] });
      } else dispatch({ type: "queued", client_id });
      const queued = items.get().find(({ order }) => order === item.order);
      if (queued) await keeping.keep(queued);
      pump(item.room);
    },
    async remove(client_id: string) {
      if (known(client_id)?.state !== "sending") await drop(client_id);
    },
    /** Forgets what the room's log shows by now. */
    prune(isShown: (message: Message) => boolean) {
      if (items.get().some(({ message }) => message !== undefined && isShown(message)))
        dispatch({ type: "shown", isShown });
    },
    /** Connected: everything that rests may go now. */
    resume() {
      for (const cancel of resting.values()) cancel();
      resting.clear();
      pumpAll();
      mindLeader();
    },
    /** An explicit logout leaves nothing of this person behind. */
    wipe: keeping.wipe,
    close() {
      closed = true;
      keeping.close();
      for (const cancel of resting.values()) cancel();
      cancelLook();
      cancelCheck?.();
      for (const stop of stops) stop();
    },
  };
}
