import type { Store } from "@/lib/store";
import type { Tabs } from "@/lib/tabs";
import type { Waiting } from "./disk";
import { find, type OutboxAction, type OutboxItem, type OutboxItems } from "./items";
import { eraseJournal, readJournal, wipeJournal, writeJournal } from "./journal";
import type { PatientDisk } from "./patientDisk";

interface Needs {
  user: string;
  disk: PatientDisk;
  tabs: Tabs;
  items: Store<OutboxItems>;
  dispatch(action: OutboxAction): void;
}

/** Keeps what is on its way: in the journal within the turn in which it was typed, on disk as soon as there is one. */
export function createKeeping({ user, disk, tabs, items, dispatch }: Needs) {
  /** Kept as well as it can be here, so it may go. */
  const ready = new Set<string>();
  const onDisk = new Set<string>();
  /** Known to nobody but this tab: neither the disk nor the journal took it. */
  const ours = new Set<string>();
  /** Settled, deleted or wiped here: a look at the disk that began before must not bring them back. */
  const gone = new Set<string>();
  let lastOrder = 0;
  let closed = false;

  const known = (client_id: string) => find(items.get(), client_id);

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
    if (known(client_id)?.state === "sent") await discard(client_id);
    else ready.add(client_id);
    tabs.announce();
  }

  async function discard(client_id: string) {
    gone.add(client_id);
    for (const each of [onDisk, ready, ours]) each.delete(client_id);
    eraseJournal(user, client_id);
    await disk.remove(user, client_id).catch(() => {});
    tabs.announce();
  }

  /** `before`: what was on the disk when the look at it began. What came since is not missing there. */
  async function agree(before: readonly string[], waiting: readonly Waiting[]) {
    const there = new Set(waiting.map(({ client_id }) => client_id));
    for (const client_id of before) {
      if (there.has(client_id) || !onDisk.has(client_id)) continue;
      onDisk.delete(client_id);
      ready.delete(client_id);
      dispatch({ type: "lost", client_id });
    }
    const unseen = waiting.filter(({ client_id }) => !known(client_id));
    for (const { client_id, order } of waiting) {
      onDisk.add(client_id);
      ready.add(client_id);
      lastOrder = Math.max(lastOrder, order);
    }
    dispatch({ type: "added", waiting: unseen });
    await rescue(there);
    dispatch({ type: "found", waiting });
  }

  /** What a page wrote down and had no time to put on disk. */
  async function rescue(onDiskNow: ReadonlySet<string>) {
    const left = readJournal(user).filter(({ client_id: id }) => !onDiskNow.has(id) && !known(id) && !gone.has(id));
    dispatch({ type: "added", waiting: left });
    lastOrder = Math.max(lastOrder, ...left.map(({ order }) => order));
    for (const { client_id } of left) {
      const item = known(client_id);
      if (item) await keep(item);
    }
  }

  return {
    keep,
    discard,
    isReady: (client_id: string) => ready.has(client_id),
    isOurs: (client_id: string) => ours.has(client_id),
    /** Written down at once, with its place after all that was typed before. */
    write(typed: Omit<Waiting, "user" | "order">, now_ms: number): Waiting {
      lastOrder = Math.max(lastOrder + 1, now_ms * 1000);
      const waiting = { user, ...typed, order: lastOrder };
      if (!writeJournal(waiting)) ours.add(waiting.client_id);
      return waiting;
    },
    /** Brings this tab's picture in line with the disk: after a reload, and when another tab changed something. */
    async load() {
      const before = [...onDisk];
      const waiting = await disk.all(user).catch(() => null);
      if (closed) return;
      if (waiting) await agree(before, waiting.filter(({ client_id }) => !gone.has(client_id)));
      else await rescue(onDisk); // the journal is all there is
    },
    async wipe() {
      for (const { client_id } of items.get()) gone.add(client_id);
      dispatch({ type: "wiped" });
      for (const each of [onDisk, ready, ours]) each.clear();
      wipeJournal(user);
      await disk.wipe(user).catch(() => {});
      tabs.announce();
    },
    close() {
      closed = true;
    },
  };
}
