// @vitest-environment node
import { beforeEach, describe, expect, it, vi } from "vitest";
import { fakeClock } from "@/testing/fakeClock";
import { fakeWire } from "@/testing/fakeWire";
import { createConnection, type Connection } from "./connection";

let time: ReturnType<typeof fakeClock>;
let server: ReturnType<typeof fakeWire>;
let connection: Connection;
const listeners = { unauthenticated: vi.fn(), mismatch: vi.fn() };
const phase = () => connection.state.get().phase;
const refusal = (code: string, more = {}) =>
  Object.assign(new Error("refused"), { data: { code, message: "No.", retry: true, ...more } });

beforeEach(() => {
  vi.clearAllMocks();
  time = fakeClock();
  server = fakeWire();
  connection = createConnection(server.wire, time.clock, listeners);
});

describe("what the server tells", () => {
  it("is heard by all who listen to it, in the order in which they began, until they end it", () => {
    const said: string[] = [];
    const listen = (who: string) =>
      connection.listen({
        "room:read": ({ seq }) => said.push(`${who} ${seq}`),
        "rooms:changed": () => said.push(who),
      });
    const [stop] = [listen("one"), listen("two")];
    server.say("room:read", { room: "general", seq: 7 });
    expect(said).toEqual(["one 7", "two 7"]);
    stop();
    server.say("rooms:changed", {});
    server.say("room:read", { room: "general", seq: 8 });
    expect(said.slice(2)).toEqual(["two", "two 8"]);
  });
});

describe("a connection", () => {
  it("is opened once, however often it is started", () => {
    connection.start();
    connection.start();
    expect(server.state.connects).toBe(1);
    server.up();
    expect(phase()).toBe("connected");
  });

  it("that breaks is opened again, later each time, up to 15 s", async () => {
    connection.start();
    server.up();
    server.down();
    const waits: number[] = [];
    for (let attempt = 0; attempt < 8; attempt += 1) {
      const state = connection.state.get();
      if (state.phase !== "waiting") throw new Error(state.phase);
      waits.push(state.retry_at_ms - time.clock.now_ms());
      await time.go(waits[attempt] ?? 0);
      expect(phase()).toBe("connecting");
      server.say("connect_error", new Error("websocket error"));
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15000, 15000, 15000]);
  });

  it("starts counting anew once it stood", async () => {
    connection.start();
    server.say("connect_error", new Error("x"));
    await time.go(500);
    server.up();
    server.down();
    const state = connection.state.get();
    expect(state.phase === "waiting" && state.retry_at_ms - time.clock.now_ms()).toBe(500);
  });

  it("can be hurried", () => {
    connection.start();
    server.say("connect_error", new Error("x"));
    connection.tryNow();
    expect([phase(), server.state.connects]).toEqual(["connecting", 2]);
    expect(time.pending()).toBe(0);
  });

  it("waits as the restarting server asks", () => {
    connection.start();
    server.up();
    server.say("server:restarting", { reconnect_in_ms: 3000 });
    server.down();
    expect(connection.state.get()).toMatchObject({
      phase: "waiting", restarting: true, retry_at_ms: time.clock.now_ms() + 3250,
    });
  });

  it("waits as long as a busy server says", () => {
    connection.start();
    server.say("connect_error", refusal("rate_limited", { retry_after_s: 20 }));
    expect(connection.state.get()).toMatchObject({ phase: "waiting", retry_at_ms: time.clock.now_ms() + 20_000 });
  });

  it.each([
    ["unauthenticated", listeners.unauthenticated],
    ["user_mismatch", listeners.mismatch],
  ])("refused as %s does not try again", async (code, told) => {
    connection.start();
    server.say("connect_error", refusal(code));
    await time.go(60_000);
    expect([phase(), server.state.connects, told.mock.calls.length]).toEqual(["refused", 1, 1]);
  });

  it("stopped on purpose stays closed", async () => {
    connection.start();
    server.up();
    connection.stop();
    server.say("disconnect", "io client disconnect");
    await time.go(60_000);
    expect([phase(), server.state.connects]).toEqual(["idle", 1]);
  });

  it("stopped and started again opens again", () => {
    connection.start();
    connection.stop();
    connection.start();
    expect(server.state.connects).toBe(2);
  });
});

describe("a request", () => {
  const ask = () => connection.ask("room:read", { room: "general", seq: 1 });

  it("is answered with what the server says", async () => {
    server.up();
    server.answer("room:read", () => ({ ok: true, seq: 4 }));
    await expect(ask()).resolves.toMatchObject({ seq: 4 });
  });

  it("is refused with the server's own sentence", async () => {
    server.up();
    server.answer("room:read", () => ({
      ok: false,
      error: { code: "busy", message: "Busy.", retry: true, retry_after_s: 2 },
    }));
    await expect(ask()).rejects.toMatchObject({ code: "busy", message: "Busy.", retry: true, retry_after_s: 2 });
  });

  it("is not even made without a connection", async () => {
    await expect(ask()).rejects.toMatchObject({ code: "offline", retry: true });
    expect(server.asked).toEqual([]);
  });

  it("that nobody answers is timed out, or lost with its connection", async () => {
    server.up();
    await expect(ask()).rejects.toMatchObject({ code: "timed_out", retry: true });
    server.answer("room:read", () => {
      server.state.connected = false;
      throw new Error("socket has been disconnected");
    });
    await expect(ask()).rejects.toMatchObject({ code: "offline" });
  });

  it("that cannot be made is neither: what was thrown comes through", async () => {
    server.up();
    const mistake = new RangeError("Maximum call stack size exceeded");
    server.answer("room:read", () => {
      throw mistake;
    });
    await expect(ask()).rejects.toBe(mistake);
  });

  it("refused because the session is over ends it", async () => {
    server.up();
    server.answer("room:read", () => ({
      ok: false,
      error: { code: "unauthenticated", message: "Please sign in.", retry: false },
    }));
    await expect(ask()).rejects.toMatchObject({ code: "unauthenticated" });
    expect(listeners.unauthenticated).toHaveBeenCalledTimes(1);
  });
});
