import { realClock, type Clock } from "@/lib/clock";
import { createStore, type Store } from "@/lib/store";

/** What the tabs of one person agree on: which of them sends, and that something changed on the disk. */
export interface Tabs {
  leading: Store<boolean>;
  /** Asks to be the one that sends; granted when no other tab is. */
  lead(): void;
  release(): void;
  announce(): void;
  heard(listener: () => void): void;
  /** Asks the tab that leads whether it knows of a message. When it does not say so in time, this tab leads. */
  check(id: string): void;
  /** How this tab answers that while it leads. */
  answer(knows: (id: string) => boolean): void;
  close(): void;
}

type Word = "changed" | { asked: string } | { known: string };

/** A tab that runs answers within milliseconds, also in the background: messages are not held back as timers are. */
const ANSWER_MS = 2_000;

/**
 * Web Locks decide. Without them every tab leads: each then sends what it finds on the disk, which the server's
 * idempotence makes harmless (the same client_id is stored once). So it is with a tab that stood still while another
 * took its lead over, until it hears of that.
 */
export function openTabs(name: string, clock: Clock = realClock): Tabs {
  const leading = createStore(false);
  const locks = (globalThis.navigator as Navigator | undefined)?.locks;
  const channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(name);
  const listeners: (() => void)[] = [];
  const unanswered = new Map<string, () => void>();
  let knows = (_id: string) => false;
  let asking: AbortController | null = null;
  let free = () => {};
  let open = true;

  const tell = (word: Word) => {
    if (open) channel?.postMessage(word);
  };

  channel?.addEventListener("message", ({ data }: MessageEvent<Word>) => {
    if (typeof data === "string") for (const listener of listeners) listener();
    else if ("asked" in data) {
      if (leading.get() && knows(data.asked)) tell({ known: data.asked });
    } else settle(data.known);
  });

  function settle(id: string) {
    unanswered.get(id)?.();
    unanswered.delete(id);
  }

  function lead() {
    if (asking) return;
    asking = new AbortController();
    if (locks) hold(locks, asking, { signal: asking.signal });
    else leading.set(true);
  }

  function hold(locks: LockManager, mine: AbortController, options: LockOptions) {
    let held = false;
    const granted = () => {
      if (mine.signal.aborted) return;
      held = true;
      leading.set(true);
      return new Promise<void>((resolve) => (free = resolve));
    };
    locks.request(name, options, granted).catch(() => {
      if (mine.signal.aborted) return;
      if (!held) return leading.set(true); // this browser gives no locks
      release(); // another tab took it over
      lead();
    });
  }

  /** Leads at once: the lock, which nobody may be able to give, follows. */
  function takeOver() {
    if (!asking || leading.get()) return;
    asking.abort();
    asking = new AbortController();
    leading.set(true);
    if (locks) hold(locks, asking, { steal: true });
  }

  function release() {
    asking?.abort();
    asking = null;
    leading.set(false);
    free();
    free = () => {};
    for (const id of [...unanswered.keys()]) settle(id);
  }

  return {
    leading,
    lead,
    release,
    announce: () => tell("changed"),
    heard: (listener) => void listeners.push(listener),
    check(id) {
      if (leading.get() || unanswered.has(id)) return;
      tell({ asked: id });
      const cancel = clock.after(ANSWER_MS, () => {
        unanswered.delete(id);
        takeOver();
      });
      unanswered.set(id, cancel);
    },
    answer: (how) => void (knows = how),
    close() {
      release();
      open = false;
      channel?.close();
    },
  };
}
