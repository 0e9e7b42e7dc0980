import { backoff_ms, jittered, type Clock } from "@/lib/clock";
import { Failure, isErrorBody, offline, timedOut } from "@/lib/failure";
import { createStore, type Store } from "@/lib/store";
import type { Wire } from "@/lib/wire";
import type { Ask, ErrorBody, ServerEvents } from "@/types/protocol";

export type ConnectionState =
  | { phase: "idle" }
  | { phase: "connecting"; attempt: number }
  | { phase: "connected" }
  | { phase: "waiting"; attempt: number; retry_at_ms: number; restarting: boolean }
  | { phase: "refused"; failure: Failure };

export interface Connection {
  state: Store<ConnectionState>;
  ask: Ask;
  on<E extends keyof ServerEvents>(event: E, listener: (payload: ServerEvents[E]) => void): void;
  start(): void;
  stop(): void;
  tryNow(): void;
}

interface Listeners {
  unauthenticated(failure: Failure): void;
  mismatch(failure: Failure): void;
}

const ACK_TIMEOUT_MS = 5_000;
const RESTART_JITTER_MS = 500;

/** What socket.io-client says of a request without an answer. Anything else that is thrown is no word about the network. */
const isSilence = (thrown: unknown) => thrown instanceof Error && /^(operation has timed out|socket has been disconnected)$/.test(thrown.message);

/** One socket and the patience around it: waits, comes back with jitter, says at any time what it is doing. */
export function createConnection(wire: Wire, clock: Clock, listeners: Listeners): Connection {
  const state = createStore<ConnectionState>({ phase: "idle" });
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

  wire.on("connect", () => {
    cancel();
    attempt = 0;
    state.set({ phase: "connected" });
  });
  wire.on("disconnect", () => {
    if (wanted()) wait();
  });
  wire.on("connect_error", (error: Error & { data?: unknown }) => {
    if (!wanted()) return;
    const failure = isErrorBody(error.data) ? new Failure(error.data) : offline();
    if (failure.code === "unauthenticated" || failure.code === "user_mismatch") {
      refuse(failure);
      if (failure.code === "unauthenticated") listeners.unauthenticated(failure);
      else listeners.mismatch(failure);
    } else wait((failure.retry_after_s ?? 0) * 1000);
  });
  wire.on("server:restarting", ({ reconnect_in_ms }: ServerEvents["server:restarting"]) => {
    restart_in_ms = Math.max(jittered(clock, 200), reconnect_in_ms);
  });

  return {
    state,
    async ask(event, payload) {
      if (!wire.connected) throw offline();
      let answer: { ok: boolean; error?: ErrorBody };
      try {
        answer = (await wire.timeout(ACK_TIMEOUT_MS).emitWithAck(event, payload)) as typeof answer;
      } catch (thrown) {
        if (!isSilence(thrown)) throw thrown;
        throw wire.connected ? timedOut() : offline();
      }
      if (answer.ok) return answer as never;
      const failure = new Failure(isErrorBody(answer.error) ? answer.error : { code: "internal", message: "The server gave no reason.", retry: true });
      if (failure.code === "unauthenticated") listeners.unauthenticated(failure);
      if (failure.code === "user_mismatch") listeners.mismatch(failure);
      throw failure;
    },
    on: (event, listener) => void wire.on(event, listener as (payload: never) => void),
    start() {
      const { phase } = state.get();
      if (phase !== "idle" && phase !== "refused") return;
      attempt = 0;
      open();
    },
    stop() {
      cancel();
      state.set({ phase: "idle" });
      wire.disconnect();
    },
    tryNow() {
      if (state.get().phase === "waiting") open();
    },
  };
}
