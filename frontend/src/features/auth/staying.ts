import { createStore } from "@/lib/store";
import type { Session } from "@/types/protocol";

/**
 * What somebody at the page does, and who only watches does not. Not `scroll`: it also comes by itself when messages
 * arrive; nor `pointermove`, which comes when they pass under a pointer that lies still.
 */
const ACTS = ["keydown", "pointerdown", "wheel", "touchstart"] as const;

/** Calls `act` for each of them; a key that is held down, by whatever lies on it, is one. Returns the way to stop. */
export function onActs(act: () => void): () => void {
  const heard = (event: Event) => {
    if (!(event as KeyboardEvent).repeat) act();
  };
  const how = { capture: true, passive: true };
  for (const each of ACTS) window.addEventListener(each, heard, how);
  return () => {
    for (const each of ACTS) window.removeEventListener(each, heard, how);
  };
}

/**
 * How old the last request is when an act makes the next: as the server reckons it (chat/services/sessions/record.py).
 */
export const stayEvery_s = (ttl_s: number): number =>
  Math.min(Math.max(60, Math.min(Math.floor(ttl_s / 30), 3_600)), Math.floor(ttl_s / 4));

export type Staying = ReturnType<typeof createStaying>;

/**
 * Keeps the session of somebody who is at the page. `ask` asks the server to let it last longer; only acts do so, no
 * timer and no push; null is an answer that came too late to count. Before it ends for want of acts `expiring` says
 * when, unless somebody has just been at it.
 */
export function createStaying(ask: () => Promise<Session | null>) {
  const expiring = createStore<number | null>(null);
  /** The session cannot last longer than `expiring`, whatever anybody does. */
  const last = createStore(false);
  let every_ms = 60_000;
  let asked_at = -Infinity;
  let acted_at = -Infinity;
  let warned: number | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asking: Promise<void> | null = null;

  /** By the day's clock, which also runs while a laptop sleeps; one that was set back counts as long ago. */
  const since = (at_ms: number) => {
    const passed = Date.now() - at_ms;
    return passed < 0 ? Infinity : passed;
  };

  function calm() {
    warned = null;
    clearTimeout(timer);
    last.set(false);
    expiring.set(null);
  }

  async function prolong() {
    asked_at = Date.now();
    const answer = await ask();
    if (!answer) return;
    const { expires_at, ttl_s } = answer;
    const ends_at = warned; // the warning may have come while we asked
    begin(ttl_s);
    if (ends_at === null || expires_at > ends_at) return;
    last.set(true);
    expiring.set(ends_at);
  }

  function stay(): Promise<void> {
    asking ??= prolong().finally(() => (asking = null));
    return asking;
  }

  /** A session is there, or is known to last longer. */
  function begin(ttl_s: number | undefined) {
    if (ttl_s) every_ms = stayEvery_s(ttl_s) * 1000;
    calm();
  }

  function look() {
    if (warned === null) return;
    const quiet_ms = since(acted_at);
    if (last.get() || quiet_ms >= every_ms) return expiring.set(warned);
    timer = setTimeout(look, every_ms - quiet_ms);
  }

  return {
    expiring,
    last,
    begin,
    calm,
    stay,
    /** Signing in is an act. */
    began() {
      asked_at = Date.now();
    },
    /** Somebody did something at the page: the server hears of it if it has not for a while. */
    acted() {
      acted_at = Date.now();
      if (since(asked_at) >= every_ms) stay().catch(() => {});
    },
    /** They did something that the server noted by itself. */
    slid() {
      if (since(asked_at) >= every_ms) asked_at = Date.now();
      calm();
    },
    /** The server says when the session ends unless its person acts. */
    warn(expires_at: number) {
      clearTimeout(timer);
      warned = expires_at;
      look();
    },
  };
}
