import type { Wire } from "@/lib/wire";

/** A socket in the hands of a test: what it is asked, and what the server says. */
export function fakeWire() {
  const listeners = new Map<string, ((payload: never) => void)[]>();
  const state = { connected: false, connects: 0, pings: 0 };
  const answers = new Map<string, (payload: never) => unknown>([["ping", () => undefined]]);
  const asked: [event: string, payload: object][] = [];
  const wire: Wire = {
    get connected() {
      return state.connected;
    },
    connect: () => (state.connects += 1),
    disconnect: () => (state.connected = false),
    on: (event, listener) => listeners.set(event, [...(listeners.get(event) ?? []), listener]),
    timeout: () => ({
      async emitWithAck(event, payload) {
        if (event === "ping") state.pings += 1;
        else asked.push([event, payload]);
        const answer = answers.get(event);
        if (!answer) throw new Error("operation has timed out");
        return answer(payload as never);
      },
    }),
  };
  const say = (event: string, payload: unknown = undefined) =>
    (listeners.get(event) ?? []).forEach((listener) => listener(payload as never));
  return {
    wire, state, asked, say,
    /** Whether anybody listens to it. */
    hears: (event: string) => listeners.has(event),
    /** Nothing that is asked is answered any more. */
    freeze: () => answers.clear(),
    /** What the server answers to a request from now on. */
    answer: (event: string, act: (payload: never) => unknown) => void answers.set(event, act),
    up() {
      state.connected = true;
      say("connect");
    },
    down() {
      state.connected = false;
      say("disconnect", "transport close");
    },
  };
}
