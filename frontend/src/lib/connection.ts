import { backoff_ms, jittered, type Clock } from "@/lib/clock";
import { Failure, isErrorBody, offline, timedOut } from "@/lib/failure";
import { t } from "@/lib/language";
import { createStore, type Store } from "@/lib/store";
import type { Wire } from "@/lib/wire";
import type { Ask, ErrorBody, ServerEvents } from "@/types/protocol";

export type ConnectionState =
  | { phase: "idle" }
  | { phase: "connecting"; attempt: number }
  | { phase: "connected" }
  | { phase: "waiting"; attempt: number; retry_at_ms: number; restarting: boolean }
  | { phase: "refused"; failure: Failure };

/**
 * What is known of the line while it stands. `unsure`: nobody looked at the page for a while, and nothing was heard yet
 * since. `slow`: an answer is overdue, and nothing else is heard either.
 */
export type Line = "good" | "unsure" | "slow";

/** What somebody does with what the server tells on its own, by event. */
export type Listeners = { readonly [E in keyof ServerEvents]?: (payload: ServerEvents[E]) => void };

export interface Connection {
  state: Store<ConnectionState>;
  line: Store<Line>;
  ask: Ask;
  /** Each event is heard by all who listen to it, in the order in which they began. The answer ends it. */
  listen(listeners: Listeners): () => void;
  start(): void;
  stop(): void;
  tryNow(): void;
  /**
   * Somebody looks at the page, or nobody does any more: only for those who look is the line asked for a sign of life.
   */
  watched(visible: boolean): void;
  /** The browser says that there is no network: what stands is not believed in any more. */
  lost(): void;
}

interface Refusals {
  unauthenticated(failure: Failure): void;
  mismatch(failure: Failure): void;
}

const ACK_TIMEOUT_MS = 5_000;
const RESTART_JITTER_MS = 500;
/** After so long without a word from the server a page that is looked at asks for one. */
const PING_EVERY_MS = 12_000;
/** An answer is overdue: to a ping, so that a line that stalls says so within 15 s, and to a request. */
const OVERDUE_MS = { ping: 3_000, ask: 4_000 };
/** So much later the line is given up. A server that is alive answers any request within three seconds. */
const DEAD_AFTER_MS = 5_000;
/** Where the browser knows of no network, one is rarely there: but a server on the same machine may be. */
const NO_NETWORK_MS = 5_000;

/**
 * What socket.io-client says of a request without an answer. Anything else that is thrown is no word about the network.
 */
const isSilence = (thrown: unknown) =>
  thrown instanceof Error && /^(operation has timed out|socket has been disconnected)$/.test(thrown.message);

/** One socket and the patience around it: waits, comes back with jitter, says at any time what it is doing. */
export function createConnection(wire: Wire, clock: Clock, refusals: Refusals): Connection {
  const state = createStore<ConnectionState>({ phase: "idle" });
  const line = createStore<Line>("good");
  const listeners = new Map<string, Set<(payload: never) => void>>();
  let visible = true;
  let heard_at_ms = 0;
  let cancelPing = () => {};
  let cancelOverdue: (() => void) | null = null;
  let attempt = 0;
  let cancel = () => {};
  let restart_in_ms: number | null = null;

  const wanted = () => state.get().phase !== "idle" && state.get().phase !== "refused";

  function open() {
    cancel();
    state.set({ phase: "connecting", attempt });
    wire.connect();
  }

  function wait(least_ms = 0) {
    const planned = restart_in_ms;
    const delay_ms = Math.max(
      least_ms,
      planned === null ? backoff_ms(clock, attempt) : planned + clock.random() * RESTART_JITTER_MS,
    );
    restart_in_ms = null;
    attempt += 1;
    cancel();
    state.set({ phase: "waiting", attempt, retry_at_ms: clock.now_ms() + delay_ms, restarting: planned !== null });
    cancel = clock.after(delay_ms, open);
  }

  function refuse(failure: Failure) {
    cancel();
    state.set({ phase: "refused", failure });
  }

  function quiet() {
    cancelPing();
    cancelOverdue?.();
    cancelOverdue = null;
    line.set("good");
  }

  /** Any word of the server proves the line. */
  function heard() {
    heard_at_ms = clock.now_ms();
    cancelOverdue?.();
    cancelOverdue = null;
    line.set("good");
  }

  /** Something was asked: whatever is heard within a moment will do for an answer. */
  function expectWord(overdue_ms: number) {
    cancelOverdue ??= clock.after(overdue_ms, () => {
      line.set("slow");
      cancelOverdue = clock.after(DEAD_AFTER_MS, () => drop());
    });
  }

  function ping() {
    if (state.get().phase !== "connected") return;
    expectWord(OVERDUE_MS.ping);
    const nothing = () => {}; // whether the line is dead is decided above
    wire.timeout(OVERDUE_MS.ping + DEAD_AFTER_MS).emitWithAck("ping", {}).then(heard, nothing);
  }

  /** One timer: it looks when silence could be long enough, and again when it was not. */
  function pingWhenSilent() {
    cancelPing();
    if (!visible || state.get().phase !== "connected") return;
    const silent_ms = clock.now_ms() - heard_at_ms;
    if (silent_ms >= PING_EVERY_MS) ping();
    cancelPing = clock.after(silent_ms >= PING_EVERY_MS ? PING_EVERY_MS : PING_EVERY_MS - silent_ms, pingWhenSilent);
  }

  /** Closes a line that is not believed in, and comes back as after any other end. */
  function drop(least_ms = 0) {
    if (state.get().phase !== "connected" && state.get().phase !== "connecting") return;
    quiet();
    wait(least_ms);
    wire.disconnect();
  }

  function listenersTo(event: string) {
    const known = listeners.get(event);
    if (known) return known;
    const added = new Set<(payload: never) => void>();
    listeners.set(event, added);
    wire.on(event, (payload) => {
      heard();
      for (const listener of added) listener(payload);
    });
    return added;
  }

  wire.on("connect", () => {
    cancel();
    attempt = 0;
    state.set({ phase: "connected" });
    heard();
    pingWhenSilent();
  });
  wire.on("disconnect", () => {
    quiet();
    if (wanted() && state.get().phase !== "waiting") wait();
  });
  wire.on("connect_error", (error: Error & { data?: unknown }) => {
    if (!wanted()) return;
    const failure = isErrorBody(error.data) ? new Failure(error.data) : offline();
    if (failure.code === "unauthenticated" || failure.code === "user_mismatch") {
      refuse(failure);
      if (failure.code === "unauthenticated") refusals.unauthenticated(failure);
      else refusals.mismatch(failure);
    } else wait((failure.retry_after_s ?? 0) * 1000);
  });
  wire.on("server:restarting", ({ reconnect_in_ms }: ServerEvents["server:restarting"]) => {
    restart_in_ms = Math.max(jittered(clock, 200), reconnect_in_ms);
  });

  return {
    state,
    line,
    async ask(event, payload) {
      if (!wire.connected) throw offline();
      let answer: { ok: boolean; error?: ErrorBody };
      expectWord(OVERDUE_MS.ask);
      try {
        answer = (await wire.timeout(ACK_TIMEOUT_MS).emitWithAck(event, payload)) as typeof answer;
      } catch (thrown) {
        if (!isSilence(thrown)) throw thrown;
        throw wire.connected ? timedOut() : offline();
      }
      heard();
      if (answer.ok) return answer as never;
      const failure = new Failure(
        isErrorBody(answer.error)
          ? answer.error
          : { code: "internal", message: t("The server gave no reason."), retry: true },
      );
      if (failure.code === "unauthenticated") refusals.unauthenticated(failure);
      if (failure.code === "user_mismatch") refusals.mismatch(failure);
      throw failure;
    },
    listen(table) {
      const added = Object.entries(table) as [event: string, listener: (payload: never) => void][];
      for (const [event, listener] of added) listenersTo(event).add(listener);
      return () => {
        for (const [event, listener] of added) listenersTo(event).delete(listener);
      };
    },
    start() {
      const { phase } = state.get();
      if (phase !== "idle" && phase !== "refused") return;
      attempt = 0;
      open();
    },
    stop() {
      cancel();
      quiet();
      state.set({ phase: "idle" });
      wire.disconnect();
    },
    tryNow() {
      if (state.get().phase === "waiting") open();
    },
    watched(now) {
      visible = now;
      if (
        visible &&
        state.get().phase === "connected" &&
        clock.now_ms() - heard_at_ms >= PING_EVERY_MS &&
        line.get() === "good"
      ) {
        line.set("unsure");
      }
      pingWhenSilent();
    },
    lost: () => drop(NO_NETWORK_MS),
  };
}

interface Standing {
  up(): void;
  /** Also when it only goes on not to stand, in another phase. */
  down(phase: ConnectionState["phase"]): void;
}

/** Calls `up` when the connection stands from now on, and `down` when it does not. The answer ends it. */
export const onStanding = ({ state }: Pick<Connection, "state">, { up, down }: Standing): (() => void) =>
  state.subscribe(() => {
    const { phase } = state.get();
    if (phase === "connected") up();
    else down(phase);
  });
