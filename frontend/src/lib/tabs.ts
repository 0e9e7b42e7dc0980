import { createStore, type Store } from "@/lib/store";

/** What the tabs of one person agree on: which of them sends, and that something changed on the disk. */
export interface Tabs {
  leading: Store<boolean>;
  /** Asks to be the one that sends; granted when no other tab is. */
  lead(): void;
  release(): void;
  announce(): void;
  heard(listener: () => void): void;
  close(): void;
}

/**
 * Web Locks decide. Without them every tab leads: each then sends what it finds on the disk, which the server's
 * idempotence makes harmless (the same client_id is stored once).
 */
export function openTabs(name: string): Tabs {
  const leading = createStore(false);
  const locks = (globalThis.navigator as Navigator | undefined)?.locks;
  const channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(name);
  let asking: AbortController | null = null;
  let free = () => {};
  let open = true;

  function release() {
    asking?.abort();
    asking = null;
    leading.set(false);
    free();
    free = () => {};
  }

  return {
    leading,
    lead() {
      if (asking) return;
      const mine = (asking = new AbortController());
      if (!locks) return leading.set(true);
      const held = locks.request(name, { signal: mine.signal }, () => {
        if (mine.signal.aborted) return;
        leading.set(true);
        return new Promise<void>((resolve) => (free = resolve));
      });
      held.catch(() => {
        if (!mine.signal.aborted) leading.set(true);
      });
    },
    release,
    announce: () => open && channel?.postMessage("changed"),
    heard: (listener) => channel?.addEventListener("message", listener),
    close() {
      release();
      open = false;
      channel?.close();
    },
  };
}
